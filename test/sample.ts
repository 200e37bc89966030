/** Cases that take long: every run tries some of them, drawn by its seed; `./scripts/test --all` tries all. */
import { draw } from '../scripts/tests/draw.ts';

export const all = process.env.LIFEBOAT_TEST_ALL === '1';
/** Of this run: the same cases are drawn with it again. */
export const seed = Number(process.env.LIFEBOAT_TEST_SEED ?? 1);

/**
 * `count` of the cases, in their own order; all of them with `--all`.
 * @param salt tells apart the draws of one run, so that not every file draws its first cases
 */
export function sampled<T>(cases: readonly T[], count: number, salt = ''): T[] {
  return all ? [...cases] : draw(cases, count, seed, salt);
}
