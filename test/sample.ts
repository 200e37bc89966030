/** Cases that take long: every run tries some of them, drawn by its seed; `./scripts/test --all` tries all. */

export const all = process.env.LIFEBOAT_TEST_ALL === '1';
/** Of this run: the same cases are drawn with it again. */
export const seed = Number(process.env.LIFEBOAT_TEST_SEED ?? 1);

/**
 * `count` of the cases, in their own order; all of them with `--all`.
 * @param salt tells apart the draws of one run, so that not every file draws its first cases
 */
export function sampled<T>(cases: readonly T[], count: number, salt = ''): T[] {
  if (all || count >= cases.length) return [...cases];
  const ranked = cases.map((_case, index) => ({ index, rank: mixed(`${seed}/${salt}/${index}`) }));
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked
    .slice(0, count)
    .map(({ index }) => index)
    .sort((a, b) => a - b)
    .flatMap((index) => cases.slice(index, index + 1));
}

/** FNV-1a with a last mix (MurmurHash3's): evenly spread, the same on every machine. */
function mixed(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
