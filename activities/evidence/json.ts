/** Evidence as bytes: the same content gives the same bytes, so that a hash stands for it. */
import stringify from 'safe-stable-stringify';

const pretty = stringify.configure({ deterministic: true, bigint: false });

/** Keys in alphabetical order, indented for people, a line feed at the end. */
export function stableJson(value: object): Uint8Array {
  return new TextEncoder().encode(`${pretty(value, undefined, 2) ?? 'null'}\n`);
}
