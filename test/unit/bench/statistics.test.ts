import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compete } from '../../../bench/rounds.ts';
import { median, medianRatio, p99 } from '../../../bench/statistics.ts';

describe('the statistics of the bench', () => {
  test('99 of 100 samples stay below the 99th percentile, and the slowest does not', () => {
    const samples = Array.from({ length: 1_000 }, (_none, place) => place + 1);
    const slow = p99(samples.toReversed());
    expect(samples.filter((one) => one <= slow)).toHaveLength(990);
  });

  test('a median lies between the samples, whatever their order', () => {
    const sample = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
        const middle = median([...samples]);
        expect(samples.filter((one) => one <= middle).length).toBeGreaterThanOrEqual(samples.length / 2);
        expect(samples.filter((one) => one >= middle).length).toBeGreaterThanOrEqual(samples.length / 2);
        expect(median(samples.toReversed())).toBe(middle);
      }),
    );
  });

  test('what slows down both sides of a round does not change their ratio', () => {
    const quiet = medianRatio([10, 11, 10], [20, 22, 20]);
    const disturbed = medianRatio([10, 11 * 5, 10], [20, 22 * 5, 20]);
    expect(disturbed).toBe(quiet);
    expect(quiet).toBe(0.5);
  });

  test('a ratio of nothing, or of uneven sides, is refused', () => {
    expect(() => medianRatio([], [])).toThrow('at least one');
    expect(() => medianRatio([1, 2], [1])).toThrow('2 and 1');
  });

  test('every contestant has its turn in every round, and each round begins with another one', async () => {
    const seen: string[] = [];
    const given = await compete(['a', 'b', 'c'], 3, async (name, round) => {
      seen.push(`${round}${name}`);
      return round;
    });
    expect(seen).toEqual(['0a', '0b', '0c', '1b', '1c', '1a', '2c', '2a', '2b']);
    expect(given).toEqual({ a: [0, 1, 2], b: [0, 1, 2], c: [0, 1, 2] });
  });
});
