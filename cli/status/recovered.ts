/** The newest recovery of a service, and the old data directories that it has set aside and nobody has accepted away. */
import type { SetAside } from '../../evidence/evidence.ts';
import { keptUsuallyMs } from '../../evidence/set-aside.ts';
import type { Plan } from '../../plan/schema.ts';
import type { Engine, ListedRun } from '../engine/engine.ts';
import type { NewestRun } from './collect.ts';
import { evidenceOf } from './interrupted.ts';

export const recoveries = ['point-in-time-recovery', 'full-restore', 'full-recovery'] as const;

export interface NewestRecovery extends NewestRun {
  /** Not those that people have accepted away since. */
  kept: Pick<SetAside, 'host' | 'directory'>[];
  /** From then on a sweep takes them; ISO 8601, UTC. */
  keptUntil: string;
}

/** @param runs of the service, the newest first */
export async function withWhatIsKept(
  engine: Engine,
  runs: readonly ListedRun[],
  recovery: NewestRun,
  plan: Plan | undefined,
): Promise<NewestRecovery> {
  const acceptances = runs.filter(({ runbook, mode }) => runbook === 'accept' && mode === 'live');
  const evidences = await Promise.all([...acceptances, recovery].map(({ run }) => evidenceOf(engine, run)));
  // An acceptance goes on with what it has found, and takes off what it removes; one that was refused has found nothing.
  const newest = evidences.find(
    (one) => one?.run === recovery.run || (one?.input.recovery === recovery.run && one.setAside !== undefined),
  );
  const keptMs = plan?.recovery?.keepOldFor ?? keptUsuallyMs;
  return {
    ...recovery,
    kept: (newest?.setAside ?? []).map(({ host, directory }) => ({ host, directory })),
    keptUntil: new Date(Date.parse(recovery.endedAt) + keptMs).toISOString(),
  };
}
