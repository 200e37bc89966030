/** Single files of the WAL archive: for Lifeboat itself, and for a recovering server. */

import { dirname } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Ended } from '../child.ts';
import { quoted } from '../quoted.ts';
import type { FetchPlaces } from './kind.ts';
import { ask, base, program, sideBySide } from './pgbackrest-command.ts';
import { readInfo } from './pgbackrest-info.ts';
import { knownCluster } from './pgbackrest-repository.ts';
import { standInFor } from './pgbackrest-stand-in.ts';
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
  const first = await ask(backups, 'archive-get', ['--no-archive-async', file, to]);
  const { code, stderr } = lacksControl(first) ? await fetchWithout(backups, file, to) : first;
  if (code === 0) return true;
  if (code === absent && !/\[\w+Error\]/.test(stderr)) return false;
  throw meaningOf(
    { command: `archive-get ${file}`, code, output: stderr, config: backups.config, stanza: backups.stanza },
    { otherwise: 'ArchiveUnreachable', damaged: 'BackupCorrupt' },
  );
}

function lacksControl({ code, stderr }: Ended): boolean {
  return code !== 0 && /pg_control/.test(stderr) && /\[FileMissingError\]|missing file/.test(stderr);
}

/** The server of this host is lost, and its data directory with it. */
async function fetchWithout(backups: PhysicalBackups, file: string, to: string): Promise<Ended> {
  const { systemIdentifier } = knownCluster(backups, await readInfo(backups));
  const standIn = await standInFor(systemIdentifier, dirname(to));
  return ask(backups, 'archive-get', ['--no-archive-async', `--pg1-path=${standIn}`, file, to]);
}

/** Bytes of WAL that are fetched ahead of the recovery: replay is often faster than the store. */
const aheadBytes = 1024 * 1024 * 1024;

/**
 * `fetch_fast` fetches ahead in the background. Its exit code 1 may also mean that the background process said nothing in time,
 * so whatever it says but "here it is" is asked again of `fetch_proven`.
 *
 * @param silentSeconds how long the store may say nothing before it is asked again, and that is said
 * @see pgBackRest source, src/command/archive/get/get.c
 */
export async function fetchInShell(
  backups: PhysicalBackups,
  places: FetchPlaces,
  silentSeconds: number,
): Promise<string> {
  const words = [
    ...[program, ...base(backups), `--pg1-path=${places.data}`],
    ...[...quietly(places, silentSeconds), 'archive-get'],
  ];
  const fast = [...words, ...(await ahead(backups, places))];
  return [
    `fetch_fast() { exec ${fast.map(quoted).join(' ')} "$1" "$2"; }`,
    `fetch_proven() { exec ${[...words, '--no-archive-async'].map(quoted).join(' ')} "$1" "$2"; }`,
  ].join('\n');
}

function quietly({ lock, log }: FetchPlaces, silentSeconds: number): string[] {
  return [
    `--lock-path=${lock}`,
    `--log-path=${log}`,
    `--io-timeout=${silentSeconds}`,
    '--log-level-console=off',
    '--log-level-stderr=warn',
    '--log-level-file=warn',
  ];
}

async function ahead(backups: PhysicalBackups, { spool }: FetchPlaces): Promise<string[]> {
  return [
    '--archive-async',
    `--spool-path=${spool}`,
    `--archive-get-queue-max=${aheadBytes}`,
    '--archive-timeout=15',
    ...(await sideBySide(backups)),
  ];
}

/**
 * For the server's own configuration, which stays when Lifeboat is gone. pgBackRest's exit codes are below 126, which a standby takes for
 * "not there" and asks again: it streams meanwhile, and does not die of an outage.
 */
export function restoreCommand(backups: PhysicalBackups, dataDirectory: string): string {
  const words = [
    ...[program, ...base(backups), `--pg1-path=${dataDirectory}`],
    ...['--log-level-console=off', '--log-level-file=off', 'archive-get'],
  ];
  return `${words.map((word) => quoted(word).replaceAll('%', '%%')).join(' ')} %f "%p"`;
}
