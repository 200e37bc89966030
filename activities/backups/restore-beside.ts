import { chmod, lstat, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../evidence/format.ts';
import type { HostChanges } from '../contract.ts';
import { noRoom } from '../disk.ts';
import { failure } from '../failure.ts';
import { controlData } from '../postgres/control-data.ts';
import { claim } from '../postgres/made-by.ts';
import {
  empty,
  exists,
  makePlaces,
  type Places,
  permittedPlaces,
  refuseLongSocket,
  writeWhole,
} from '../postgres/scratch.ts';
import { stopServer } from '../postgres/server.ts';
import { openTablespaces } from '../postgres/tablespaces.ts';
import type { Found, Scratch } from '../shapes.ts';
import { lastLines } from '../tail.ts';
import { backupKind } from './kind.ts';

/**
 * Restores a backup into a directory of its own. Nothing live is touched, and the server is not started.
 *
 * Safe to repeat: a complete restore of this backup is left alone; what a killed attempt has left running is ended, and its files are
 * compared by checksum and completed. So is what an execution has left that a reset discarded: a directory on which a server has run
 * is not the backup any more.
 * An outage of the repository is waited out.
 * @param ask.bytes size once restored, for the progress
 * @throws NotPermitted @throws ArchiveUnreachable @throws BackupCorrupt naming the file @throws DiskFull @throws BackupMissing @throws TablespaceUnsafe
 */
export async function restoreBeside(
  ask: Parameters<HostChanges['restoreBeside']>[0],
): Promise<Found & { bytes: number }> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  const kind = backupKind(ask.backups);
  await kind.permitted(permit, ask.backups);
  refuseLongSocket(places);
  await claim(places, ask);
  const untouched = !(await exists(places.target));
  if (untouched && (await restoredLabel(places)) === ask.label) return done(ask, places, 'was restored already');
  await stopServer(places, 'immediate', 30_000);
  await makePlaces(places);
  await chmod(places.directory, 0o700);
  // The tool refuses to restore where a server seems to run; nothing runs here any more.
  for (const file of [places.restored, places.target, join(places.data, 'postmaster.pid')])
    await rm(file, { force: true });
  await openTablespaces(places);
  await empty(places.spool);
  const refuse = () => noRoom(ask.scratch, ask.room);
  // What an earlier attempt has restored is there already: only then less room is enough.
  const full = (await exists(join(places.data, 'PG_VERSION')))
    ? await refuse()
    : await noRoom(ask.scratch, ask.room, ask.room?.bytes);
  if (full !== undefined) throw full;
  const { backups: _backups, scratch: _scratch, key: _key, room: _room, ...what } = ask;
  await kind.restore(ask.backups, { ...places, ...what, refuse });
  await refuseIncomplete(places);
  await refuseOutsideTablespaces(places);
  await controlData(permit, places.data);
  await writeWhole(places.restored, JSON.stringify({ label: ask.label, bytes: ask.bytes }));
  return done(ask, places, 'restored');
}

async function restoredLabel(places: Places): Promise<string | undefined> {
  const text = await readFile(places.restored, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { label: string }).label;
}

async function done(
  ask: { label: string; bytes: number; scratch: Scratch },
  places: Places,
  what: string,
): Promise<Found & { bytes: number }> {
  const path = join(places.log, 'restore.log');
  return {
    bytes: ask.bytes,
    found: `backup ${ask.label}, ${formatBytes(ask.bytes)}, ${what} in ${places.directory}`,
    expected: 'every file of the backup, its checksum right',
    log: { host: ask.scratch.host, path, lastLines: await lastLines(path, 3).catch(() => []) },
  };
}

/** Without backup_label a server would start without a complaint, and with no guarantee at all. */
async function refuseIncomplete(places: Places): Promise<void> {
  for (const name of ['PG_VERSION', 'backup_label', 'global/pg_control', 'pg_wal'])
    if (!(await exists(join(places.data, name))))
      throw failure(
        'RestoreFailed',
        `the restore ended well, but ${name} is missing in ${places.data}. Expected a complete data directory; see ${places.log}/restore.log.`,
      );
}

/** What leads out of the scratch directory may lead into the live one: replay would write there. */
async function refuseOutsideTablespaces(places: Places): Promise<void> {
  if (await exists(join(places.data, 'tablespace_map')))
    throw failure(
      'TablespaceUnsafe',
      `the restored directory holds a tablespace_map: the server would link its tablespaces to their live directories. Restore on a host where these do not exist.`,
    );
  const folders = ['.', 'pg_tblspc'].map((folder) => join(places.data, folder));
  for (const folder of folders)
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const target = (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
      if (target !== undefined && !target.startsWith(`${places.directory}/`))
        throw failure(
          'TablespaceUnsafe',
          `${path} leads to ${target}, outside of ${places.directory}: replay could write into the live data. Restore on a host where that path does not exist.`,
        );
    }
}
