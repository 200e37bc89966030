import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampled } from '../sample.ts';

const thorough = process.env.LIFEBOAT_TEST_ALL === '1';

test('a sample has the size that was asked for, keeps the order, and draws nothing twice', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.string(), (size, count, salt) => {
      const cases = Array.from({ length: size }, (_one, index) => index);
      const drawn = sampled(cases, count, salt);
      expect(drawn).toHaveLength(thorough ? size : Math.min(size, count));
      expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
    }),
  );
});

test.skipIf(thorough)('other salts draw other cases, so that in time all are drawn', () => {
  const cases = Array.from({ length: 20 }, (_one, index) => index);
  const seen = new Set(Array.from({ length: 60 }, (_one, salt) => sampled(cases, 3, `${salt}`)).flat());
  expect(seen.size).toBe(20);
});
