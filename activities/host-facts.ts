import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatBytes } from '../evidence/format.ts';
import type { PhysicalBackups } from '../plan/schema.ts';
import { backupKind } from './backups/kind.ts';
import { runTool } from './child.ts';
import { freeAt, keptFree, noRoom } from './disk.ts';
import { failure } from './failure.ts';
import { loadPermit, type Permit, permitCommand, permitScratch } from './permit.ts';
import { exists, placesOf, refuseLongSocket } from './postgres/scratch.ts';
import type { Found, HostFacts, Room, Scratch } from './shapes.ts';

/** What a drill runs of PostgreSQL. */
const programs = ['postgres', 'pg_controldata', 'pg_waldump', 'pg_amcheck', 'pg_checksums'];
/** pg_get_wal_replay_pause_state(), pg_amcheck. */
const oldestServer = 140_000;

/**
 * What this host is, and that it may and can do what the run will ask of it.
 *
 * @throws NotPermitted names the path, the permit file, and the line to add
 * @throws VersionMismatch an extension of the database is not installed here in its version
 */
export async function hostFacts(ask: {
  backups: PhysicalBackups;
  scratch: Scratch;
  smoke?: string[];
  extensions?: { name: string; version: string }[];
}): Promise<HostFacts> {
  const permit = await loadPermit();
  await permitScratch(permit, ask.scratch.directory);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  if (ask.smoke?.[0] !== undefined) await permitCommand(permit, ask.smoke[0]);
  refuseLongSocket(placesOf(ask.scratch.directory));
  const serverVersion = await versionHere(permit);
  await refuseMissingExtensions(permit, ask.extensions ?? []);
  const [tool, libc, freeBytes, others] = await Promise.all([
    backupKind(ask.backups).version(),
    libcHere(),
    freeAt(ask.scratch.directory),
    besides(ask.scratch.directory),
  ]);
  return {
    at: new Date().toISOString(),
    serverVersion,
    ...(libc === undefined ? {} : { libc }),
    freeBytes,
    found: `PostgreSQL ${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}, ${tool}${libc === undefined ? '' : `, C library ${libc}`}, ${formatBytes(freeBytes)} free; all paths are permitted${others}`,
    expected: 'a host that may and can do what the run will ask of it',
  };
}

async function versionHere(permit: Permit): Promise<number> {
  for (const name of programs)
    if (!(await exists(join(permit.postgresql, name))))
      throw failure(
        'NotPermitted',
        `${permit.postgresql} has no ${name}. Install PostgreSQL's server and contrib packages, or correct "postgresql:" in ${permit.file}.`,
      );
  const { stdout } = await runTool(join(permit.postgresql, 'postgres'), ['--version']);
  const [, major, minor] = /PostgreSQL\) (\d+)\.?(\d*)/.exec(stdout) ?? [];
  const version = Number(major) * 10_000 + Number(minor ?? 0);
  if (!(version >= oldestServer))
    throw failure(
      'VersionMismatch',
      `${stdout.trim()} is here, Lifeboat needs PostgreSQL ${oldestServer / 10_000} or newer.`,
    );
  return version;
}

/** The restored database calls their libraries; it would fail at the first query that needs one. */
async function refuseMissingExtensions(permit: Permit, wanted: { name: string; version: string }[]): Promise<void> {
  const { code, stdout } = await runTool(join(permit.postgresql, 'pg_config'), ['--sharedir']).catch(() => ({
    code: 1,
    stdout: '',
  }));
  // Without pg_config, which some packages leave out, nobody knows where they would lie.
  if (code !== 0) return;
  const folder = join(stdout.trim(), 'extension');
  const here = new Set(await readdir(folder).catch(() => []));
  const scripts = [...here];
  const missing = wanted.filter(
    ({ name, version }) =>
      !here.has(`${name}.control`) ||
      !scripts.some((file) => file.startsWith(`${name}--`) && file.endsWith(`--${version}.sql`)),
  );
  if (missing.length > 0)
    throw failure(
      'VersionMismatch',
      `the database uses ${missing.map(({ name, version }) => `${name} ${version}`).join(', ')}, which ${folder} does not have. Install the same versions on this host.`,
    );
}

/** `glibc 2.36`; musl says nothing. */
async function libcHere(): Promise<string | undefined> {
  const { stdout } = await runTool('getconf', ['GNU_LIBC_VERSION']).catch(() => ({ stdout: '' }));
  return /glibc (\S+)/.exec(stdout)?.[1];
}

/** A run that was terminated could not clean up; nobody else dares to delete what may be another run's. */
async function besides(directory: string): Promise<string> {
  const entries = await readdir(dirname(directory), { withFileTypes: true }).catch(() => []);
  const others = entries.filter(
    (entry) => entry.isDirectory() && ![basename(directory), 'lost+found'].includes(entry.name),
  );
  if (others.length === 0) return '';
  const names = others.map(({ name }) => name).sort();
  const shown = [...names.slice(0, 5), ...(names.length > 5 ? [`${names.length - 5} more`] : [])];
  return `. ${dirname(directory)} also holds ${shown.join(', ')}: unless another run goes on there, it is what a terminated one left (lifeboat sweep shows and removes it)`;
}

/**
 * Room for a restore, beside what must stay free on the disk for the live server.
 *
 * @throws DiskFull
 */
export async function roomFor(ask: { scratch: Scratch } & Room): Promise<Found & { freeBytes: number }> {
  const { scratch, ...room } = ask;
  await permitScratch(await loadPermit(), scratch.directory);
  const full = await noRoom(scratch, room, room.bytes);
  if (full !== undefined) throw full;
  const freeBytes = await freeAt(scratch.directory);
  return {
    freeBytes,
    found: `${formatBytes(freeBytes)} free`,
    expected: `${formatBytes(room.bytes)} for the restore, and ${formatBytes(keptFree(room.keepFree))} that stays free`,
  };
}
