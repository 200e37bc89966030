/** Nothing of a server beside may stay: no process, no file. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { type FoundProcess, processesNaming } from '../processes.ts';
import type { Found, Scratch } from '../shapes.ts';
import { exists, permittedPlaces } from './scratch.ts';
import { stopServer } from './server.ts';
import { openTablespaces } from './tablespaces.ts';

/**
 * Ends what runs in the directory and deletes it. Safe to repeat; nothing there is fine.
 *
 * @throws LitterFound something cannot be ended or deleted
 */
export async function removeScratch(ask: { scratch: Scratch }): Promise<Found> {
  const { places } = await permittedPlaces(ask.scratch);
  const { directory } = places;
  await stopServer(places, 'immediate', 30_000);
  await beating(
    () => ({ deleting: directory }),
    async () => {
      await openTablespaces(places);
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  ).catch((error: Error) => {
    throw failure('LitterFound', `${directory} cannot be deleted: ${error.message}. Delete it by hand.`, error);
  });
  return { ...(await litter(ask)), found: `${directory} is gone, and all that ran in it` };
}

/**
 * Looks for what carries the directory's name: itself, and processes by their command line, working directory or environment.
 *
 * @throws LitterFound
 */
export async function litter(ask: { scratch: Scratch }): Promise<Found> {
  const { places } = await permittedPlaces(ask.scratch);
  const { directory } = places;
  const left = [
    ...((await exists(directory)) ? [`directory ${directory}`] : []),
    ...(await processesNaming(directory)).map(say),
  ];
  if (left.length > 0)
    throw failure(
      'LitterFound',
      `left behind on ${ask.scratch.host}: ${left.join('; ')}. Expected nothing; end and delete them by hand.`,
    );
  return {
    found: `no process and no directory of ${directory.slice(dirname(directory).length + 1)} is left`,
    expected: 'nothing is left behind',
  };
}

function say({ pid, command }: FoundProcess): string {
  return `process ${pid} (${command})`;
}
