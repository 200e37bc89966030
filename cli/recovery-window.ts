/** `lifeboat recovery-window`: from when to when a service can be recovered, and what stands in the way. */
import type { Command } from 'commander';
import { formatBytes } from '../evidence/format.ts';
import { controlQueue } from '../workflows/messages.ts';
import type { RecoveryWindowResult } from '../workflows/recovery-window.ts';
import { type Cli, connected, leave, type UsualOptions, withJson, withProfile } from './cli.ts';
import type { Engine, RunState } from './engine/engine.ts';
import { exitOfRun } from './exit-codes.ts';
import { follow } from './follow/follow.ts';
import { patient } from './follow/patient.ts';
import { serviceMeant } from './plans.ts';
import { Problem } from './problem.ts';

// A repository of years is listed in a minute or so; a silent host worker is reported before that.
const withinMs = 600_000;

export function recoveryWindowCommand(program: Command, cli: Cli): void {
  const command = program
    .command('recovery-window')
    .argument('[service]', 'as its plan names it')
    .description('from when to when the service can be recovered, with gaps and anchors; reads only');
  withProfile(withJson(command)).action((given: string | undefined, options: UsualOptions) =>
    connected(cli, options, async (engine) => {
      const service = await serviceMeant(cli.environment, given);
      const window = await ask(cli, engine, service);
      cli.terminal.result(options.json ? JSON.stringify(window) : windowInWords(window));
      leave(cli, 'good');
    }),
  );
}

async function ask(cli: Cli, engine: Engine, service: string | undefined): Promise<RecoveryWindowResult> {
  if ((await engine.workers(controlQueue)).length === 0)
    throw new Problem(
      'nobodyWorks',
      `Nobody works on task queue ${controlQueue}: start lifeboat-control (namespace ${engine.namespace} at ${engine.address}), then ask again.`,
    );
  const { run } = await engine.start({
    type: 'recoveryWindow',
    prefix: `${service === undefined ? '' : `${service}-`}recovery-window`,
    input: service === undefined ? {} : { service },
    summary: `Recovery window${service === undefined ? '' : ` of ${service}`} (reads only)`,
    withinMs,
  });
  return answerOf(cli, engine, run, service);
}

async function answerOf(
  cli: Cli,
  engine: Engine,
  run: string,
  service: string | undefined,
): Promise<RecoveryWindowResult> {
  const stop = new AbortController();
  const release = cli.onInterrupt(() => stop.abort());
  try {
    // It has no evidence to look at: only its end is waited for.
    const watched = { ...engine.watch(run), evidence: async () => undefined };
    const viewer = patient(cli.terminal, engine.address, cli.pace, (state) => waitsFor(service, state));
    const ending = await follow(watched, viewer, stop.signal, cli.pace);
    if (ending === undefined) throw new Problem('detached', `Stopped waiting; ${run} ends by itself.`);
    if (isWindow(ending.result)) return ending.result;
    const failure = ending.failure ?? { type: 'Bug', message: `${run} ended ${ending.status} without an answer.` };
    throw new Problem(exitOfRun({ failure }), `${failure.type}: ${failure.message}`, failure.type);
  } finally {
    release();
  }
}

/** `asking the archive of orders through host-db2@41802 ...`; of attempts that failed, why. */
function waitsFor(service: string | undefined, { pending: [asked] }: RunState): string {
  const archive = service === undefined ? 'the archive' : `the archive of ${service}`;
  if (asked === undefined) return `asking for ${archive} ...`;
  const through = asked.worker === undefined ? '' : ` through ${asked.worker}`;
  const again = asked.attempt > 1 ? `, attempt ${asked.attempt}` : '';
  const why = asked.lastFailure === undefined ? '' : ` (${asked.lastFailure})`;
  if (!asked.started && asked.attempt === 1) return `waiting for a worker that asks ${archive} ...`;
  return `asking ${archive}${through}${again} ...${why}`;
}

function isWindow(value: unknown): value is RecoveryWindowResult {
  return typeof value === 'object' && value !== null && 'timeline' in value && 'backups' in value;
}

function windowInWords(window: RecoveryWindowResult): string {
  return [
    heading(window),
    ...section(
      'Backups',
      window.backups,
      (one) => `${one.label}  ${one.type.padEnd(4)}  ended ${one.stoppedAt}  ${formatBytes(one.bytes)} restored`,
    ),
    ...section(
      'Anchors',
      window.anchors,
      (one) => `${one.at}  at ${one.lsn}  ${one.tables} ${one.tables === 1 ? 'table' : 'tables'}`,
    ),
    ...section('Gaps', window.gaps, (one) => one),
    ...section('Oddities', window.oddities, (one) => one),
  ].join('\n');
}

function heading({ service, from, to, timeline, gaps }: RecoveryWindowResult): string {
  if (from === undefined || to === undefined)
    return `${service} cannot be recovered from its backups: no complete backup with the WAL that it needs.`;
  const gapless = gaps.length === 0 ? 'no gap' : `${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}, see below`;
  return `${service} can be recovered from ${from} to ${to} (timeline ${timeline}, ${gapless}).`;
}

function section<T>(title: string, rows: readonly T[], words: (row: T) => string): string[] {
  if (rows.length === 0) return title === 'Gaps' || title === 'Oddities' ? [] : ['', `${title}: none`];
  return ['', title, ...rows.map((row) => `  ${words(row)}`)];
}
