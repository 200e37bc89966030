/**
 * One line of pg_waldump, as far as it tells of rows, of files of relations, and of how transactions end. What it says of anything else
 * is passed over; so is what is no record at all.
 * @see PostgreSQL source, src/backend/access/rmgrdesc
 */

/** `tablespace/database/file`, by number, as pg_waldump prints it: `1663/16384/16397`. */
export type RelationFile = string;

export type WalRecord =
  | { what: 'rows'; xid: number; file: RelationFile; change: 'inserted' | 'updated' | 'deleted'; rows: number }
  /** Whole pages of a relation, as a rewrite or the building of an index leaves them. */
  | { what: 'page'; xid: number; file: RelationFile }
  | { what: 'created'; xid: number; file: RelationFile }
  /** Only with wal_level = logical: tables by object id, with those that CASCADE and partitions add. */
  | { what: 'truncated'; xid: number; relations: number[] }
  | { what: 'dropped-database'; xid: number; database: number }
  /** A row of a shared catalog was changed in place, or deleted: so begins the drop of a database. `1664/0/1262 0 4`: file, block, row. */
  | { what: 'marked'; row: string }
  | { what: 'unlisted'; xid: number; row: string }
  | { what: 'end'; end: TransactionEnd }
  /** The first half of a two-phase commit. */
  | { what: 'prepared'; xid: number; at: string }
  /** Its name in the bytes of the server, one character each. */
  | { what: 'restore-point'; name: string }
  | { what: 'running'; next: number; oldest: number; transactions: number[] };

/** A commit or an abort, also of a transaction that was prepared, or of a part of one. */
export interface TransactionEnd {
  committed: boolean;
  /** 32 bits. */
  xid: number;
  /** UTC, microseconds: `2026-11-21T14:03:07.221456Z`. */
  at: string;
  parts: number[];
  /** Of relations whose removal comes with it. */
  dropped: RelationFile[];
  /** Object ids of relations whose definition or file has changed. */
  touched: number[];
  prepared: boolean;
}

export interface Line {
  /** Where the record starts, as printed. */
  lsn: string;
  record: WalRecord | undefined;
}

const defaultTablespace = 1663;
const sharedTablespace = 1664;
const shared = `${sharedTablespace}/`;

const head = /^rmgr: (\w+) +len \(rec\/tot\): +\d+\/ *\d+, tx: +(\d+), lsn: ([0-9A-F]{1,8}\/[0-9A-F]{1,8}), prev /;

/** What begins like a record; `undefined` for anything else. */
export function readLine(line: string): Line | undefined {
  const found = head.exec(line);
  if (found === null) return undefined;
  const [begin, manager = '', tx, lsn = ''] = found;
  const at = line.indexOf(', desc: ', begin.length);
  if (at < 0) return undefined;
  return { lsn, record: readers[manager]?.(line.slice(at + 8), Number(tx)) };
}

const readers: Record<string, ((text: string, xid: number) => WalRecord | undefined) | undefined> = {
  Heap: ofHeap,
  Heap2: ofHeap2,
  XLOG: ofPages,
  Storage: ofStorage,
  Database: ofDatabase,
  Transaction: ofTransaction,
  Standby: ofStandby,
};

const rowChange = /^(HOT_UPDATE|UPDATE|DELETE|INSERT)(?:\+INIT)? /;
const firstBlock = /blkref #0: rel (\d+\/\d+\/\d+) (?:blk|fork main)/;

// Flags of a DELETE. @see src/include/access/heapam_xlog.h
const ofInsertion = 0x08; // An INSERT .. ON CONFLICT takes back its own row.
const ofMove = 0x10; // An UPDATE moves the row to another partition.

function ofHeap(text: string, xid: number): WalRecord | undefined {
  const kind = rowChange.exec(text)?.[1];
  if (kind === undefined) {
    if (text.startsWith('INPLACE ')) return ofMark(text);
    return text.startsWith('TRUNCATE ') ? ofTruncate(text, xid) : undefined;
  }
  const file = firstBlock.exec(text)?.[1];
  if (file === undefined) return undefined;
  if (kind === 'INSERT') return { what: 'rows', xid, file, change: 'inserted', rows: 1 };
  if (kind !== 'DELETE') return { what: 'rows', xid, file, change: 'updated', rows: 1 };
  if (file.startsWith(shared)) {
    const row = sharedRowOf(text);
    return row === undefined ? undefined : { what: 'unlisted', xid, row };
  }
  const flags = Number(/flags:? (0x[0-9A-Fa-f]+)/.exec(text)?.[1] ?? 0);
  if (flags & ofInsertion) return undefined;
  return { what: 'rows', xid, file, change: flags & ofMove ? 'updated' : 'deleted', rows: 1 };
}

const sharedRow = /\boff:? (\d+)\b.*blkref #0: rel (1664\/\d+\/\d+) blk (\d+)/;

function sharedRowOf(text: string): string | undefined {
  const [, offset, file, block] = sharedRow.exec(text) ?? [];
  return file === undefined ? undefined : `${file} ${block} ${offset}`;
}

function ofMark(text: string): WalRecord | undefined {
  const row = sharedRowOf(text);
  return row === undefined ? undefined : { what: 'marked', row };
}

