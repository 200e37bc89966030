/** A server beside that was killed, by somebody or for want of memory, is started again as it was: what it holds is on the disk. */
import { join } from 'node:path';
import type { Client } from 'pg';
import { failure } from '../failure.ts';
import { beating, pause } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { isAlive } from '../processes.ts';
import { lastLines, sizeOf } from '../tail.ts';
import { noteStart, readStart, waitForPause } from './paused.ts';
import { empty, exists, type PermittedPlaces, type Places } from './scratch.ts';
import { findServer, startServer, statusOf } from './server.ts';
import { placeOfScratch, withSession } from './session.ts';

/** After a crash the WAL since the last checkpoint is replayed, which can be much: checkpoints are rare here. */
const readyWithinMs = 600_000;

/** One session on the server beside, which is started again before when it does not run any more. */
export async function withScratch<T>(
  { places, permit, user }: PermittedPlaces,
  database: string,
  what: string,
  body: (client: Client) => Promise<T>,
  details?: () => unknown,
): Promise<T> {
  await standing(places, permit);
  const place = placeOfScratch(places);
  return withSession(user === undefined ? place : { ...place, user }, database, what, body, details);
}

/**
 * Starts the server again, to where it stood: paused at its target, or promoted. One that runs is left alone, and one that was never
 * started is not started.
 *
 * @throws DatabaseUnreachable it was killed again, or does not come up
 */
export async function standing(places: Places, permit: Permit): Promise<void> {
  const start = await readStart(places);
  if (start === undefined || (await findServer(places)) !== undefined) return;
  const again = { ...start, logFrom: await sizeOf(places.serverLog) };
  await beating(
    () => ({ startingAgain: places.directory }),
    async () => {
      // What a killed fetch has left there may be half of a segment.
      await empty(places.spool);
      await noteStart(places, again);
      const pid = await startServer(places, permit, again);
      // Gone once it is promoted.
      if (!(await exists(join(places.data, 'recovery.signal')))) return waitUntilReady(places, pid);
      const reached = await waitForPause(places, again, pid);
      if (!('state' in reached)) throw await notStanding(places);
    },
  );
}

async function waitUntilReady(places: Places, pid: number): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while ((await statusOf(places)) !== 'ready') {
    if (!(await isAlive(pid)) || Date.now() > deadline) throw await notStanding(places);
    await pause(100);
  }
}

async function notStanding(places: Places): Promise<Error> {
  const tail = (await lastLines(places.serverLog, 3).catch(() => [])).join(' | ');
  return failure(
    'DatabaseUnreachable',
    `the server in ${places.data} was killed, and did not come up again. Last lines of its log: ${tail}. See ${places.serverLog}, and whether this host has memory enough.`,
  );
}
