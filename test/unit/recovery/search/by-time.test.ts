import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstAfter } from '../../../../recovery/search/by-time.ts';

/** Segments in which transactions ended at ascending times, and some in which none did. */
const segments = fc
  .array(fc.record({ step: fc.nat({ max: 3 }), empty: fc.boolean() }), { maxLength: 60 })
  .map((steps) => {
    let at = 0;
    return steps.map(({ step, empty }) => {
      at += step;
      return empty ? {} : { endedAt: at };
    });
  });

test('from the segment that is found on, every transaction ended after the moment; in the one before, not', async () => {
  await fc.assert(
    fc.asyncProperty(segments, fc.nat({ max: 120 }), async (all, at) => {
      const found = await firstAfter(all.length, at, async (index) => all[index] ?? {});
      const ends = all.flatMap(({ endedAt }, index) => (endedAt === undefined ? [] : [{ endedAt, index }]));
      expect(ends.filter(({ index, endedAt }) => index >= found && endedAt <= at)).toEqual([]);
      expect(ends.filter(({ index, endedAt }) => index < found && endedAt > at)).toEqual([]);
    }),
  );
});

test('a hundred thousand segments need few looks', async () => {
  let looks = 0;
  const found = await firstAfter(100_000, 77_777, async (index) => {
    looks += 1;
    return { endedAt: index };
  });
  expect(found).toBe(77_778);
  expect(looks).toBeLessThan(20);
});
