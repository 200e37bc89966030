/** Acknowledged pulses against those that a recovery brought back. Pure arithmetic. */
import type { Interval, Lsn } from '../../recovery/archive.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { microseconds } from '../../recovery/moment.ts';
import { type Acknowledged, type Entry, isAcknowledged } from './log.ts';

export interface Question {
  restored: Interval[];
  upTo: Lsn;
  since: string;
  momentAt: string;
  momentLsn?: Lsn;
  /** The line of timelines that was recovered; without it every pulse counts as written on it. */
  timeline?: number;
  ancestors?: { timeline: number; forkLsn: Lsn }[];
}

export interface Tally {
  acknowledged: number;
  missing: number[];
  newest?: { number: number; at: string; lsn: Lsn };
  lost: number;
  /** Attempts before the moment that were not acknowledged. */
  failed: number;
  /** The newest attempt before the moment, acknowledged or not. */
  lastAttempt?: string;
  /** The newest acknowledged one before the moment, by the database's clock. */
  lastAcknowledged?: string;
  setBackMs?: number;
}

export async function tally(entries: AsyncIterable<Entry>, question: Question): Promise<Tally> {
  const since = microseconds(question.since);
  const moment = microseconds(question.momentAt);
  const isRestored = inIntervals(question.restored);
  const result: Tally = { acknowledged: 0, missing: [], lost: 0, failed: 0 };
  /** Rows older than this were deleted on purpose. It is known at the end of the log only. */
  let forgotten = Number.NEGATIVE_INFINITY;
  const clock = new SetBack();
  const expected: { at: number; number: number; back: boolean }[] = [];
  for await (const entry of entries) {
    if ('forgotten' in entry) {
      forgotten = Math.max(forgotten, microseconds(entry.forgotten));
      continue;
    }
    const at = microseconds(entry.at);
    const before = isBefore(entry, question, moment);
    if (before) result.lastAttempt = entry.at;
    if (!isAcknowledged(entry)) {
      if (at >= since && before) result.failed += 1;
      continue;
    }
    if (before) result.lastAcknowledged = entry.at;
    const back = isRestored(entry.number);
    if (back) result.newest = newer(result.newest, entry);
    if (back) clock.restart(at);
    else if (before) clock.follow(at);
    if (at < since) continue;
    if (mustBeBack(entry, question)) expected.push({ at, number: entry.number, back });
    else if (!back && before) result.lost += 1;
  }
  clock.follow(moment);
  if (clock.most > clockMayWaverMicros) result.setBackMs = Math.round(clock.most / 1_000);
  const kept = expected.filter((one) => one.at >= forgotten);
  result.acknowledged = kept.length;
  result.missing = kept.filter((one) => !one.back).map((one) => one.number);
  return result;
}

/** A clock that is kept right is slewed, hardly ever set; commits and answers overtake each other by less than this. Microseconds. */
const clockMayWaverMicros = 1_000_000;

/** How far a clock was set back at most, seen in the stamps of what followed one another. */
class SetBack {
  #latest = Number.NEGATIVE_INFINITY;
  most = 0;

  /** What lies before does not matter. */
  restart(at: number): void {
    this.#latest = at;
    this.most = 0;
  }

  follow(at: number): void {
    this.most = Math.max(this.most, this.#latest - at);
    this.#latest = Math.max(this.#latest, at);
  }
}

/** Told by its position where that is known: the clock may have been set in between. */
function isBefore(entry: Exclude<Entry, { forgotten: string }>, { momentLsn }: Question, moment: number): boolean {
  if (momentLsn !== undefined && isAcknowledged(entry) && entry.lsn !== undefined)
    return compareLsn(entry.lsn, momentLsn) <= 0;
  return microseconds(entry.at) <= moment;
}

/**
 * Its commit lies before the end of recovery, on the line that was recovered. Written on an older timeline after the fork,
 * it was lost when that fork was made: an earlier failover's loss, not this recovery's fault.
 */
function mustBeBack({ lsn, timeline }: Acknowledged, { upTo, timeline: recovered, ancestors = [] }: Question): boolean {
  if (lsn === undefined || compareLsn(lsn, upTo) > 0) return false;
  if (recovered === undefined || timeline === undefined || timeline === recovered) return true;
  const fork = ancestors.find((one) => one.timeline === timeline)?.forkLsn;
  return fork !== undefined && compareLsn(lsn, fork) <= 0;
}

function newer(newest: Tally['newest'], { number, at, lsn }: Acknowledged): Tally['newest'] {
  if (lsn === undefined) return newest;
  return newest === undefined || compareLsn(lsn, newest.lsn) > 0 ? { number, at, lsn } : newest;
}

/** Whether a number lies in one of the intervals, by halving. */
export function inIntervals(intervals: Interval[]): (number: number) => boolean {
  const apart = merged(intervals);
  return (number) => {
    let low = 0;
    let high = apart.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [first, last] = apart[middle] ?? [number, number];
      if (number < first) high = middle - 1;
      else if (number > last) low = middle + 1;
      else return true;
    }
    return false;
  };
}

/** Sorted and without overlaps: halving finds nothing in intervals that lie inside of each other. */
function merged(intervals: Interval[]): Interval[] {
  const apart: Interval[] = [];
  for (const [first, last] of [...intervals].sort(([a], [b]) => a - b)) {
    const before = apart.at(-1);
    if (before !== undefined && first <= before[1]) before[1] = Math.max(before[1], last);
    else apart.push([first, last]);
  }
  return apart;
}
