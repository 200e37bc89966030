/** Properties are tried with the run's seed, so that a failure can be repeated: ./scripts/test --seed N. */
import { configureGlobal } from 'fast-check';

const seed = Number(process.env.LIFEBOAT_TEST_SEED);
const thorough = process.env.LIFEBOAT_TEST_ALL === '1';

configureGlobal({ ...(Number.isInteger(seed) && { seed }), ...(thorough && { numRuns: 2_000 }) });
