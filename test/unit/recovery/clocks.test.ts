import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aheadForCertain } from '../../../recovery/clocks.ts';

const base = Date.parse('2026-11-21T14:00:00Z');

/** A clock that is `ahead`, read at `at` between the question and the answer. */
function reading(clock: string, ahead: number, at: number, before: number, after: number) {
  return {
    clock,
    at: new Date(base + at + ahead).toISOString(),
    askedAt: base + at - before,
    answeredAt: base + at + after,
  };
}

const ms = fc.integer({ min: 0, max: 600_000 });
const skew = fc.integer({ min: -7_200_000, max: 7_200_000 });

test('a difference is never made out that is not there, however long the answers took', () => {
  fc.assert(
    fc.property(ms, ms, ms, ms, ms, ms, (first, second, b1, a1, b2, a2) => {
      expect(aheadForCertain(reading('a', 0, first, b1, a1), reading('b', 0, second, b2, a2))).toBe(0);
    }),
  );
});

test('what is said of a difference is true: no more than there is, on the right side, short of it by the answers only', () => {
  fc.assert(
    fc.property(skew, skew, ms, ms, ms, ms, ms, ms, (one, other, first, second, b1, a1, b2, a2) => {
      const said = aheadForCertain(reading('a', one, first, b1, a1), reading('b', other, second, b2, a2));
      const real = one - other;
      expect(Math.abs(said)).toBeLessThanOrEqual(Math.abs(real));
      if (said !== 0) expect(Math.sign(said)).toBe(Math.sign(real));
      expect(Math.abs(real - said)).toBeLessThanOrEqual(Math.max(b1 + a2, a1 + b2));
    }),
  );
});
