/** Anchors: points at which the content of the critical tables is known, so that a restore can be compared exactly. */

import { member } from '../../plan/hosts.ts';
import { failureOf } from '../runbook/failure.ts';
import type { Change, Run } from '../runbook/run.ts';

/** How long replay on the standby may be paused, and how long writers may wait for the SHARE lock. */
const pausedWithinMs = 120_000;
const lockWithinMs = 5_000;

/** Takes an anchor on the standby, where it locks nothing; without a usable standby on the primary, under a bounded lock. */
export async function takeAnchor(run: Run, primary: string, standby: string | undefined): Promise<void> {
  const where = standby === undefined ? `on ${primary}, under a SHARE lock` : `on standby ${standby}, without locks`;
  await run.change(`Take an anchor ${where}`, anchorChange(run, primary, standby));
}

function anchorChange(run: Run, primary: string, standby: string | undefined): Change<unknown> {
  const { database, evidence, service } = run.plan;
  const of = { database: database.frontDoor.database, tables: database.criticalTables };
  const underLock = () => run.host(primary).anchorUnderLock({ member: member(run.plan, primary), ...of, lockWithinMs });
  return {
    preview: async () => ({
      will: `fingerprint ${of.tables.join(', ')} at one LSN and keep it with the evidence`,
      yields: undefined,
    }),
    apply: async () => {
      const taken =
        standby === undefined
          ? await underLock()
          : await run
              .host(standby)
              .anchorOnStandby({ member: member(run.plan, standby), ...of, withinMs: pausedWithinMs })
              .catch((error) => {
                // A standby that lags or is gone must not cost us the anchor; the lock is bounded.
                if (!['StandbyUnfit', 'HostSilent'].includes(failureOf(error).type)) throw error;
                return underLock();
              });
      await run.control.saveAnchor({
        store: evidence,
        service,
        anchor: taken.anchor,
        outageWithinMs: run.patienceMs(),
      });
      run.measure('tables in the anchor', taken.anchor.tables.length, 'count', taken.anchor.source);
      return { found: taken.found };
    },
    undo: { pointOfNoReturn: 'An anchor is only a note; it stays.' },
  };
}
