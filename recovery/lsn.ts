/** Positions in the WAL. 64 bits wide, so they are computed as bigint and written as PostgreSQL prints them. */
import type { Lsn } from './archive.ts';

const pattern = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** @throws RangeError the text is not an LSN */
export function parseLsn(text: Lsn): bigint {
  const [, high, low] = pattern.exec(text) ?? [];
  if (high === undefined || low === undefined)
    throw new RangeError(`"${text}" is not an LSN: expected two hexadecimal numbers such as 0/59E1A40`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** @throws RangeError the position is negative or wider than 64 bits */
export function formatLsn(position: bigint): Lsn {
  if (position < 0n || position >= 1n << 64n) throw new RangeError(`${position} is not a position in the WAL`);
  return `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`.toUpperCase();
}

/** Negative when `a` lies before `b`: for sort(). As text, `0/9` would come after `0/10`. */
export function compareLsn(a: Lsn, b: Lsn): number {
  const difference = parseLsn(a) - parseLsn(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Bytes of WAL from `from` to `to`; negative when `to` lies before. */
export function lsnDistance(from: Lsn, to: Lsn): number {
  return Number(parseLsn(to) - parseLsn(from));
}
