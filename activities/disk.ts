/** Room on a disk: how much there is, and whether the lack of it is what ended something. */
import { rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../evidence/format.ts';
import { bytesOf } from '../plan/size.ts';
import { failure } from './failure.ts';
import type { Room, Scratch } from './shapes.ts';

/** A disk that is full, and a quota that is used up. */
const fullCodes = ['ENOSPC', 'EDQUOT'];

export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && fullCodes.includes(String(error.code));
}

/** Failures that name their disk already. */
const complete = new WeakSet<Error>();

export function namesItsDisk(error: Error): boolean {
  return complete.has(error);
}

function fullFailure(message: string): Error {
  const full = failure('DiskFull', message);
  complete.add(full);
  return full;
}

/** What an unprivileged process may still write, on the disk that holds the directory, or would hold it. */
export async function freeAt(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(await deepestThere(directory));
  return bavail * bsize;
}

/** A write that failed has used up the last bytes, short of this. */
const probeBytes = 256 * 1024;

/**
 * Whether the disk takes no more. Asked by writing: a quota does not show in the room that is left, and a program whose log lies on
 * the full disk cannot say what ended it.
 */
export async function takesNoMore(directory: string): Promise<boolean> {
  const probe = join(await deepestThere(directory), `.lifeboat-probe-${process.pid}`);
  try {
    await writeFile(probe, Buffer.alloc(probeBytes, 1), { mode: 0o600 });
    return false;
  } catch (error) {
    return isFull(error);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}

/**
 * A restore must never take what the plan keeps free for the live server, whoever else fills the disk meanwhile.
 *
 * @param needed bytes that are still to come
 * @returns the failure; undefined while there is room
 */
export async function noRoom(scratch: Scratch, room: Room | undefined, needed = 0): Promise<Error | undefined> {
  if (room === undefined) return undefined;
  const keep = keptFree(room.keepFree);
  const free = await freeAt(scratch.directory);
  if (free >= keep + needed) return undefined;
  const want = needed > 0 ? `${formatBytes(needed)} for the restore, and ${formatBytes(keep)}` : formatBytes(keep);
  return fullFailure(
    `only ${formatBytes(free)} are free on ${await diskOf(scratch)}, expected ${want} that the plan keeps free there (drills.monthly.keepFree): something else has filled it meanwhile. The restore gives way. Make room, or choose another directory in the plan.`,
  );
}

export function keptFree(keepFree: string): number {
  const keep = bytesOf(keepFree);
  if (keep === undefined) throw failure('PlanInvalid', `keepFree: "${keepFree}" is not a size; write one such as 1GB`);
  return keep;
}

/** @param ended what came to its end, in the words that it had */
export async function diskFull(scratch: Scratch, ended: string, neededBytes?: number): Promise<Error> {
  const free = await freeAt(scratch.directory);
  const needed = neededBytes === undefined ? '' : ` The restore and its WAL need ${formatBytes(neededBytes)}.`;
  const quota = free > 16 * probeBytes ? ' (so it is a quota that is used up)' : '';
  return fullFailure(
    `${await diskOf(scratch)} takes no more: ${formatBytes(free)} are free there${quota}.${needed} Nothing is said by it about backup and archive. What ended: ${ended}. Make room, or choose another directory in the plan (drills.monthly.directory).`,
  );
}

/** `the disk at /srv/scratch on db2` */
async function diskOf({ host, directory }: Scratch): Promise<string> {
  let place = await deepestThere(directory);
  const { dev } = await stat(place);
  while (place !== '/' && (await stat(dirname(place))).dev === dev) place = dirname(place);
  return `the disk at ${place} on ${host}`;
}

async function deepestThere(directory: string): Promise<string> {
  let place = directory;
  while (place !== '/' && !(await isThere(place))) place = dirname(place);
  return place;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
