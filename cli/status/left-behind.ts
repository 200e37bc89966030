/** Runs that could not clean up, and whether somebody has swept since. */
import type { Plan } from '../../plan/schema.ts';
import { changesOfPrimary } from '../../workflows/messages.ts';
import type { Engine, ListedRun } from '../engine/engine.ts';
import { leftInTheMiddle } from './interrupted.ts';

export interface EndedEarly {
  run: string;
  runbook: string;
  status: 'terminated' | 'timed-out';
  endedAt: string;
  /** Of what changes the members: how it stood then, and what to do. */
  left?: string[];
}

/** What they left is only known on the hosts: the sweep looks there. */
export async function notSweptSince(
  engine: Engine,
  recent: readonly ListedRun[],
  service: string,
  plan: Plan | undefined,
): Promise<EndedEarly[]> {
  const ours = recent.filter((one) => one.service === service);
  const early = newestExecutions(ours).flatMap(endedEarly);
  if (early.length === 0) return [];
  const sweptAt = await lastCleanSweep(engine, ours);
  const open = early.filter(({ endedAt }) => sweptAt === undefined || sweptAt < endedAt);
  return Promise.all(
    open.map(async (one) =>
      changesMembers(one.runbook) ? { ...one, left: await leftInTheMiddle(engine, one.run, plan) } : one,
    ),
  );
}

function changesMembers(runbook: string): boolean {
  return [...changesOfPrimary, 'point-in-time-recovery'].includes(runbook);
}

/** A reset terminates the execution that it discards, and the run goes on. */
function newestExecutions(runs: readonly ListedRun[]): ListedRun[] {
  const newest = new Map<string, ListedRun>();
  for (const one of runs) {
    const known = newest.get(one.run);
    if (known === undefined || known.startedAt < one.startedAt || known.status === 'terminated')
      newest.set(one.run, one);
  }
  return [...newest.values()];
}

function endedEarly({ run, runbook, mode, status, endedAt }: ListedRun): EndedEarly[] {
  if ((status !== 'terminated' && status !== 'timed-out') || mode === 'dry-run' || endedAt === undefined) return [];
  return [{ run, runbook: runbook ?? 'run', status, endedAt: endedAt.toISOString() }];
}

/** When the newest sweep began after which nothing was left: one that removed all, or found nothing. */
export async function lastCleanSweep(engine: Engine, runs: readonly ListedRun[]): Promise<string | undefined> {
  for (const { run, startedAt } of runs.filter((one) => one.runbook === 'sweep' && one.status === 'completed')) {
    const { summary } = await engine.watch(run).ending();
    // A sweep does not open a door that is closed.
    if (summary !== undefined && !summary.flags.some((flag) => flag === 'dirty' || flag === 'door-closed'))
      return startedAt.toISOString();
  }
  return undefined;
}
