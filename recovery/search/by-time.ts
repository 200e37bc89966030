/** Which segments a stretch of time lies in: no name tells, so some of them are looked into, as few as possible. */

export interface Looked {
  /** When the first transaction ended whose end lies in it; absent where none does. Milliseconds. */
  endedAt?: number;
}

/**
 * Index of the first of `count` segments, in the order of the WAL, from which on every transaction ended after `at`; `count` when there is
 * none. It is found by halving, so that a hundred thousand segments need some twenty looks; those in which nothing has ended are passed over.
 */
export async function firstAfter(
  count: number,
  at: number,
  look: (index: number) => Promise<Looked>,
  known: { low?: number; high?: number } = {},
): Promise<number> {
  let low = Math.max(0, known.low ?? 0);
  let high = Math.min(count, known.high ?? count);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = await nextWithEnd(middle, high, look);
    if (next === undefined || next.endedAt > at) high = middle;
    else low = next.index + 1;
  }
  return low;
}

async function nextWithEnd(
  from: number,
  to: number,
  look: (index: number) => Promise<Looked>,
): Promise<{ index: number; endedAt: number } | undefined> {
  for (let index = from; index < to; index += 1) {
    const { endedAt } = await look(index);
    if (endedAt !== undefined) return { index, endedAt };
  }
  return undefined;
}
