import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDate,
  formatDuration,
  formatMoment,
  formatNumberOf,
} from '../../../evidence/format.ts';

const units: Record<string, number> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds that a formatted duration says. */
function read(text: string): number {
  const words = text.replace('< 0.1 s', '0.05 s').split(' ');
  let total = 0;
  for (let i = 0; i < words.length; i += 2) total += Number(words[i]) * (units[words[i + 1] ?? ''] ?? Number.NaN);
  return total;
}

describe('a duration', () => {
  test.each([
    [0, '0 s'],
    [20, '< 0.1 s'],
    [400, '0.4 s'],
    [1900, '1.9 s'],
    [9_960, '10 s'],
    [19_000, '19 s'],
    [59_700, '1 min'],
    [252_000, '4 min 12 s'],
    [3_599_800, '1 h'],
    [3_900_000, '1 h 5 min'],
    [4 * 3_600_000, '4 h'],
    [47.999 * 3_600_000, '2 d'],
    [76 * 3_600_000, '3 d 4 h'],
    [-19_000, '-19 s'],
    [Number.NaN, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('of %d ms reads "%s"', (ms, words) => {
    expect(formatDuration(ms)).toBe(words);
  });

  test('is never off by more than its own rounding', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * 86_400_000 }), (ms) => {
        const off = Math.abs(read(formatDuration(ms)) - ms);
        expect(off).toBeLessThanOrEqual(Math.max(50, ms * 0.051));
      }),
    );
  });

  test('never reads shorter than that of a shorter time', () => {
    fc.assert(
      fc.property(fc.nat(86_400_000 * 9), fc.nat(10_000_000), (ms, more) => {
        expect(read(formatDuration(ms + more))).toBeGreaterThanOrEqual(read(formatDuration(ms)));
      }),
    );
  });

  test('never says 60 seconds, 60 minutes or 24 hours beside a larger unit', () => {
    fc.assert(
      fc.property(fc.nat(86_400_000 * 9), (ms) => {
        expect(formatDuration(ms)).not.toMatch(/\b60 (s|min)|d 24 h/);
      }),
    );
  });
});

test('counts have their thousands set apart', () => {
  expect([0, 999, 1000, 212_004, 1_234_567, -1000, 1234.5].map(formatCount)).toEqual([
    '0',
    '999',
    '1,000',
    '212,004',
    '1,234,567',
    '-1,000',
    '1,234.5',
  ]);
});

test('a number of things is one thing or several', () => {
  expect([formatNumberOf(1, 'segment'), formatNumberOf(44, 'segment')]).toEqual(['1 segment', '44 segments']);
});

test('bytes are powers of a thousand', () => {
  expect([0, 512, 1_103_622_144].map(formatBytes)).toEqual(['0 B', '512 B', '1.1 GB']);
});

test('moments are UTC whatever their offset, and what is no moment is not repeated', () => {
  const at = '2026-11-21T15:02:11.392117+01:00';
  expect([formatClock(at), formatDate(at), formatMoment(at)]).toEqual([
    '14:02:11',
    '21 Nov 2026',
    '21 Nov 2026, 14:02:11Z',
  ]);
  expect([formatClock, formatDate, formatMoment].map((format) => format('<b>soon</b>'))).toEqual(
    Array(3).fill('unknown'),
  );
});
