/** Drawing some of many by a seed: the same seed draws the same again. */

/**
 * `count` of the cases, in their own order.
 *
 * @param salt tells apart the draws of one run, so that not every draw takes the first cases
 */
export function draw<T>(cases: readonly T[], count: number, seed: number, salt = ''): T[] {
  if (count >= cases.length) return [...cases];
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
