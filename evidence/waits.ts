/** Outages that a step waits for: said while they last, and kept as a part of what the step took. */
import type { Step, Wait } from './evidence.ts';
import { formatClock, formatDuration } from './format.ts';

/** Name of the signal by which an activity tells its run that it waits. */
export const outageSignalName = 'outage';

/** Spans and not times: the clocks of a host and of a run need not agree. */
export interface OutageNote {
  /** Id of the activity that waits. */
  activity: string;
  /** `the backup repository` */
  what: string;
  /** The outage is over, for the activity. */
  over?: boolean;
  why: string;
  /** Since when it waits, and how long it will go on waiting, milliseconds. */
  sinceMs: number;
  leftMs: number;
}

/** Writes down what an activity of the step says of its waiting. @param now milliseconds since 1970 */
export function noteOutage(step: Step, note: OutageNote, now: number): void {
  const open = openWait(step);
  if (note.over) {
    if (open !== undefined) open.until = isoOf(now);
    return;
  }
  const givesUpAt = isoOf(now + note.leftMs);
  // Another attempt of the same activity goes on waiting for what the one before has waited for.
  if (open !== undefined) Object.assign(open, { givesUpAt, why: note.why });
  else {
    const wait = { what: note.what, why: note.why, since: isoOf(now - note.sinceMs), givesUpAt };
    step.waits = [...(step.waits ?? []), wait];
  }
}

/** A step that has ended waits no longer. */
export function endWaits(step: Step): void {
  const open = openWait(step);
  if (open !== undefined && step.endedAt !== undefined) open.until = step.endedAt;
}

export function openWait(step: Step): Wait | undefined {
  return step.waits?.find((one) => one.until === undefined);
}

/** Milliseconds of all its outages that are over. */
export function waitedMs({ waits = [] }: Pick<Step, 'waits'>): number {
  return waits.reduce(
    (sum, { since, until }) => sum + (until === undefined ? 0 : Date.parse(until) - Date.parse(since)),
    0,
  );
}

/** `waits for the backup repository since 14:02:11Z, gives up at 14:40:00Z: ...`, or what it has waited, or nothing. */
export function waitSentence(step: Step): string | undefined {
  const open = openWait(step);
  if (open !== undefined)
    return `waits for ${open.what} since ${formatClock(open.since)}Z, gives up at ${formatClock(open.givesUpAt)}Z: ${open.why}`;
  const [first] = step.waits ?? [];
  return first === undefined ? undefined : `waited ${formatDuration(waitedMs(step))} for ${first.what}`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
