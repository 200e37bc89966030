import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import type { EndOfRecovery, Scratch } from '../shapes.ts';
import { readStart } from './paused.ts';
import { askRecovery, describeEnd } from './recovery-state.ts';
import { permittedPlaces } from './scratch.ts';
import { standing } from './standing.ts';

/**
 * Where recovery ended, as the server and its log say. One that was killed is brought back to there first.
 *
 * @throws ReplayFailed it does not stand paused at a target @throws DatabaseUnreachable
 */
export async function endOfRecovery(ask: { scratch: Scratch }): Promise<EndOfRecovery> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  const start = await readStart(places);
  if (start === undefined)
    throw failure('ReplayFailed', `no server was started in ${places.data}: there is no end of recovery to tell.`);
  await standing(places, permit);
  return beating(
    () => ({ asking: places.directory }),
    async () => {
      const state = await askRecovery(places);
      if (state === undefined)
        throw failure('DatabaseUnreachable', `the server in ${places.data} does not answer. See ${places.serverLog}.`);
      if (state.promoted || state.pause !== 'paused')
        throw failure(
          'ReplayFailed',
          `the server in ${places.data} ${state.promoted ? 'is not in recovery' : `says "${state.pause}"`}, expected it to be paused at its target. See ${places.serverLog}.`,
        );
      const { logFrom } = (await readStart(places)) ?? start;
      return describeEnd(places, state, ask.scratch.host, logFrom);
    },
  );
}
