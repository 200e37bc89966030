/** Whether a service could be recovered, as far as anybody has proven: its newest good drill, its age, and when the next is due. */
import type { ListedSchedule } from '../../activities/schedules.ts';
import type { Flag } from '../../evidence/evidence.ts';
import type { Tone } from '../../evidence/render/words.ts';
import { scheduleEntries } from '../../plan/schedule-entries.ts';
import { scheduleId } from '../../plan/schedule-ids.ts';
import { type Kept, kept, troublesOf } from '../../plan/schedule-kept.ts';
import type { Plan } from '../../plan/schema.ts';
import type { ListedRun } from './ledger.ts';

export interface Readiness {
  service: string;
  tone: Tone;
  /** The newest drill that was proven. */
  proven?: { run: string; at: string; ageMs: number; flags: Flag[]; rtoMs?: number; rpoMs?: number; sketchy?: true };
  /** A newer drill that was not. */
  failedSince?: { run: string; at: string };
  /** What was due and did not come, with what to do. */
  troubles: string[];
  next?: string;
}

interface Known {
  service: string;
  /** Those of the service, in any order. */
  runs: readonly ListedRun[];
  /** Where it is known here. */
  plan: Plan | undefined;
  /** On the Temporal server; `undefined` when it did not answer. */
  schedules: readonly ListedSchedule[] | undefined;
  now: Date;
}

export function readinessOf(known: Known): Readiness {
  const { service, runs, now } = known;
  const drills = runs
    .filter((run) => run.mode === 'drill' && run.endedAt !== undefined)
    .sort((a, b) => timeOf(b) - timeOf(a));
  const proven = drills.find((run) => run.outcome === 'proven');
  const newer = drills.find((run) => run.outcome === 'not-proven');
  const failedSince =
    newer !== undefined && (proven === undefined || timeOf(newer) > timeOf(proven)) ? newer : undefined;
  const ageMs = proven === undefined ? undefined : Math.max(0, now.getTime() - timeOf(proven));
  const scheduled = scheduledBy(known);
  const troubles = troublesOf(service, scheduled).map(({ message }) => message);
  const next = scheduled.find(({ name }) => name === 'monthly-drill')?.next;
  return {
    service,
    tone: toneFor({
      bad: failedSince !== undefined || proven === undefined,
      but: troubles.length > 0 || !plainlyGood(proven),
    }),
    ...(proven === undefined || ageMs === undefined ? {} : { proven: { ...provenBy(proven), ageMs } }),
    ...(failedSince === undefined ? {} : { failedSince: { run: failedSince.run, at: endOf(failedSince) } }),
    troubles,
    ...(next === undefined ? {} : { next }),
  };
}

function scheduledBy({ service, runs, plan, schedules, now }: Known): Kept[] {
  if (plan === undefined) return [];
  return scheduleEntries(plan).map((entry) => {
    const id = scheduleId(service, entry.name);
    const onServer = schedules === undefined ? undefined : (schedules.find((one) => one.id === id) ?? 'missing');
    return kept({ service, entry, runs, onServer, startWithinMs: plan.schedules.startWithin, now });
  });
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
