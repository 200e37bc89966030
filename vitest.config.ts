import { defineConfig } from 'vitest/config';

const seconds = 1_000;
const seed = Number(process.env.LIFEBOAT_TEST_SEED);

/** One project a layer. Nothing is ever tried again: a test that passes at the second attempt has found a defect. */
export default defineConfig({
  test: {
    retry: 0,
    // No file may need another to have run before it: each run takes them in an order of its own, drawn by its seed.
    sequence: { shuffle: { files: true, tests: false }, ...(Number.isInteger(seed) && { seed }) },
    teardownTimeout: 60 * seconds,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/unit/properties.ts'],
          // Properties run many cases: on a busy machine the usual 5 s say more of the machine than of the code.
          testTimeout: 60 * seconds,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'workflows',
          include: ['test/workflows/**/*.test.ts'],
          globalSetup: ['test/workflows/setup.ts'],
          pool: 'forks',
          // They wait more than they work.
          maxWorkers: 3,
          testTimeout: 180 * seconds,
          hookTimeout: 180 * seconds,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/setup.ts'],
          pool: 'forks',
          // Each fork runs an estate of its own, with two PostgreSQL servers; a third one works while two wait.
          maxWorkers: 3,
          testTimeout: 180 * seconds,
          hookTimeout: 180 * seconds,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'replay',
          include: ['test/replay/**/*.test.ts'],
          globalSetup: ['test/workflows/setup.ts'],
          pool: 'forks',
          testTimeout: 180 * seconds,
          hookTimeout: 180 * seconds,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
