/** What runs on the Temporal server, and what came of it last. */
import type { Engine } from '../engine/engine.ts';
import type { KnownSchedule } from '../engine/schedule.ts';
import { Problem } from '../problem.ts';
import type { Difference } from './difference.ts';

export interface Listed {
  id: string;
  service: string;
  name: string;
  /** As the plan says it; absent for what the plan does not have. */
  words?: string;
  /** What stands between the server and the plan. */
  differs: string[];
  /** Why, when it is paused. */
  paused?: string;
  next?: string;
  /** `outcome`: `running`, as the run's result says, or `unknown` when Temporal has forgotten it. */
  newest?: { run: string; scheduledAt: string; outcome: string };
  running: string[];
  counts: string[];
}

export function listed(engine: Engine, differences: readonly Difference[]): Promise<Listed[]> {
  return Promise.all(differences.map((one) => listedOne(engine, one)));
}

async function listedOne(
  engine: Engine,
  { id, service, name, change, says, wanted, known }: Difference,
): Promise<Listed> {
  const differs = {
    make: ['NOT ON THE SERVER: lifeboat schedules apply'],
    change: says.map((part) => `DIFFERS in ${part}: lifeboat schedules apply`),
    remove: ['REMAINS, though the plan no longer has it: lifeboat schedules apply'],
    leave: says,
    keep: [],
  }[change];
  const next = known?.paused ? undefined : known?.next[0]?.toISOString();
  return {
    id,
    service,
    name,
    ...(wanted === undefined ? {} : { words: wanted.words }),
    differs,
    ...(known?.paused ? { paused: known.note ?? '' } : {}),
    ...(next === undefined ? {} : { next }),
    ...(known?.newest === undefined ? {} : { newest: await newestOf(engine, known.newest) }),
    running: known?.running ?? [],
    counts: known === undefined ? [] : countsOf(known),
  };
}

async function newestOf(engine: Engine, { run, scheduledAt }: NonNullable<KnownSchedule['newest']>) {
  return { run, scheduledAt: scheduledAt.toISOString(), outcome: await outcomeOf(engine, run) };
}

async function outcomeOf(engine: Engine, run: string): Promise<string> {
  try {
    const watched = engine.watch(run);
    if ((await watched.state()).status === 'running') return 'running';
    const { summary, status, failure } = await watched.ending();
    return summary?.outcome ?? (status === 'cancelled' ? 'aborted' : (failure?.type ?? status));
  } catch (error) {
    // Temporal remembers a run for its retention, a schedule for ever.
    if (error instanceof Problem && error.exit === 'notFound') return 'unknown';
    throw error;
  }
}

function countsOf({ skipped, tooLate }: KnownSchedule): string[] {
  return [
    ...(skipped === 0 ? [] : [`left out ${times(skipped)}: the run before was still going on`]),
    ...(tooLate === 0 ? [] : [`left out ${times(tooLate)}: Temporal was away for longer than schedules.startWithin`]),
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
