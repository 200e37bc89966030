/**
 * Counts what each transaction does while the WAL goes by, and keeps what a commit makes true. Memory holds the transactions that are
 * open, and the heaviest of those that were found; it does not grow with the WAL.
 */
import type { Lsn } from '../archive.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { Marks } from './marks.ts';
import type { RelationFile, TransactionEnd, WalRecord } from './records.ts';
import {
  changesFiles,
  Heaviest,
  isOfUsers,
  mostRelations,
  type RowCounts,
  rowsChanged,
  type Suspect,
} from './suspects.ts';

export interface Search {
  /** Commits from and to these moments, both included; milliseconds. */
  fromMs: number;
  toMs: number;
  /** Rows that a transaction has deleted or updated, all in all, from which on it is worth telling. */
  leastRows: number;
}

/** What is kept of each kind, before names tell which of them are of interest. */
const mostKept = 400;

/** Of one transaction or a part of it, while it is open. Few touch many relations: a map for each would be most of the memory. */
interface Open {
  rows: RowCounts | undefined;
  more: Map<RelationFile, RowCounts> | undefined;
  created: Map<RelationFile, { copied: boolean }> | undefined;
  truncated: number[] | undefined;
  databases: { database: number; lsn: Lsn }[] | undefined;
  /** Where it has begun to delete a row of a shared catalog: of a database that it drops. */
  unlisted: Lsn | undefined;
}

export class Tally {
  readonly #search: Search;
  readonly #open = new Map<number, Open>();
  readonly #files = new Files();
  readonly #marks = new Marks();
  /** Of transactions that ran when reading began: what they did before is not counted. */
  #begunBefore: Set<number> | undefined;
  readonly #ofRows = new Heaviest(mostKept);
  readonly #ofFiles = new Heaviest(mostKept);
  /** Of the first and the last end of a transaction. */
  first: string | undefined;
  last: string | undefined;
  commits = 0;

  constructor(search: Search) {
    this.#search = search;
  }

  /** Milliseconds: nothing that is committed later is counted. */
  get toMs(): number {
    return this.#search.toMs;
  }

