/** Another master: planned, from one that answers, or because the old one is lost. */
import type { MasterSeen } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { askOf, type CacheSeen, type NamedCache } from './cache.ts';

/** No acknowledged write is lost. @returns the new master */
export async function changePlanned(run: Run, named: NamedCache, seen: CacheSeen): Promise<string> {
  const { name, component } = named;
  const master = masterOf(seen);
  const { master: now, pausedMs } = await run.change<Found & { master: string; pausedMs?: number }>(
    `Let a replica of ${name} take over`,
    {
      preview: async () => ({
        will: `pause writes on ${master.name} (CLIENT PAUSE), wait until every replica has all of them, let Sentinel choose another master, and make ${master.name} its replica before writes go on`,
        takesMs: 5_000,
        yields: { master: 'the replica that Sentinel chooses', found: 'not asked' },
      }),
      apply: () => run.control.cacheSwitchover({ ...askOf(run, named), master, withinMs: component.healthyWithin }),
      undo: { pointOfNoReturn: `The new master of ${name} takes writes: the way back is another planned change.` },
    },
  );
  if (pausedMs !== undefined)
    run.measure(
      `Writes to ${name} stood still`,
      pausedMs,
      'ms',
      'from before the pause until the old master was a replica',
    );
  return now;
}

function masterOf({ state, standing }: CacheSeen): MasterSeen {
  const { runId, replication } = state.members.find(({ name }) => name === standing.master) ?? {};
  if (runId === undefined || replication === undefined)
    throw failure(
      'CacheUnsettled',
      `${standing.master} does not say which history it writes: ${standing.words}. Look again.`,
    );
  return { name: standing.master, runId, replicationId: replication.id };
}

/** @returns the new master */
export async function changeUnplanned(run: Run, named: NamedCache, lost: string): Promise<string> {
  const { name, component } = named;
  const { master } = await run.change<Found & { master: string }>(`Let a replica of ${name} take over from ${lost}`, {
    preview: async () => ({
      will: `wait for Sentinel to choose another master than ${lost}, and ask it to if it does not; what only ${lost} had is lost`,
      takesMs: component.healthyWithin / 3,
      yields: { master: 'the replica that Sentinel chooses', found: 'not asked' },
    }),
    apply: () => run.control.cacheFailover({ ...askOf(run, named), lost, withinMs: component.healthyWithin }),
    undo: { pointOfNoReturn: `The new master of ${name} takes writes: ${lost} comes back as its replica.` },
  });
  return master;
}
