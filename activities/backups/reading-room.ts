import { readdir, rm } from 'node:fs/promises';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Permit } from '../permit.ts';
import { claim, madeBy } from '../postgres/made-by.ts';
import { empty, type Places, permittedPlaces } from '../postgres/scratch.ts';
import type { Scratch } from '../shapes.ts';
import { backupKind } from './kind.ts';

/** A place to read files of the WAL archive in, `places.wal`: empty at first, and gone afterwards. */
export async function inReadingRoom<T>(
  ask: { backups: PhysicalBackups; scratch: Scratch; key?: string },
  read: (places: Places, permit: Permit) => Promise<T>,
): Promise<T> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  try {
    // What an execution that a reset discarded has made here stays its own, until a restore takes it over.
    if ((await madeBy(places.directory)) === undefined) await claim(places, ask);
    await empty(places.wal);
    return await read(places, permit);
  } finally {
    // Only read: nothing may stay of it, not even an empty directory. Also when a killed attempt made that.
    const restoring = (await readdir(places.data).catch(() => [])).length > 0;
    await rm(restoring ? places.wal : places.directory, { recursive: true, force: true });
  }
}
