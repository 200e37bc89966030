import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endToEndFiles, passedOver } from '../../../scripts/tests/usual.ts';

const files = await endToEndFiles(join(import.meta.dirname, '../../e2e'));

test('a usual run passes over some of the end-to-end files, and never the main jobs', () => {
  for (const seed of [1, 2, 3, 583751410]) {
    const over = passedOver(files, seed);
    expect(over.length).toBeGreaterThan(files.length / 4);
    expect(over).not.toContain('drill/proven.test.ts');
    expect(over).not.toContain('switchover/there-and-back.test.ts');
    expect(over).not.toContain('faults/kill.test.ts');
  }
});

test('the same seed draws the same files, in whatever order they were listed', () => {
  fc.assert(
    fc.property(fc.nat(), fc.shuffledSubarray(files, { minLength: files.length }), (seed, shuffled) => {
      expect(new Set(passedOver(shuffled, seed))).toEqual(new Set(passedOver(files, seed)));
    }),
  );
});

test('in time every file is drawn', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed += 1) {
    const over = new Set(passedOver(files, seed));
    for (const file of files) if (!over.has(file)) seen.add(file);
  }
  expect([...files].filter((file) => !seen.has(file))).toEqual([]);
});
