/** What must not happen while a replay is waited for: that it takes the live server's room, or that somebody has stopped it. */

import { noRoom } from '../disk.ts';
import { failure } from '../failure.ts';
import { isStopped, processesOf } from '../processes.ts';
import type { Room, Scratch } from '../shapes.ts';
import type { Places } from './scratch.ts';
import { stopServer } from './server.ts';

/** A server that somebody stopped is woken or ended within this time, or the replay gives up. */
const stoppedWithinMs = 10_000;
/** It reads the whole process table. */
const lookEveryMs = 5_000;

/** To be called again and again; throws what ends the replay. */
export function watchReplay(scratch: Scratch, room: Room | undefined, places: Places): () => Promise<void> {
  const refuseStopped = stoppedServer(places);
  return async () => {
    await giveWay(scratch, room, places);
    await refuseStopped();
  };
}

/** A full disk would stop the live server beside: this one is ended before. */
async function giveWay(scratch: Scratch, room: Room | undefined, places: Places): Promise<void> {
  const full = await noRoom(scratch, room);
  if (full === undefined) return;
  await stopServer(places, 'immediate', 30_000);
  throw full;
}

function stoppedServer(places: Places): () => Promise<void> {
  let looked = performance.now();
  let since: number | undefined;
  return async () => {
    if (performance.now() - looked < lookEveryMs) return;
    looked = performance.now();
    const pids = (await processesOf(places.directory)).map(({ pid }) => pid);
    const states = await Promise.all(pids.map(isStopped));
    const stopped = pids.find((_pid, index) => states[index]);
    since = stopped === undefined ? undefined : (since ?? performance.now());
    if (stopped !== undefined && since !== undefined && performance.now() - since > stoppedWithinMs)
      throw failure(
        'ReplayFailed',
        `process ${stopped} of the server in ${places.data} was stopped from outside (its state is T), so that the replay stands still. Find out who stopped it, then run it again.`,
      );
  };
}
