/** pgBackRest's own account of its repository, `info --output=json`. */
import { z } from 'zod';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import { type Asking, ask } from './pgbackrest-command.ts';
import { meaningOf } from './pgbackrest-words.ts';

/** Only what is read here; later releases add to it. */
const backup = z.object({
  annotation: z.record(z.string(), z.string()).nullish(),
  archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
  database: z.object({ id: z.number() }),
  error: z.boolean().nullish(),
  info: z.object({ size: z.number(), repository: z.object({ delta: z.number(), size: z.number().nullish() }) }),
  label: z.string(),
  lsn: z.object({ start: z.string().nullable(), stop: z.string().nullable() }).nullish(),
  /** Only with --set. */
  tablespace: z.array(z.object({ destination: z.string(), oid: z.number() })).nullish(),
  /** Seconds since 1970. */
  timestamp: z.object({ start: z.number(), stop: z.number() }),
  type: z.enum(['full', 'diff', 'incr']),
});

const stanza = z.object({
  backup: z.array(backup),
  db: z.array(z.object({ id: z.number(), 'system-id': z.string(), version: z.string() })),
  repo: z.array(z.object({ key: z.number(), status: z.object({ code: z.number(), message: z.string() }) })).default([]),
  status: z.object({ code: z.number(), message: z.string() }),
});

export type Stanza = z.output<typeof stanza>;
type Listed = z.output<typeof backup>;

/** The step that took a backup is noted with it, so that a retry finds it. */
export const annotation = 'lifeboat-step';

/** 0 ok, 1 missing path, 2 no backup, 3 missing data; 99: an error, with its words. @see pgBackRest source, info.c */
const noBackup = 2;

/** @throws StoreRefused @throws ArchiveUnreachable @throws BackupMissing the stanza is not there */
export async function readInfo(
  backups: PhysicalBackups,
  { label, ...asking }: Asking & { label?: string } = {},
): Promise<Stanza> {
  const { config, stanza: name } = backups;
  const words = label === undefined ? ['--output=json'] : ['--output=json', `--set=${label}`];
  const { code, stdout, stderr } = await ask(backups, 'info', words, asking);
  if (code !== 0)
    throw meaningOf(
      { command: 'info', code, output: stderr, config, stanza: name },
      { otherwise: 'ArchiveUnreachable', damaged: 'BackupCorrupt' },
    );
  const found = parseInfo(stdout);
  if (found === undefined) throw noStanza(backups, 'missing');
  // It ends with exit code 0 even when the store does not answer.
  const usable = found.repo.some((repo) => repo.status.code === 0 || repo.status.code === noBackup);
  const trouble = found.repo.find((repo) => repo.status.code === 99);
  if (!usable && trouble !== undefined)
    throw meaningOf(
      { command: 'info', code: 0, output: `ERROR: ${trouble.status.message}`, config, stanza: name },
      { otherwise: 'ArchiveUnreachable', damaged: 'BackupCorrupt' },
    );
  if (!usable && found.status.code !== 0 && found.status.code !== noBackup)
    throw noStanza(backups, found.status.message);
  return found;
}

/** A system identifier has 64 bits, more than a number in JavaScript holds: it is read as text. */
function parseInfo(text: string): Stanza | undefined {
  const safe = text.replace(/"system-id":(\d+)/g, '"system-id":"$1"');
  return z.array(stanza).parse(JSON.parse(safe))[0];
}

function noStanza({ stanza: name, config }: PhysicalBackups, why: string): Error {
  return failure(
    'BackupMissing',
    `the repository holds no stanza ${name} (${why}). Correct the plan's backups.physical.stanza, or create it: pgbackrest --config=${config} --stanza=${name} stanza-create`,
  );
}

/** Number of the newest cluster in the stanza, and the folder of its WAL, `15-1`: a major upgrade begins a new one. */
export function newestCluster(found: Stanza): { id: number; systemIdentifier: string; folder: string } | undefined {
  const newest = [...found.db].sort((a, b) => b.id - a.id)[0];
  return newest && { id: newest.id, systemIdentifier: newest['system-id'], folder: `${newest.version}-${newest.id}` };
}

/** Backups that can be restored with WAL, of the newest cluster. */
export function backupsOf(found: Stanza): BackupInfo[] {
  const cluster = newestCluster(found)?.id;
  return found.backup.filter((one) => one.database.id === cluster).flatMap((one) => backupOf(one) ?? []);
}

function backupOf(one: Listed): BackupInfo | undefined {
  const { archive, lsn, info, timestamp } = one;
  // A backup of a stopped server needs no WAL and names none; recovery to a point cannot start from what names none.
  if (archive.start === null || archive.stop === null || !lsn?.start || !lsn.stop) return undefined;
  const takenBy = one.annotation?.[annotation];
  return {
    label: one.label,
    type: one.type,
    startedAt: new Date(timestamp.start * 1000).toISOString(),
    stoppedAt: new Date(timestamp.stop * 1000).toISOString(),
    startLsn: lsn.start,
    stopLsn: lsn.stop,
    startWal: archive.start,
    stopWal: archive.stop,
    timeline: Number.parseInt(archive.start.slice(0, 8), 16),
    bytes: info.size,
    repositoryBytes: info.repository.size ?? info.repository.delta,
    error: one.error === true,
    ...(takenBy === undefined ? {} : { takenBy }),
    tablespaces: (one.tablespace ?? []).map(({ oid, destination }) => ({ oid, location: destination })),
  };
}
