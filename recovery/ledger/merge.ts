/** What two sequences in the order of their keys do not have in common. Memory holds one row of each. Pure. */

/** A row by its key, and what stands for its content. */
export interface Keyed<K> {
  key: K;
  content: string;
}

/** Of the old database and the recovered one. */
export type Difference<R> =
  /** Only the old one has it. */
  | { what: 'missing'; old: R }
  /** Both have it, with another content. */
  | { what: 'changed'; old: R; recovered: R }
  /** Only the recovered one has it. */
  | { what: 'new'; recovered: R }
  | { what: 'equal' };

/** A merge of what is out of order would tell differences that there are none of, and pass over others. */
export class OutOfOrder extends Error {
  constructor(key: unknown) {
    super(`the key ${JSON.stringify(key)} comes out of order, or twice`);
    this.name = 'OutOfOrder';
  }
}

/** @throws OutOfOrder */
export async function* differences<K, R extends Keyed<K>>(
  old: AsyncIterable<R>,
  recovered: AsyncIterable<R>,
  compare: (a: K, b: K) => number,
): AsyncGenerator<Difference<R>> {
  const [left, right] = [new Head(old, compare), new Head(recovered, compare)];
  await left.advance();
  await right.advance();
  while (left.row !== undefined || right.row !== undefined) {
    const difference = differenceOf(left.row, right.row, compare);
    yield difference;
    if (difference.what !== 'new') await left.advance();
    if (difference.what !== 'missing') await right.advance();
  }
}

function differenceOf<K, R extends Keyed<K>>(
  old: R | undefined,
  recovered: R | undefined,
  compare: (a: K, b: K) => number,
): Difference<R> {
  if (recovered === undefined) return old === undefined ? { what: 'equal' } : { what: 'missing', old };
  if (old === undefined) return { what: 'new', recovered };
  const order = compare(old.key, recovered.key);
  if (order < 0) return { what: 'missing', old };
  if (order > 0) return { what: 'new', recovered };
  return old.content === recovered.content ? { what: 'equal' } : { what: 'changed', old, recovered };
}

class Head<K, R extends Keyed<K>> {
  row: R | undefined;
  readonly #rows: AsyncIterator<R>;
  readonly #compare: (a: K, b: K) => number;

  constructor(rows: AsyncIterable<R>, compare: (a: K, b: K) => number) {
    this.#rows = rows[Symbol.asyncIterator]();
    this.#compare = compare;
  }

  async advance(): Promise<void> {
    const { done, value } = await this.#rows.next();
    const next = done === true ? undefined : value;
    if (this.row !== undefined && next !== undefined && this.#compare(this.row.key, next.key) >= 0)
      throw new OutOfOrder(next.key);
    this.row = next;
  }
}

/** How often whole rows occur, by what stands for their content: two sequences in its order. */
export async function countWholeRows(
  old: AsyncIterable<Keyed<string>>,
  recovered: AsyncIterable<Keyed<string>>,
  compare: (a: string, b: string) => number,
): Promise<{ missing: number; added: number }> {
  let missing = 0;
  let added = 0;
  for await (const one of differences(old, recovered, compare)) {
    const more =
      ('old' in one ? Number(one.old.content) : 0) - ('recovered' in one ? Number(one.recovered.content) : 0);
    missing += Math.max(0, more);
    added += Math.max(0, -more);
  }
  return { missing, added };
}
