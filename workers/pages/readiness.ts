/** Whether a service could be recovered, as far as anybody has proven: its newest good drill, its age, and when the next is due. */
import type { Flag } from '../../evidence/evidence.ts';
import type { Tone } from '../../evidence/render/words.ts';
import { nextTimes } from '../../plan/schedule-times.ts';
import { maxIntervalMs, parseSchedule } from '../../plan/schedule-words.ts';
import type { ListedRun } from './ledger.ts';

export interface Readiness {
  service: string;
  tone: Tone;
  /** The newest drill that was proven. */
  proven?: { run: string; at: string; ageMs: number; flags: Flag[]; rtoMs?: number; rpoMs?: number; sketchy?: true };
  /** A newer drill that was not. */
  failedSince?: { run: string; at: string };
  /** Longer ago than the schedule allows. */
  overdue: boolean;
  next?: string;
}

/** A drill that starts on time still takes a while to be proven. */
const graceMs = 24 * 60 * 60 * 1000;

/**
 * @param runs those of the service, in any order
 * @param schedule the plan's words for its monthly drill, where the plan is known
 */
export function readinessOf(
  service: string,
  runs: readonly ListedRun[],
  schedule: string | undefined,
  now: Date,
): Readiness {
  const drills = runs
    .filter((run) => run.mode === 'drill' && run.endedAt !== undefined)
    .sort((a, b) => timeOf(b) - timeOf(a));
  const proven = drills.find((run) => run.outcome === 'proven');
  const newer = drills.find((run) => run.outcome === 'not-proven');
  const failedSince =
    newer !== undefined && (proven === undefined || timeOf(newer) > timeOf(proven)) ? newer : undefined;
  const parsed = schedule === undefined ? undefined : parseSchedule(schedule);
  const known = parsed !== undefined && 'schedule' in parsed ? parsed.schedule : undefined;
  const ageMs = proven === undefined ? undefined : Math.max(0, now.getTime() - timeOf(proven));
  const overdue = ageMs !== undefined && known !== undefined && ageMs > maxIntervalMs(known) + graceMs;
  const next = known === undefined ? undefined : nextTimes(known, now, 1)[0];
  return {
    service,
    tone: toneFor({ bad: failedSince !== undefined || proven === undefined, but: overdue || !plainlyGood(proven) }),
    ...(proven === undefined || ageMs === undefined ? {} : { proven: { ...provenBy(proven), ageMs } }),
    ...(failedSince === undefined ? {} : { failedSince: { run: failedSince.run, at: endOf(failedSince) } }),
    overdue,
    ...(next === undefined ? {} : { next: next.toISOString() }),
  };
}

function toneFor({ bad, but }: { bad: boolean; but: boolean }): Tone {
  if (bad) return 'bad';
  return but ? 'warn' : 'good';
}

/** Without its evidence nobody knows what is to be said beside a good outcome. */
function plainlyGood(run: ListedRun | undefined): boolean {
  return run !== undefined && run.flags.length === 0 && run.sketchy === undefined;
}

function provenBy(proven: ListedRun) {
  const { run, flags, rtoMs, rpoMs, sketchy } = proven;
  return {
    run,
    at: endOf(proven),
    flags,
    ...(rtoMs === undefined ? {} : { rtoMs }),
    ...(rpoMs === undefined ? {} : { rpoMs }),
    ...(sketchy === undefined ? {} : { sketchy }),
  };
}

function endOf(run: ListedRun): string {
  return run.endedAt ?? run.startedAt;
}

function timeOf(run: ListedRun): number {
  return Date.parse(endOf(run));
}
