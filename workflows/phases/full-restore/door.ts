/** The front door stays closed while the service comes back: nobody writes what is not proven yet. */
import { openByHand } from '../../../recovery/left-standing.ts';
import type { Change } from '../../runbook/change.ts';
import type { Restoring } from '../recovery/recovering.ts';
import type { RestoreRun } from './restore-run.ts';

export function keepTheDoorClosed(run: RestoreRun, { primary }: Restoring, keptOut: string[]): Change<{ at: string }> {
  const { traffic, database, service } = run.plan;
  return {
    preview: async () => ({
      will: `take every server of ${traffic.backend} out: nobody is let in before the database is back`,
      yields: { at: new Date(Date.now()).toISOString() },
    }),
    apply: () => {
      run.doorCloses({
        why: 'no server of the service runs: it is closed until the database is back.',
        byHand: `Bring the database back (lifeboat start full-restore ${service} --mode live); once ${primary.host} is the primary and has the data that are wanted, open it to that one: ${openByHand(traffic, primary.host)}`,
      });
      return run.control.closeDoor({ traffic, frontDoor: database.frontDoor });
    },
    // There is no server that it could lead to. The load balancer's check keeps all of them out, as before.
    undo: async () => {
      for (const server of keptOut) await run.control.releaseServer({ traffic, server });
    },
  };
}
