import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pausesWithin } from '../../../workflows/runbook/pauses.ts';

const day = 86_400_000;

test('a wait is as long as it may be, looks soon at first, and makes a short history', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: day }), (withinMs) => {
      const pauses = pausesWithin(withinMs);
      expect(pauses.reduce((sum, one) => sum + one, 0)).toBeCloseTo(withinMs, 3);
      expect(pauses.length).toBeLessThanOrEqual(70);
      expect(pauses[0]).toBeLessThanOrEqual(5_000);
      expect(Math.min(...pauses)).toBeGreaterThan(0);
    }),
  );
});

test('who may not wait looks once', () => {
  expect(pausesWithin(0)).toEqual([]);
});
