/** Anchors: points at which the content of the critical tables is known, so that a restore can be compared exactly. */
import type { Found } from '../../activities/shapes.ts';
import { member } from '../../plan/hosts.ts';
import type { Anchor } from '../../recovery/archive.ts';
import type { Change } from '../runbook/change.ts';
import { failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';
import type { Roles } from './primary.ts';

/** How long replay on the standby may be paused, and how long writers may wait because of the SHARE lock. */
const pausedWithinMs = 120_000;
const lockWithinMs = 5_000;
/** Each makes writers wait as long as the lock is waited for. */
const lockAttempts = 3;

/**
 * Takes an anchor on the standby, where it locks nothing; without a usable standby on the primary, under a bounded lock.
 *
 * @param weight `wanted` where the run is worth something without it: tables that cannot be locked then cost the anchor alone
 */
export async function takeAnchor(run: Run, roles: Roles, weight: 'needed' | 'wanted'): Promise<void> {
  const { primary, standby } = roles;
  const where = standby === undefined ? `on ${primary}, under a SHARE lock` : `on standby ${standby}, without locks`;
  const change = anchorChange(run, roles);
  const passOver = { types: ['TablesBusy'], yields: undefined } as const;
  await run.change(`Take an anchor ${where}`, weight === 'needed' ? change : { ...change, passOver });
}

type Taken = Found & { anchor: Anchor };

function anchorChange(run: Run, roles: Roles): Change<unknown> {
  const { database, evidence, service } = run.plan;
  return {
    preview: async () => ({
      will: `fingerprint ${database.criticalTables.join(', ')} at one LSN and keep it with the evidence`,
      yields: undefined,
    }),
    apply: async () => {
      const { anchor, found } = await take(run, roles);
      await run.control.saveAnchor({ store: evidence, service, anchor, outageWithinMs: run.patienceMs() });
      run.measure('tables in the anchor', anchor.tables.length, 'count', anchor.source);
      return { found };
    },
    undo: { pointOfNoReturn: 'An anchor is only a note; it stays.' },
  };
}

async function take(run: Run, { primary, standby, found: members }: Roles): Promise<Taken> {
  const { database } = run.plan;
  const of = { database: database.frontDoor.database, tables: database.criticalTables };
  const underLock = async (why: string): Promise<Taken> => {
    const ask = { member: member(run.plan, primary), ...of, lockWithinMs };
    const taken = await run.host(primary, lockAttempts).anchorUnderLock(ask);
    return { ...taken, found: `${taken.found}, under a lock on ${primary}, because ${why}` };
  };
  if (standby === undefined) return underLock(`no standby answers (${members})`);
  try {
    const ask = { member: member(run.plan, standby), ...of, withinMs: pausedWithinMs };
    return await run.host(standby).anchorOnStandby(ask);
  } catch (error) {
    // A standby that lags or is gone must not cost us the anchor; the lock is bounded.
    const { type, message } = failureOf(error);
    if (type !== 'StandbyUnfit' && type !== 'HostSilent') throw error;
    return underLock(`of ${type}: ${message}`);
  }
}
