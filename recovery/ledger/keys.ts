/** The order of primary keys: the same in PostgreSQL and here, so that two servers' rows can be merged as they stream by. Pure. */

/**
 * How a column of a key is ordered. Whole numbers as numbers; everything else by the bytes of its text in UTF-8, which no collation and
 * no encoding of a database changes.
 */
export type KeyOrder = 'number' | 'bytes';

/** Of one row, column by column, as PostgreSQL prints them. */
export type Key = readonly string[];

/** Negative: `a` comes before `b`. */
export function compareKeys(a: Key, b: Key, orders: readonly KeyOrder[]): number {
  for (const [at, order] of orders.entries()) {
    const [one = '', other = ''] = [a[at], b[at]];
    if (one === other) continue;
    const difference = order === 'number' ? compareNumbers(one, other) : compareBytes(one, other);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareNumbers(a: string, b: string): number {
  const [one, other] = [BigInt(a), BigInt(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** As their UTF-8 would compare. JavaScript compares units of UTF-16, in which what needs two of them comes too early. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) return inUtf8(one) - inUtf8(other);
  }
  return a.length - b.length;
}

const firstSurrogate = 0xd800;
const afterSurrogates = 0xe000;

/** Surrogates stand for what lies beyond all other units. */
function inUtf8(unit: number): number {
  if (unit < firstSurrogate) return unit;
  return unit < afterSurrogates ? unit + 0x10000 : unit;
}
