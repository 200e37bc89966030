/** What is said of many samples. */
import { median, quantile } from 'simple-statistics';

export { median };

/** The value that 99 of 100 samples stay below. */
export function p99(samples: readonly number[]): number {
  return quantile([...samples], 0.99);
}

/**
 * How two contestants compare: the median of the rounds' own ratios. What disturbs a machine for minutes disturbs both sides of a
 * round; it would not cancel out between the medians of each.
 */
export function medianRatio(of: readonly number[], against: readonly number[]): number {
  if (of.length !== against.length || of.length === 0)
    throw new Error(
      `a ratio needs as many samples on both sides, and at least one: ${of.length} and ${against.length}`,
    );
  return median(of.map((sample, round) => sample / (against[round] ?? Number.NaN)));
}
