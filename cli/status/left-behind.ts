/** Runs that could not clean up, and whether somebody has swept since. */
import type { Engine, ListedRun } from '../engine/engine.ts';

export interface EndedEarly {
  run: string;
  runbook: string;
  status: 'terminated' | 'timed-out';
  endedAt: string;
}

/** What they left is only known on the hosts: the sweep looks there. */
export async function notSweptSince(
  engine: Engine,
  recent: readonly ListedRun[],
  service: string,
): Promise<EndedEarly[]> {
  const ours = recent.filter((one) => one.service === service);
  const early = newestExecutions(ours).flatMap(endedEarly);
  if (early.length === 0) return [];
  const sweptAt = await lastCleanSweep(engine, ours);
  return early.filter(({ endedAt }) => sweptAt === undefined || sweptAt < endedAt);
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
async function lastCleanSweep(engine: Engine, runs: readonly ListedRun[]): Promise<string | undefined> {
  for (const { run, startedAt } of runs.filter((one) => one.runbook === 'sweep' && one.status === 'completed')) {
    const { summary } = await engine.watch(run).ending();
    if (summary !== undefined && !summary.flags.includes('dirty')) return startedAt.toISOString();
  }
  return undefined;
}
