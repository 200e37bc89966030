/** Clocks of different machines, held against each other. Pure arithmetic; milliseconds. */

/** What a clock showed, at some moment between two that the engine's clock knows: that one is only the stopwatch. */
export interface Reading {
  /** `the database`, `host db2`: what follows "the clock of". */
  clock: string;
  at: string;
  askedAt: number;
  answeredAt: number;
}

/** Clocks that are kept right differ by less than this, by far; so that no measurement suffers, nothing is said below it. */
export const clocksMayDifferMs = 60_000;

/**
 * By how much `one` is ahead of `other` at least; negative when it is behind. 0 as long as both may show the same: an answer that took
 * its time says little, but it is never taken for a difference.
 */
export function aheadForCertain(one: Reading, other: Reading): number {
  const own = offset(one);
  const others = offset(other);
  const least = own.least - others.most;
  const most = own.most - others.least;
  return Math.max(least, 0) + Math.min(most, 0);
}

/** Against the stopwatch: it was read after the question and before the answer. */
function offset({ at, askedAt, answeredAt }: Reading): { least: number; most: number } {
  const shown = Date.parse(at);
  return { least: shown - answeredAt, most: shown - askedAt };
}
