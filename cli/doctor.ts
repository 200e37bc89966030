/** `lifeboat doctor`: what Lifeboat needs on this machine, what of it is there, and how to get the rest. */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { cacheDirectory, type Inspection, inspectPart, type PartName, partNames } from '../parts/parts.ts';
import { compareVersions } from '../parts/version.ts';
import { version } from '../workflows/version.ts';
import { type Cli, withJson, withProfile } from './cli.ts';
import { reach } from './engine/reach.ts';
import { exitCodes } from './exit-codes.ts';
import { type WatchOptions, watchMembers } from './watch-members.ts';

const lowestNode = '20.20';
/**
 * Only tests need them, of the report page through a browser, of the alert rules, of clocks that are wrong, of DNS, of two sites, of Patroni, of systemd, of Redis, of files; nsupdate
 * also a control worker whose plans have an entry of kind dns-update, restic a host worker whose plans have components of that kind.
 */
const optional: readonly PartName[] = [
  ...(['chromium', 'promtool', 'libfaketime', 'named', 'nsupdate', 'moto'] as const),
  ...(['toxiproxy', 'patroni', 'etcd', 'systemd', 'sudo', 'redis', 'restic', 'nginx'] as const),
];

interface PartFinding {
  name: PartName;
  optional: boolean;
  version?: string;
  path?: string;
  /** What was seen instead, and the exact command that installs it. */
  missing?: { wanted: string; purpose: string; reason: string; command: string };
}

export interface DoctorReport {
  /** Everything that is not optional is there. */
  ok: boolean;
  lifeboat: string;
  node: { version: string; path: string; ok: boolean };
  system: string;
  user: string;
  cache: string;
  parts: PartFinding[];
  /** Not counted: the lab starts a server of its own. */
  temporal: { answers: boolean; address?: string; namespace?: string; why?: string };
}

async function doctor(profile?: string): Promise<DoctorReport> {
  const [parts, temporal] = await Promise.all([
    Promise.all(partNames.map(async (name) => finding(name, await inspectPart(name)))),
    temporalServer(profile),
  ]);
  const node = {
    version: process.versions.node,
    path: process.execPath,
    ok: compareVersions(process.versions.node, lowestNode) >= 0,
  };
  return {
    ok: node.ok && parts.every((part) => part.optional || part.missing === undefined),
    lifeboat: version,
    node,
    system: `${process.platform} ${process.arch}`,
    user: userInfo().username,
    cache: cacheDirectory(),
    parts,
    temporal,
  };
}

export function renderDoctor(report: DoctorReport): string {
  const lines = [
    `Lifeboat ${report.lifeboat} on ${report.system}, as ${report.user}`,
    '',
    row(report.node.ok ? '✓' : '✗', 'node', report.node.version, report.node.path),
    ...(report.node.ok ? [] : [`    install Node.js ${lowestNode} or newer: https://nodejs.org/`]),
    ...report.parts.flatMap(renderPart),
    '',
    `cache     ${report.cache}`,
    `temporal  ${renderTemporal(report.temporal)}`,
    '',
    verdict(report),
  ];
  return lines.join('\n');
}

interface Options extends WatchOptions {
  watch?: boolean;
}

export function doctorCommand(program: Command, cli: Cli): void {
  const command = program
    .command('doctor')
    .description('what Lifeboat needs on this machine: what was found, where, and how to get the rest')
    .argument('[service]', 'of --watch: as its plan names it')
    .option(
      '--watch',
      'instead: role, timeline and history of every member, told anew when something changes; reads only',
    )
    .option('--once', 'of --watch: one look; the exit code says whether there is one writer');
  withProfile(withJson(command)).action(async (service: string | undefined, options: Options) => {
    if (options.watch) return watchMembers(cli, service, options);
    const report = await doctor(options.profile);
    command.configureOutput().writeOut?.(`${options.json ? JSON.stringify(report) : renderDoctor(report)}\n`);
    process.exitCode = report.ok ? exitCodes.good : exitCodes.endedBadly;
  });
}

function finding(name: PartName, { part, missing }: Inspection): PartFinding {
  const what = { name, optional: optional.includes(name) };
  if (part !== undefined) return { ...what, version: part.version, path: part.path };
  const { wanted, purpose, reason, command } = missing;
  return { ...what, missing: { wanted, purpose, reason, command } };
}

async function temporalServer(profile?: string): Promise<DoctorReport['temporal']> {
  try {
    const { connection, address, namespace } = await reach(profile);
    await connection.close();
    return { answers: true, address, namespace };
  } catch (error) {
    return { answers: false, why: error instanceof Error ? error.message : String(error) };
  }
}

function renderPart({ name, missing, optional: isOptional, version: found, path }: PartFinding): string[] {
  if (missing === undefined) return [row('✓', name, found ?? '', path ?? '')];
  const mark = isOptional ? '-' : '✗';
  const reason = `${missing.reason}; needed for ${missing.purpose}${isOptional ? ' (optional)' : ''}`;
  return [row(mark, name, 'missing', `${missing.wanted}: ${reason}`), `    ${missing.command}`];
}

function renderTemporal({ answers, address, namespace, why }: DoctorReport['temporal']): string {
  if (answers) return `answers at ${address}, namespace ${namespace}`;
  return (why ?? 'does not answer').replaceAll('\n', '\n          ');
}

function row(mark: string, name: string, found: string, where: string): string {
  return `${mark} ${name.padEnd(12)} ${found.padEnd(15)} ${where}`;
}

function verdict({ ok, node, parts }: DoctorReport): string {
  if (ok) return 'Everything that is needed is there.';
  const absent = parts.filter((part) => !part.optional && part.missing !== undefined).map(({ name }) => name);
  const all = node.ok ? absent : ['node', ...absent];
  return `Missing: ${all.join(', ')}. As root on Debian or Ubuntu ./scripts/demo and ./scripts/test install all but Node.js themselves.`;
}
