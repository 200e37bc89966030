import { join } from 'node:path';
import { runTool } from '../child.ts';
import type { StoppedAt } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { controlData } from '../postgres/control-data.ts';
import { type Places, permittedPlaces } from '../postgres/scratch.ts';
import { findServer, stopServer } from '../postgres/server.ts';
import { standing } from '../postgres/standing.ts';
import type { Found, Scratch } from '../shapes.ts';

/** Much may have been written since the last checkpoint: they are rare there. Milliseconds. */
const stopsWithinMs = 600_000;

const inOrder = ['shut down', 'shut down in recovery'];

/**
 * Stops the server beside in order, and brings all of it to the disk. One that was killed is started again before: what is not shut down in
 * order would begin its life as production with a crash recovery.
 *
 * Safe to repeat. @throws ServerControlFailed
 */
export async function stopBeside({
  scratch,
}: {
  scratch: Scratch;
}): Promise<Found & StoppedAt & { inRecovery: boolean }> {
  const { places, permit } = await permittedPlaces(scratch);
  let rest = await stopped(places, permit);
  if (!inOrder.includes(rest.state)) {
    await standing(places, permit);
    rest = await stopped(places, permit);
  }
  if (!inOrder.includes(rest.state))
    throw failure(
      'ServerControlFailed',
      `the server beside in ${places.directory} on ${scratch.host} was not shut down in order: its control file says "${rest.state}", expected "shut down". See ${places.serverLog}.`,
    );
  const tookMs = await syncDirectory(permit, places.data);
  return {
    lsn: rest.checkpoint,
    timeline: rest.timeline,
    systemIdentifier: rest.systemIdentifier,
    inRecovery: rest.state === 'shut down in recovery',
    found: `the server beside on ${scratch.host} is stopped; its control file says "${rest.state}", on timeline ${rest.timeline}; synced in ${tookMs} ms`,
    expected: 'a server that was shut down in order, and is on the disk',
  };
}

async function stopped(places: Places, permit: Permit) {
  const { clean } = await stopServer(places, 'fast', stopsWithinMs);
  if (!clean || (await findServer(places)) !== undefined)
    throw failure(
      'ServerControlFailed',
      `the server beside in ${places.directory} was told to stop and still runs after ${stopsWithinMs / 60_000} min. See ${places.serverLog}.`,
    );
  return controlData(permit, places.data);
}

/** A large database on a slow disk. Milliseconds. */
const syncsWithinMs = 3_600_000;

/**
 * All files and directories of a data directory, whatever fsync was set to while its server ran. Not the directory that it lies in.
 *
 * @returns milliseconds
 */
export async function syncDirectory(permit: Permit, data: string): Promise<number> {
  const began = performance.now();
  const { code, stdout, stderr } = await beating(
    () => ({ syncing: data }),
    () => runTool(join(permit.postgresql, 'initdb'), ['--sync-only', '-D', data], { withinMs: syncsWithinMs }),
  );
  if (code !== 0)
    throw failure(
      'ServerControlFailed',
      `${data} cannot be brought to the disk (initdb --sync-only, exit ${code}): ${`${stderr} ${stdout}`.trim().slice(-300)}. Look at the disk (dmesg) before anything of it goes live.`,
    );
  return Math.round(performance.now() - began);
}
