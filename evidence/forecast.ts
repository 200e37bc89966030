/**
 * When a run will be over, told from what earlier runs of the same kind took, and by the budgets where there are none.
 *
 * What is compared is machine time: how long people take is no property of the machine, so their waiting is left out of what
 * earlier runs took, and the end moves on while somebody is being waited for.
 */
import type { Evidence, Forecast, Phase, PhaseRecord, Step } from './evidence.ts';
import { formatNumberOf } from './format.ts';
import { clockPhases, recovers } from './outcome.ts';
import { machineMs, overlapMs, type Span, waitingForPeople } from './spans.ts';

/** What an earlier run took, phase by phase and step by step; milliseconds of machine time. */
export interface EarlierRun {
  run: string;
  phases: Partial<Record<Step['group'], Took>>;
  /** By the id of the step: how long it took, and from its start to the end of its phase. */
  steps: Record<string, { own: Took; rest: Took }>;
  /** Of the backup that it restored or took. */
  bytes?: number;
}

/** How long something took, and how much of that moved bytes: that part grows with the data. */
interface Took {
  ms: number;
  movingMs: number;
}

/** What an earlier run is worth to know of for a forecast. */
export function earlierRun(evidence: Evidence): EarlierRun {
  const people = waitingForPeople(evidence);
  const moving = evidence.steps.flatMap((step) => (step.bytes === undefined ? [] : spanOf(step)));
  const took = ([from, to]: Span): Took => ({
    ms: machineMs(people, from, to),
    movingMs: overlapMs(moving, from, to),
  });
  const phases: EarlierRun['phases'] = {};
  const steps: EarlierRun['steps'] = {};
  for (const phase of evidence.phases)
    for (const span of spanOf(phase)) {
      phases[phase.name] = took(span);
      for (const step of evidence.steps)
        for (const own of step.group === phase.name ? spanOf(step) : [])
          steps[step.id] = { own: took(own), rest: took([own[0], Math.max(own[0], span[1])]) };
    }
  for (const span of closingOf(evidence)) phases.closing = took(span);
  const bytes = evidence.backup?.bytes;
  return { run: evidence.run, phases, steps, ...(bytes === undefined ? {} : { bytes }) };
}

/** What follows the last phase: undo, clean-up, the last look. */
function closingOf(evidence: Evidence): Span[] {
  const last = evidence.phases.flatMap(spanOf).map(([, to]) => to);
  const end = Date.parse(evidence.endedAt ?? '');
  return last.length === 0 || !Number.isFinite(end) ? [] : [[Math.max(...last), Math.max(end, ...last)]];
}

function spanOf({ startedAt, endedAt }: { startedAt?: string; endedAt?: string }): Span[] {
  const span: Span = [Date.parse(startedAt ?? ''), Date.parse(endedAt ?? '')];
  return span.every(Number.isFinite) && span[1] >= span[0] ? [span] : [];
}

/**
 * Expected end of a run that goes on; `undefined` of one that is over, and of a dry run.
 *
 * @param earlier runs of the same runbook in the same mode that ended well
 * @param now milliseconds since 1970, on the clock of the run
 */
export function forecast(evidence: Evidence, earlier: readonly EarlierRun[], now: number): Forecast | undefined {
  if (evidence.endedAt !== undefined || evidence.mode === 'dry-run') return undefined;
  const known = earlier.map((run) => scaled(run, evidence.backup?.bytes));
  const left = evidence.phases.map((phase) => leftOf(phase, evidence, known, now));
  const clock = clockPhases(evidence);
  const recoveredAt = now + sum(left.filter(({ phase }) => clock.includes(phase)).map(({ ms }) => ms));
  const closingMs = evidence.phases.every((phase) => phase.endedAt !== undefined)
    ? 0
    : (median(known.map((run) => run.phases.closing)) ?? 0);
  return {
    at: isoOf(now),
    endsAt: isoOf(now + sum(left.map(({ ms }) => ms)) + closingMs),
    ...(recovers(evidence) ? { recoveredAt: isoOf(recoveredAt), ...lateness(evidence, recoveredAt, now) } : {}),
    how: howOf(
      known.length,
      left.filter(({ by }) => by === 'budget').map(({ phase }) => phase),
      left.some(({ by }) => by === 'earlier'),
    ),
  };
}

/** What a step took in earlier runs, for as many bytes as are at hand now where that is known; `undefined` where none has done it. */
export function usualMs(stepId: string, earlier: readonly EarlierRun[], bytes: number | undefined): number | undefined {
  const known = median(earlier.map((run) => scaled(run, bytes).steps[stepId]?.own));
  return known === undefined ? undefined : Math.round(known);
}

/**
 * The same forecast, looked at later. Nothing has happened in the run since it was made: the end has moved on by as long as people were
 * waited for meanwhile, and is never past.
 */
export function forecastAt(evidence: Evidence, made: Forecast, now: number): Forecast {
  const madeAt = timeOf(made.at, now);
  const waitedMs = overlapMs(waitingForPeople(evidence, now), madeAt, now);
  const moved = (at: string) => Math.max(now, timeOf(at, now) + waitedMs);
  // A forecast of a worker from before there was `recoveredAt` keeps what it said.
  const { lateByMs, ...same } = made;
  const recoveredAt = made.recoveredAt === undefined ? undefined : moved(made.recoveredAt);
  return {
    ...same,
    at: isoOf(Math.max(madeAt, now)),
    endsAt: isoOf(moved(made.endsAt)),
    ...(recoveredAt === undefined
      ? lateByMs === undefined
        ? {}
        : { lateByMs }
      : { recoveredAt: isoOf(recoveredAt), ...lateness(evidence, recoveredAt, now) }),
  };
}