  add(record: WalRecord, lsn: Lsn): void {
    switch (record.what) {
      case 'rows': {
        if (record.xid !== 0) this.#countsOf(record.xid, record.file)[record.change] += record.rows;
        return;
      }
      case 'page': {
        const created = this.#open.get(record.xid)?.created?.get(record.file);
        if (created !== undefined) created.copied = true;
        return;
      }
      case 'created': {
        const open = this.#of(record.xid);
        open.created ??= new Map();
        open.created.set(this.#files.own(record.file), { copied: false });
        return;
      }
      case 'truncated': {
        const open = this.#of(record.xid);
        open.truncated = [...(open.truncated ?? []), ...record.relations];
        return;
      }
      case 'dropped-database': {
        const open = this.#of(record.xid);
        open.databases ??= [];
        open.databases.push({ database: record.database, lsn });
        return;
      }
      case 'marked':
        this.#marks.mark(record.row, lsn);
        return;
      case 'unlisted':
        this.#of(record.xid).unlisted ??= this.#marks.beginOf(record.row, lsn);
        return;
      case 'running':
        this.#forget(record);
        return;
      case 'end':
        this.#end(record.end, lsn);
        return;
      // Neither makes anything true.
      case 'prepared':
      case 'restore-point':
        return;
    }
  }

  /** Transactions that are open: what the memory grows with. */
  get open(): number {
    return this.#open.size;
  }

  get findings(): number {
    return this.#ofRows.size + this.#ofFiles.size;
  }

  /** In the order of the WAL's transactions; `leftOut` are lighter than all of them, or too many. */
  get result(): { suspects: Suspect[]; leftOut: number } {
    return {
      suspects: [...this.#ofRows.suspects, ...this.#ofFiles.suspects],
      leftOut: this.#ofRows.leftOut + this.#ofFiles.leftOut,
    };
  }

  #of(xid: number): Open {
    const known = this.#open.get(xid);
    if (known !== undefined) return known;
    const open: Open = {
      rows: undefined,
      more: undefined,
      created: undefined,
      truncated: undefined,
      databases: undefined,
      unlisted: undefined,
    };
    this.#open.set(xid, open);
    return open;
  }

  #countsOf(xid: number, file: RelationFile): RowCounts {
    const open = this.#of(xid);
    if (open.rows?.file === file) return open.rows;
    const known = open.more?.get(file);
    if (known !== undefined) return known;
    const counts: RowCounts = { file: this.#files.own(file), inserted: 0, updated: 0, deleted: 0 };
    if (open.rows === undefined) open.rows = counts;
    else {
      open.more ??= new Map();
      open.more.set(counts.file, counts);
    }
    return counts;
  }

  /** After a crash nobody says how the transactions ended that were open: those before the oldest that runs did not commit. */
  #forget({ next, oldest, transactions }: { next: number; oldest: number; transactions: number[] }): void {
    this.#begunBefore ??= new Set(transactions);
    if (this.#open.size === 0) return;
    for (const xid of this.#open.keys()) if (precedes(xid, oldest) && precedes(xid, next)) this.#open.delete(xid);
  }

  #end(end: TransactionEnd, lsn: Lsn): void {
    const parts = this.#take(end);
    this.first ??= end.at;
    this.last = end.at;
    if (!end.committed) return;
    const at = Date.parse(end.at);
    if (at < this.#search.fromMs || at > this.#search.toMs) return;
    this.commits += 1;
    // Nearly all transactions are small, and are dismissed by a sum.
    if (end.dropped.length === 0 && !parts.some(hasMore) && sumOf(parts) < this.#search.leastRows) return;
    const suspect = suspectOf(end, lsn, parts);
    if (this.#begunBefore?.has(end.xid)) suspect.partly = true;
    if (changesFiles(suspect)) this.#ofFiles.add(short(suspect));
    else if (rowsChanged(suspect) >= this.#search.leastRows) this.#ofRows.add(short(suspect));
  }

  #take(end: TransactionEnd): Open[] {
    const parts: Open[] = [];
    for (const xid of end.parts.length === 0 ? [end.xid] : [end.xid, ...end.parts]) {
      const open = this.#open.get(xid);
      if (open === undefined) continue;
      parts.push(open);
      this.#open.delete(xid);
    }
    return parts;
  }
}

function hasMore({ truncated, databases }: Open): boolean {
  return truncated !== undefined || databases !== undefined;
}

function sumOf(parts: Open[]): number {
  let sum = 0;
  for (const part of parts) for (const { updated, deleted } of countsIn(part)) sum += updated + deleted;
  return sum;
}

/** What a commit makes true. */
function suspectOf(end: TransactionEnd, lsn: Lsn, parts: Open[]): Suspect {
  const rows = new Map<RelationFile, RowCounts>();
  const created = new Map<RelationFile, { copied: boolean }>();
  for (const part of parts) {
    for (const [file, facts] of part.created ?? []) created.set(file, facts);
    for (const counts of countsIn(part)) if (isOfUsers(counts.file)) addUp(rows, counts);
  }
  // What it has made for itself and dropped again, nobody has seen.
  const dropped = end.dropped.filter((file) => isOfUsers(file) && !created.has(file));
  for (const file of end.dropped) created.delete(file);
  const databases = parts.flatMap((part) => part.databases ?? []);
  const [dropsFrom] = databases.length === 0 ? [] : parts.flatMap((part) => part.unlisted ?? databases[0]?.lsn ?? []);
  return {
    transaction: end.xid,
    at: end.at,
    // A database is marked as invalid, and its files go, before its transaction commits: a recovery up to that commit would find it gone.
    before: formatLsn(parseLsn(dropsFrom ?? lsn)),
    ...(end.prepared && { prepared: true as const }),
    rows: [...rows.values()].filter(({ file }) => !created.has(file)),
    created: [...created].map(([file, { copied }]) => ({ file, inserted: rows.get(file)?.inserted ?? 0, copied })),
    dropped,
    truncated: [...new Set(parts.flatMap((part) => part.truncated ?? []))],
    touched: dropped.length === 0 ? [] : end.touched,
    droppedDatabases: [...new Set(databases.map(({ database }) => database))],
  };
}

function* countsIn({ rows, more }: Open): Iterable<RowCounts> {
  if (rows !== undefined) yield rows;
  if (more !== undefined) yield* more.values();
}

function addUp(rows: Map<RelationFile, RowCounts>, counts: RowCounts): void {
  const sum = rows.get(counts.file);
  if (sum === undefined) rows.set(counts.file, { ...counts });
  else {
    sum.inserted += counts.inserted;
    sum.updated += counts.updated;
    sum.deleted += counts.deleted;
  }
}

/** Only what can be told of it. */
function short(suspect: Suspect): Suspect {
  const changed = suspect.rows
    .filter(({ updated, deleted }) => updated + deleted > 0)
    .sort((a, b) => b.updated + b.deleted - a.updated - a.deleted);
  const rest = changed.slice(mostRelations);
  return {
    ...suspect,
    rows: changed.slice(0, mostRelations),
    ...(rest.length > 0 && { beyond: together(rest) }),
    created: suspect.created.slice(0, mostRelations),
    dropped: suspect.dropped.slice(0, mostRelations),
    touched: suspect.touched.slice(0, mostRelations),
  };
}

function together(rest: RowCounts[]): NonNullable<Suspect['beyond']> {
  return {
    relations: rest.length,
    updated: rest.reduce((sum, { updated }) => sum + updated, 0),
    deleted: rest.reduce((sum, { deleted }) => sum + deleted, 0),
  };
}

/** Numbers of transactions go round: the nearer half lies before. @see TransactionIdPrecedes */
export function precedes(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/** More of them are forgotten, and noted anew. */
const mostFiles = 10_000;

/** A piece of a line keeps the whole of it, and its neighbours, in memory: what is kept longer is copied, once for each file. */
class Files {
  readonly #known = new Map<RelationFile, RelationFile>();

  own(file: RelationFile): RelationFile {
    const known = this.#known.get(file);
    if (known !== undefined) return known;
    if (this.#known.size === mostFiles) this.#known.clear();
    const copy = Buffer.from(file, 'latin1').toString('latin1');
    this.#known.set(copy, copy);
    return copy;
  }
}