/** `TRUNCATE nrelids 2 relids 16384 16390`; newer: `TRUNCATE flags: [], nrelids: 2, relids: [16384, 16390]`. */
function ofTruncate(text: string, xid: number): WalRecord | undefined {
  const listed = /\brelids:? \[?([\d, ]+)/.exec(text.replace('nrelids', ''))?.[1];
  const relations = numbers(listed);
  return relations.length === 0 ? undefined : { what: 'truncated', xid, relations };
}

/** `MULTI_INSERT 10 tuples flags 0x02`; newer: `MULTI_INSERT ntuples: 10, flags: 0x02`. */
const manyInserted = /^MULTI_INSERT(?:\+INIT)? (?:(\d+) tuples|ntuples: (\d+))/;

function ofHeap2(text: string, xid: number): WalRecord | undefined {
  const found = manyInserted.exec(text);
  const file = found && firstBlock.exec(text)?.[1];
  return file ? { what: 'rows', xid, file, change: 'inserted', rows: Number(found[1] ?? found[2]) } : undefined;
}

const restorePoint = 'RESTORE_POINT ';

function ofPages(text: string, xid: number): WalRecord | undefined {
  if (text.startsWith(restorePoint)) return { what: 'restore-point', name: text.slice(restorePoint.length) };
  if (xid === 0 || !text.startsWith('FPI ')) return undefined;
  const file = firstBlock.exec(text)?.[1];
  return file === undefined ? undefined : { what: 'page', xid, file };
}

function ofStorage(text: string, xid: number): WalRecord | undefined {
  const path = /^CREATE (\S+)/.exec(text)?.[1];
  // Other forks (_fsm, _vm, _init) belong to a file that is created besides.
  const file = path === undefined || path.includes('_', path.lastIndexOf('/')) ? undefined : fileOf(path);
  return file === undefined ? undefined : { what: 'created', xid, file };
}

/** `DROP dir 1663/16400`, one for each tablespace. */
function ofDatabase(text: string, xid: number): WalRecord | undefined {
  const database = /^DROP dir \d+\/(\d+)/.exec(text)?.[1];
  return database === undefined ? undefined : { what: 'dropped-database', xid, database: Number(database) };
}

/** `COMMIT 2026-11-21 14:03:07.221456 UTC; rels: ...; subxacts: ...; inval msgs: ...`; of a prepared one, `COMMIT_PREPARED 736: ...`. */
const ended = /^(COMMIT|ABORT)(_PREPARED (\d+):)? (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) UTC/;

function ofTransaction(text: string, xid: number): WalRecord | undefined {
  const found = ended.exec(text);
  if (found === null) return ofPrepared(text, xid);
  const [whole, kind, prepared, number, day, time] = found;
  const end: TransactionEnd = {
    committed: kind === 'COMMIT',
    xid: number === undefined ? xid : Number(number),
    at: `${day}T${time}Z`,
    parts: [],
    dropped: [],
    touched: [],
    prepared: prepared !== undefined,
  };
  if (text.length > whole.length) readClauses(text, whole.length, end);
  return { what: 'end', end };
}

/** `PREPARE gid payment 7: 2026-11-21 14:03:07.221456 UTC; ...` */
const prepared = /^PREPARE gid .*?: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) UTC/;

function ofPrepared(text: string, xid: number): WalRecord | undefined {
  const [, day, time] = prepared.exec(text) ?? [];
  return day === undefined ? undefined : { what: 'prepared', xid, at: `${day}T${time}Z` };
}

function readClauses(text: string, from: number, end: TransactionEnd): void {
  for (const clause of text.slice(from).split('; ')) {
    if (clause.startsWith('rels: '))
      end.dropped = clause
        .slice(6)
        .split(' ')
        .flatMap((path) => fileOf(path) ?? []);
    else if (clause.startsWith('subxacts: ')) end.parts = numbers(clause.slice(10));
    else if (clause.startsWith('inval msgs: '))
      end.touched = [...new Set([...clause.matchAll(/ relcache (\d+)/g)].map(([, oid]) => Number(oid)))].filter(
        Boolean,
      );
  }
}

/** `RUNNING_XACTS nextXid 751 latestCompletedXid 749 oldestRunningXid 750; 1 xacts: 750; 2 subxacts: ...` */
const running = /^RUNNING_XACTS nextXid (\d+) latestCompletedXid \d+ oldestRunningXid (\d+)(?:; \d+ xacts: ([\d ]+))?/;

function ofStandby(text: string): WalRecord | undefined {
  const found = running.exec(text);
  if (found === null) return undefined;
  return { what: 'running', next: Number(found[1]), oldest: Number(found[2]), transactions: numbers(found[3]) };
}

/** `base/16384/16397`, `global/1260`, `pg_tblspc/16400/PG_15_202209061/16384/16397`: as blocks name the same file. */
function fileOf(path: string): RelationFile | undefined {
  const [place, ...rest] = path.trim().split('/');
  const named = (tablespace: string | number, database?: string, file?: string) =>
    [database, file].every((one) => one !== undefined && /^\d+$/.test(one))
      ? `${tablespace}/${database}/${file}`
      : undefined;
  if (place === 'base') return named(defaultTablespace, rest[0], rest[1]);
  if (place === 'global') return named(sharedTablespace, '0', rest[0]);
  return place === 'pg_tblspc' && /^\d+$/.test(rest[0] ?? '') ? named(rest[0] ?? '', rest[2], rest[3]) : undefined;
}

function numbers(text: string | undefined): number[] {
  return (text?.match(/\d+/g) ?? []).map(Number);
}
