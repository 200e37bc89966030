/** Nothing is left behind: proven, not assumed. */
import type { Scratch, ServiceMoment } from '../../activities/shapes.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** After the run: no process, no directory on the host; no slot, no session in the database that was not there before. */
export function proveNothingIsLeft(run: Run, scratch: Scratch, before: () => ServiceMoment | undefined): void {
  run.afterwards('Nothing is left on the drill host', () => run.host(scratch.host).litter({ scratch }));
  run.afterwards('Nothing is left in the database', async () => {
    const was = before();
    if (was === undefined) return { found: 'the database was never reached' };
    const is = await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
    const slots = is.slots.filter((slot) => slot.startsWith('lifeboat') && !was.slots.includes(slot));
    const sessions = is.ownSessions.filter((name) => !was.ownSessions.includes(name));
    if (slots.length + sessions.length > 0)
      throw failure(
        'LitterFound',
        `replication slots or sessions appeared during the run: ${[...slots, ...sessions].join(', ')}; expected none`,
      );
    return { found: "no replication slot and no session of Lifeboat's" };
  });
}
