/** Whether what a plan schedules has happened: by the runs that Temporal knows, and where these do not show it, by the store's. */
import type { StoredRun } from '../../activities/evidence/stored-run.ts';
import type { ListedSchedule } from '../../activities/schedules.ts';
import { componentOf, type Entry, scheduleEntries } from '../../plan/schedule-entries.ts';
import { scheduleId } from '../../plan/schedule-ids.ts';
import { type Kept, kept, type SeenRun } from '../../plan/schedule-kept.ts';
import type { Plan } from '../../plan/schema.ts';
import type { ListedRun } from '../engine/engine.ts';
import { storedRunsOf } from '../plans.ts';

interface Asked {
  plan: Plan;
  /** Runs that Temporal knows, of every service. */
  runs: readonly ListedRun[];
  /** On the server; `undefined` when it could not be asked. */
  schedules: readonly ListedSchedule[] | undefined;
  now: Date;
}

export async function keptOf(asked: Asked): Promise<{ kept: Kept[]; notes: string[] }> {
  const notes = new Set<string>();
  const all: Kept[] = [];
  const known = asked.runs.filter((run) => run.service === asked.plan.service).map(seenRun);
  for (const entry of scheduleEntries(asked.plan)) {
    const first = judged(asked, entry, known);
    if (first.state !== 'missed') {
      all.push(first);
      continue;
    }
    const stored = await storedSince(asked.plan, entry, new Date(first.due));
    for (const note of stored.notes) notes.add(note);
    all.push(judged(asked, entry, [...known, ...stored.runs]));
  }
  return { kept: all, notes: [...notes] };
}

function judged({ plan, schedules, now }: Asked, entry: Entry, runs: readonly SeenRun[]): Kept {
  const id = scheduleId(plan.service, entry.name);
  return kept({
    service: plan.service,
    entry,
    runs,
    onServer: schedules === undefined ? undefined : (schedules.find((one) => one.id === id) ?? 'missing'),
    startWithinMs: plan.schedules.startWithin,
    now,
  });
}

async function storedSince(plan: Plan, { name }: Entry, since: Date): Promise<{ runs: StoredRun[]; notes: string[] }> {
  const backups = { runbook: 'backup', mode: 'live' };
  const drills = { runbook: 'monthly-drill', mode: 'drill' };
  const kinds =
    name === 'monthly-drill'
      ? [drills]
      : componentOf(name) !== undefined
        ? [{ runbook: 'file-backup', mode: 'live' }]
        : name === 'anchor'
          ? [{ runbook: 'anchor', mode: 'live' }, backups]
          : [backups];
  const found = await Promise.all(kinds.map((kind) => storedRunsOf(plan, kind, since)));
  return {
    runs: found.flatMap(({ runs }) => runs),
    notes: found.flatMap(({ note }) => note ?? []),
  };
}

/** A run that was terminated has not said what became of it. */
function seenRun(listed: ListedRun): SeenRun {
  const { run, runbook, mode, type, status, outcome, startedAt, endedAt } = listed;
  const ended = outcome === 'running' || outcome === undefined ? status : outcome;
  return {
    run,
    ...(runbook === undefined ? {} : { runbook }),
    ...(mode === undefined ? {} : { mode }),
    ...(type === undefined ? {} : { type }),
    outcome: status === 'running' ? 'running' : ended,
    startedAt: startedAt.toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
  };
}
