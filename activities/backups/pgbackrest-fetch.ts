/** Single files of the WAL archive: for Lifeboat itself, and for a recovering server. */
import { ApplicationFailure } from '@temporalio/common';
import type { PhysicalBackups } from '../../plan/schema.ts';
import { quoted } from '../quoted.ts';
import type { FetchPlaces } from './kind.ts';
import { ask, base, program } from './pgbackrest-command.ts';
import { meaningOf } from './pgbackrest-words.ts';

/**
 * Exit code 1 means that no repository holds the file. It is a proof only when no repository had an error: those show as
 * warnings beside it.
 */
const absent = 1;

export async function fetchWal(backups: PhysicalBackups, file: string, to: string): Promise<boolean> {
  try {
    return await fetchOnce(backups, file, to);
  } catch (error) {
    // What came damaged may have been damaged on its way: it is read once more before it is called so.
    if (!(error instanceof ApplicationFailure) || error.type !== 'BackupCorrupt') throw error;
    return fetchOnce(backups, file, to);
  }
}

async function fetchOnce(backups: PhysicalBackups, file: string, to: string): Promise<boolean> {
  const { code, stderr } = await ask(backups, 'archive-get', ['--no-archive-async', file, to]);
  if (code === 0) return true;
  if (code === absent && !/\[\w+Error\]/.test(stderr)) return false;
  throw meaningOf(
    { command: `archive-get ${file}`, code, output: stderr, config: backups.config, stanza: backups.stanza },
    { otherwise: 'ArchiveUnreachable', damaged: 'BackupCorrupt' },
  );
}

/** Seconds that the store may say nothing, before it is asked again and that is said. */
const silentSeconds = 20;

/** Bytes of WAL that are fetched ahead of the recovery. */
const aheadBytes = 256 * 1024 * 1024;

/**
 * `fetch_fast` fetches ahead in the background. Its exit code 1 may also mean that the background process said nothing in time,
 * so whatever it says but "here it is" is asked again of `fetch_proven`.
 *
 * @see pgBackRest source, src/command/archive/get/get.c
 */
export function fetchInShell(backups: PhysicalBackups, places: FetchPlaces): string {
  const words = [
    program,
    ...base(backups),
    `--pg1-path=${places.data}`,
    `--lock-path=${places.lock}`,
    `--log-path=${places.log}`,
    `--io-timeout=${silentSeconds}`,
    '--log-level-console=off',
    '--log-level-stderr=warn',
    '--log-level-file=warn',
    'archive-get',
  ];
  const fast = [...words, '--archive-async', `--spool-path=${places.spool}`, `--archive-get-queue-max=${aheadBytes}`];
  return [
    `fetch_fast() { exec ${[...fast, '--archive-timeout=15'].map(quoted).join(' ')} "$1" "$2"; }`,
    `fetch_proven() { exec ${[...words, '--no-archive-async'].map(quoted).join(' ')} "$1" "$2"; }`,
  ].join('\n');
}
