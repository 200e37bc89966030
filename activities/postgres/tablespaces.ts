/**
 * A tablespace that was created after the backup is created again by the replay, where the live one lay: on the same host that may be a
 * live directory. Reading all WAL for it beforehand would fetch the whole archive twice. Instead the server is not let: without the right
 * to write into pg_tblspc it cannot link to the place, and ends before it has written anything there.
 *
 * @see PostgreSQL source, create_tablespace_directories in src/backend/commands/tablespace.c
 */
import { chmod, readdir, readlink, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Permit } from '../permit.ts';
import type { Places } from './scratch.ts';

const folderOf = (data: string) => join(data, 'pg_tblspc');

/** For as long as WAL is replayed. Tablespaces of the backup are linked already, into the scratch directory. */
export async function closeTablespaces(places: Places): Promise<void> {
  await chmod(folderOf(places.data), 0o500);
}

/** Before anybody else works in the directory: a promoted server, a restore that is repeated, the removal. */
export async function openTablespaces(places: Places): Promise<void> {
  await chmod(folderOf(places.data), 0o700).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/**
 * The server may have made an empty directory there before it tried to link to it. It would stand in the way of a new tablespace,
 * so it is removed: only when it is empty, younger than the server's start, and no live server of this host has a tablespace there.
 */
export async function removeTrace(location: string, places: Places, permit: Permit): Promise<void> {
  if (await isLive(location, permit)) return;
  const started = await stat(places.target);
  for (const name of await readdir(location).catch(() => [])) {
    const path = join(location, name);
    const found = await stat(path).catch(() => undefined);
    if (!/^PG_\d+_\d+$/.test(name) || found === undefined || found.birthtimeMs < started.mtimeMs) continue;
    // Fails when anything is in it.
    await rmdir(path).catch(() => undefined);
  }
}

async function isLive(location: string, permit: Permit): Promise<boolean> {
  for (const data of permit.dataDirectories)
    for (const name of await readdir(folderOf(data)).catch(() => []))
      if ((await readlink(join(folderOf(data), name)).catch(() => '')) === location) return true;
  return false;
}