function lateness(evidence: Evidence, recoveredAt: number, now: number): Pick<Forecast, 'lateByMs'> {
  const lateByMs = recoveredAt - clockStart(evidence, now) - objectiveOf(evidence);
  return lateByMs > 0 ? { lateByMs: Math.round(lateByMs) } : {};
}

/**
 * The first moment until `until` at which the run will be late by `byMs`, if nothing that goes on now comes to its end before;
 * `undefined` when there is none. As long as nothing ends, the expected end never comes nearer, so that halving finds it.
 */
export function lateFrom(
  evidence: Evidence,
  earlier: readonly EarlierRun[],
  { now, until, byMs }: { now: number; until: number; byMs: number },
): number | undefined {
  const isLate = (at: number) => (forecast(evidence, earlier, at)?.lateByMs ?? 0) >= byMs;
  if (!isLate(until)) return undefined;
  let [inTime, late] = [now, until];
  while (late - inTime > 1_000) {
    const middle = Math.floor((inTime + late) / 2);
    if (isLate(middle)) late = middle;
    else inTime = middle;
  }
  return late;
}

/** How late it has to be to be worth a warning: at first at all, then only when it has become much worse. */
export function warnFromMs(objectiveMs: number, warnedOfMs: number | undefined): number {
  if (warnedOfMs === undefined) return Math.max(1_000, objectiveMs / 100);
  return Math.max(2 * warnedOfMs, warnedOfMs + objectiveMs / 10);
}

interface Left {
  phase: Phase;
  ms: number;
  by: 'nothing' | 'earlier' | 'budget';
}

/** What is still to be done of a phase. */
function leftOf(phase: PhaseRecord, evidence: Evidence, earlier: readonly Known[], now: number): Left {
  const { name } = phase;
  if (phase.endedAt !== undefined) return { phase: name, ms: 0, by: 'nothing' };
  const people = waitingForPeople(evidence, now);
  const sinceMs = (at: string | undefined) => machineMs(people, timeOf(at, now), now);
  const wholeMs = median(earlier.map((run) => run.phases[name]));
  if (wholeMs === undefined)
    return { phase: name, ms: Math.max(0, finite(phase.budgetMs) - startedMs(phase, sinceMs)), by: 'budget' };
  if (phase.startedAt === undefined) return { phase: name, ms: wholeMs, by: 'earlier' };
  const steps = evidence.steps.filter((step) => step.group === name);
  const going = steps.filter((step) => step.endedAt === undefined);
  const rests = (going.length > 0 ? going : steps.slice(-1)).flatMap((step) => {
    const rest = median(earlier.map((run) => run.steps[step.id]?.rest));
    const own = median(earlier.map((run) => run.steps[step.id]?.own)) ?? 0;
    if (rest === undefined) return [];
    const after = Math.max(0, rest - own);
    // A step that takes longer than it ever did may end at any moment: what comes after it is left all the same.
    return [
      step.endedAt === undefined ? Math.max(after, rest - sinceMs(step.startedAt)) : after - sinceMs(step.endedAt),
    ];
  });
  const ms = rests.length > 0 ? Math.max(0, ...rests) : Math.max(0, wholeMs - sinceMs(phase.startedAt));
  return { phase: name, ms, by: 'earlier' };
}

function startedMs({ startedAt }: PhaseRecord, sinceMs: (at: string | undefined) => number): number {
  return startedAt === undefined ? 0 : sinceMs(startedAt);
}

interface Known {
  phases: Partial<Record<Step['group'], number>>;
  steps: Record<string, { own: number; rest: number }>;
}

/** An earlier run as long as it would have been with as many bytes as are at hand now. */
function scaled(run: EarlierRun, bytes: number | undefined): Known {
  const ratio = bytes === undefined || run.bytes === undefined ? 1 : bytes / run.bytes;
  const factor = Number.isFinite(ratio) && ratio > 0 ? ratio : 1;
  const ms = (took: Took) => finite(took.ms) + Math.min(finite(took.ms), finite(took.movingMs)) * (factor - 1);
  return {
    phases: Object.fromEntries(Object.entries(run.phases).map(([name, took]) => [name, ms(took)])),
    steps: Object.fromEntries(
      Object.entries(run.steps).map(([id, { own, rest }]) => [id, { own: ms(own), rest: ms(rest) }]),
    ),
  };
}

function howOf(runs: number, byBudget: Phase[], byEarlier: boolean): string {
  const earlier = formatNumberOf(runs, 'earlier run');
  if (byBudget.length === 0) return runs === 0 ? 'the budgets of the phases' : earlier;
  if (!byEarlier) return 'the budgets of the phases';
  return `${earlier}, and the ${byBudget.length === 1 ? 'budget' : 'budgets'} of ${byBudget.join(', ')}`;
}

/** From when the time to recover is counted. */
function clockStart({ mode, startedAt, incidentAt }: Evidence, now: number): number {
  const started = timeOf(startedAt, now);
  return mode === 'drill' ? started : timeOf(incidentAt, started);
}

function objectiveOf({ objectives }: Evidence): number {
  return Number.isFinite(objectives.rtoMs) ? objectives.rtoMs : Number.POSITIVE_INFINITY;
}

function timeOf(at: string | undefined, otherwise: number): number {
  const time = Date.parse(at ?? '');
  return Number.isFinite(time) ? time : otherwise;
}

function median(numbers: readonly (number | undefined)[]): number | undefined {
  const sorted = numbers.filter((one) => one !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? upper;
  return (lower + upper) / 2;
}

/** What comes out of a store may be anything. */
function finite(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** The last moment that a date can hold: beyond it there is no text for it. */
const endOfTime = 8_640_000_000_000_000;

function isoOf(ms: number): string {
  return new Date(Math.min(endOfTime, Math.max(-endOfTime, ms))).toISOString();
}
