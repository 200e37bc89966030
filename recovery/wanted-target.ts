/** What a person says that a recovery should end at. Pure: resolved against the archive by `locateTarget`. */
import type { Lsn } from './archive.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { inUtc, moment } from './moment.ts';

export type WantedTarget =
  /** A moment, UTC: everything committed up to it, that moment included. */
  | { kind: 'time'; at: string }
  /** A position: the record that starts there is the last one (`inclusive`), or the first one left out. */
  | { kind: 'lsn'; lsn: Lsn; inclusive: boolean }
  /** A transaction by its 32-bit number: just after its commit, or just before it. */
  | { kind: 'transaction'; transaction: number; inclusive: boolean }
  /** A named restore point (pg_create_restore_point). */
  | { kind: 'name'; name: string };

const forms =
  'write a moment with its offset (2026-11-21T14:00:00Z), an LSN (0/59E1A40, "before 0/59E1A40"), a transaction ("transaction 4711", "before transaction 4711") or a restore point ("name before-deploy")';

/** What was written, understood; else what is wrong with it, as the end of the sentence "it ...". */
export function readWantedTarget(text: string): WantedTarget | { wrong: string } {
  const said = text.trim();
  if (said === '') return { wrong: `is blank: ${forms}` };
  const name = /^name(?:\s+(.*))?$/is.exec(said);
  if (name !== null) return readName(name[1] ?? '');
  const [, before, rest = said] = /^(before)\s+(.*)$/is.exec(said) ?? [];
  const inclusive = before === undefined;
  if (!inclusive && /^name\b/i.test(rest))
    return {
      wrong: `stops before a restore point ("${said}"): nothing but the point itself lies there, write "${rest}"`,
    };
  const transaction = /^transaction(?:\s+(.*))?$/is.exec(rest);
  if (transaction !== null) return readTransaction(transaction[1] ?? '', inclusive);
  if (rest.includes('/')) return readPosition(rest, inclusive);
  if (/^\d{4}-/.test(rest)) return readMoment(rest, inclusive);
  if (/^\d+$/.test(rest))
    return { wrong: `is a bare number ("${said}"): write "${inclusive ? '' : 'before '}transaction ${rest}"` };
  return { wrong: `is no target that Lifeboat knows ("${said}"): ${forms}` };
}

/** What is wrong with a field that says a target; `undefined` when it can be used. */
export function wrongTarget(value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be a text: ${forms}`;
  const read = readWantedTarget(value);
  return 'wrong' in read ? read.wrong : undefined;
}

/** As it may be written again. */
export function sayWantedTarget(target: WantedTarget): string {
  switch (target.kind) {
    case 'time':
      return target.at;
    case 'lsn':
      return `${target.inclusive ? '' : 'before '}${target.lsn}`;
    case 'transaction':
      return `${target.inclusive ? '' : 'before '}transaction ${target.transaction}`;
    case 'name':
      return `name ${target.name}`;
  }
}

function readMoment(text: string, inclusive: boolean): WantedTarget | { wrong: string } {
  const wrong = moment(text);
  if (wrong !== undefined) return { wrong };
  if (inclusive) return { kind: 'time', at: inUtc(text) };
  return { wrong: `stops before a moment ("before ${text}"): write the last moment whose commits are to be there` };
}

function readPosition(text: string, inclusive: boolean): WantedTarget | { wrong: string } {
  const position = positionOf(text);
  if (position === undefined)
    return { wrong: `is no LSN ("${text}"): write two hexadecimal numbers such as 0/59E1A40` };
  if (position === 0n) return { wrong: 'is the LSN 0/0, which no record has' };
  return { kind: 'lsn', lsn: formatLsn(position), inclusive };
}

function positionOf(text: string): bigint | undefined {
  try {
    return parseLsn(text);
  } catch {
    return undefined;
  }
}

/** Smaller ones are of no transaction. @see PostgreSQL source, src/include/access/transam.h */
const firstTransaction = 3n;
const numbersOfTransactions = 2n ** 32n;
const most = 2n ** 64n;

function readTransaction(text: string, inclusive: boolean): WantedTarget | { wrong: string } {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= most)
    return { wrong: `names no transaction ("${text}"): write its number, such as "transaction 4711"` };
  const number = BigInt(text);
  const short = number % numbersOfTransactions;
  if (short < firstTransaction) return { wrong: `names transaction ${text}, a number that no transaction has` };
  // The WAL knows the lower half only.
  if (number !== short)
    return {
      wrong: `names transaction ${text} with all 64 bits: write the lower 32, "${inclusive ? '' : 'before '}transaction ${short}"`,
    };
  return { kind: 'transaction', transaction: Number(short), inclusive };
}

/** @see PostgreSQL source, MAXFNAMELEN in src/include/access/xlog_internal.h */
const longestName = 63;

function readName(name: string): WantedTarget | { wrong: string } {
  if (name === '') return { wrong: 'names no restore point: write "name before-deploy"' };
  if (/\p{Cc}/u.test(name)) return { wrong: 'names a restore point with control characters in its name: give its LSN' };
  const bytes = new TextEncoder().encode(name).length;
  return bytes > longestName
    ? { wrong: `names a restore point of ${bytes} bytes: PostgreSQL allows ${longestName}` }
    : { kind: 'name', name };
}
