/**
 * Finds the record that a wanted target means, while the WAL goes by, and counts what lies after it. It decides as PostgreSQL would: where
 * that stops is what `recovery_target_time`, `_xid` and `_name` mean, whatever the clock did meanwhile.
 * @see PostgreSQL source, recoveryStopsBefore and recoveryStopsAfter in src/backend/access/transam/xlogrecovery.c
 */
import type { Lsn } from './archive.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { microseconds } from './moment.ts';
import { notLocated, type Seen } from './not-located.ts';
import type { Line, TransactionEnd, WalRecord } from './search/records.ts';
import type { WantedTarget } from './wanted-target.ts';

export interface CommitSeen {
  /** Where its record starts. */
  lsn: Lsn;
  at: string;
  transaction: number;
}

export interface Located {
  lsn: Lsn;
  /** Recovery stops after the record that starts at `lsn`, else before it. */
  inclusive: boolean;
  /** The last commit that the target holds. */
  last?: CommitSeen;
  after: {
    transactions: number;
    newestAt?: string;
    newestLsn?: Lsn;
    /** Not all of the WAL after it was read. */
    atLeast?: true;
    /** Of them, those that carry a time up to the wanted one: their clock differed, or they took their time first and committed last. */
    earlier: number;
  };
  /** What people should know of it, a sentence each. */
  notes: string[];
  /**
   * The transaction that it leaves out has dropped a database. That is gone before it commits: first it is marked as invalid, then its files
   * are removed.
   */
  dropping?: number;
}

interface Asked {
  /** An LSN is that of a record's start. */
  wanted: WantedTarget;
  /** Where the oldest backup that can be recovered is consistent: what lies before is no target. */
  consistentFrom?: Lsn;
  /** Everything committed up to this moment is known to lie in the WAL that is read. */
  wholeUntil?: string;
}

export class Locating {
  readonly #asked: Asked;
  readonly #atMicros: number;
  readonly #name: string | undefined;
  /** Transactions that have removed the files of a database, and have not ended. */
  readonly #dropping = new Set<number>();
  #dropped: number | undefined;
  readonly #seen: Seen = { names: [] };
  #hit: { lsn: Lsn; inclusive: boolean } | undefined;
  #passed = false;
  #last: CommitSeen | undefined;
  #after = 0;
  #earlier = 0;
  #newest: CommitSeen | undefined;
  readonly #notes: string[] = [];
  #atLeast = false;
  /** Segments that are missing before the record that comes next. */
  #gapBefore: string | undefined;

  constructor(asked: Asked) {
    const { wanted } = asked;
    this.#asked = asked;
    this.#atMicros = wanted.kind === 'time' ? microseconds(wanted.at) : Number.NaN;
    // As a line is read: a character for a byte.
    this.#name = wanted.kind === 'name' ? Buffer.from(wanted.name).toString('latin1') : undefined;
    if (wanted.kind === 'lsn') this.#hit = { lsn: wanted.lsn, inclusive: wanted.inclusive };
  }

  /** Whether what went by holds the target: what follows is only counted. */
  get found(): boolean {
    return this.#passed && this.#seen.outside === undefined;
  }

  /** Of the last commit that went by. */
  get upTo(): string | undefined {
    return (this.#newest ?? this.#last)?.at;
  }

  add({ lsn, record }: Line): void {
    const dropping = this.#passed ? [] : [...this.#dropping];
    this.#read(lsn, record);
    if (this.#passed || this.#hit === undefined || parseLsn(lsn) < parseLsn(this.#hit.lsn)) return;
    this.#passed = true;
    const last = this.#hit.inclusive && record?.what === 'end' ? record.end.xid : this.#dropped;
    for (const xid of dropping) if (xid !== last) this.#notes.push(halfDropped(xid));
  }

  #read(lsn: Lsn, record: WalRecord | undefined): void {
    switch (record?.what) {
      case 'dropped-database':
        this.#dropping.add(record.xid);
        return;
      case 'restore-point':
        this.#point(record.name, lsn);
        return;
      case 'prepared':
        this.#seen.prepared = { lsn: printed(lsn), at: copied(record.at), transaction: record.xid };
        if (this.#isWanted(record.xid)) this.#seen.onlyPrepared = this.#seen.prepared;
        return;
      case 'end':
        this.#end(record.end, lsn);
        return;
      default:
        return;
    }
  }

  /** The WAL that comes next does not follow what went by, which ended at `from`. */
  gap(missing: string, from: Lsn): void {
    if (this.#hit === undefined) this.#gapBefore = missing;
    else if (parseLsn(this.#hit.lsn) < parseLsn(from)) this.#cut(`${missing}: what was committed there is not counted`);
  }

  /** Reading ended before the WAL did. */
  broken(why: string): void {
    this.#cut(`the WAL after it could not be read to its end, so that more may have been committed there: ${why}`);
  }

  #cut(note: string): void {
    this.#atLeast = true;
    this.#notes.push(note);
  }

  /** @param read what was read, in words: `from 0000... to 0000...` */
  outcome(read: string): Located | { outside: string } {
    this.#settleIdle();
    const hit = this.#hit;
    const seen: Seen = { ...this.#seen, ...(this.#last && { last: this.#last }) };
    if (hit === undefined || seen.outside !== undefined)
      return { outside: seen.outside ?? notLocated(this.#asked.wanted, seen, read, this.#asked.consistentFrom) };
    if (this.#earlier > 0)
      this.#notes.push(
        `${this.#earlier} of the transactions after it carry a time up to the wanted one: PostgreSQL stops at the first end of a transaction past that time, and so they are left out`,
      );
    return {
      ...hit,
      ...(this.#last && { last: this.#last }),
      after: {
        transactions: this.#after,
        ...(this.#atLeast && { atLeast: true as const }),
        ...(this.#newest && { newestAt: this.#newest.at, newestLsn: this.#newest.lsn }),
        earlier: this.#earlier,
      },
      notes: this.#notes,
      ...(this.#dropped !== undefined && { dropping: this.#dropped }),
    };
  }

  /** Nothing has ended past the moment, and it is known that nothing did: all of the WAL is meant. */
  #settleIdle(): void {
    const { wanted, wholeUntil } = this.#asked;
    if (this.#hit !== undefined || wanted.kind !== 'time' || wholeUntil === undefined) return;
    if (microseconds(wholeUntil) < this.#atMicros) return;
    const ends = [this.#last, this.#seen.prepared].flatMap((one) => one ?? []);
    const newest = ends.sort((a, b) => (parseLsn(a.lsn) < parseLsn(b.lsn) ? 1 : -1))[0];
    if (newest === undefined) return;
    this.#hit = { lsn: newest.lsn, inclusive: true };
    this.#notes.push(`nothing was committed between it and ${wanted.at}`);
  }

  #isWanted(xid: number): boolean {
    const { wanted } = this.#asked;
    return wanted.kind === 'transaction' && wanted.transaction === xid;
  }

  #point(name: string, lsn: Lsn): void {
    if (this.#seen.names.length === mostNames) this.#seen.names.shift();
    this.#seen.names.push(Buffer.from(name, 'latin1').toString());
    if (this.#name === name) this.#match(lsn, true);
  }

  #end(end: TransactionEnd, lsn: Lsn): void {
    const { wanted } = this.#asked;
    this.#seen.firstAt ??= copied(end.at);
    if (wanted.kind === 'time' && this.#hit === undefined) this.#againstTime(end, lsn, wanted.at);
    if (wanted.kind === 'transaction') this.#againstTransaction(end, lsn, wanted);
    this.#gapBefore = undefined;
    if (end.committed) this.#count(end, lsn);
    this.#dropping.delete(end.xid);
  }

  #againstTime(end: TransactionEnd, lsn: Lsn, at: string): void {
    if (microseconds(end.at) <= this.#atMicros) return;
    if (this.#gapBefore !== undefined) this.#seen.outside = lostInGap(at, this.#gapBefore);
    this.#hitAt(lsn, false, end);
  }

  #againstTransaction(end: TransactionEnd, lsn: Lsn, wanted: { transaction: number; inclusive: boolean }): void {
    if (end.xid === wanted.transaction) {
      delete this.#seen.onlyPrepared;
      if (end.committed) this.#match(lsn, wanted.inclusive, end);
      else this.#seen.rolledBack = { lsn: printed(lsn), at: copied(end.at), transaction: end.xid };
      if (end.committed && end.prepared && !wanted.inclusive)
        this.#notes.push(
          `transaction ${end.xid} was prepared before: it will be there still, prepared and without effect`,
        );
    } else if (end.parts.includes(wanted.transaction))
      this.#seen.partOf = { lsn: printed(lsn), at: copied(end.at), transaction: end.xid, committed: end.committed };
  }

  #match(lsn: Lsn, inclusive: boolean, end?: TransactionEnd): void {
    const { consistentFrom } = this.#asked;
    if (consistentFrom !== undefined && parseLsn(lsn) < parseLsn(consistentFrom)) this.#seen.tooEarly = printed(lsn);
    else if (this.#hit === undefined) this.#hitAt(lsn, inclusive, end);
    else
      this.#seen.outside ??= notLocated(
        this.#asked.wanted,
        { ...this.#seen, twice: [this.#hit.lsn, printed(lsn)] },
        '',
      );
  }

  #hitAt(lsn: Lsn, inclusive: boolean, end: TransactionEnd | undefined): void {
    this.#hit = { lsn: printed(lsn), inclusive };
    if (end?.committed && !inclusive && this.#dropping.has(end.xid)) this.#dropped = end.xid;
  }

  #count(end: TransactionEnd, lsn: Lsn): void {
    const commit = { lsn: printed(lsn), at: copied(end.at), transaction: end.xid };
    if (this.#hit === undefined || holds(this.#hit, commit.lsn)) {
      this.#last = commit;
      return;
    }
    this.#after += 1;
    this.#newest = commit;
    if (microseconds(end.at) <= this.#atMicros) this.#earlier += 1;
  }
}

/** As many are told where the wanted one is not among them. */
const mostNames = 20;

function holds({ lsn, inclusive }: { lsn: Lsn; inclusive: boolean }, commit: Lsn): boolean {
  const [end, at] = [parseLsn(lsn), parseLsn(commit)];
  return inclusive ? at <= end : at < end;
}

function printed(lsn: Lsn): Lsn {
  return formatLsn(parseLsn(lsn));
}

/** A piece of a line would keep all of it, and its neighbours, in memory. */
function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function halfDropped(transaction: number): string {
  return `transaction ${transaction} has removed the files of a database by then, and commits later: that database is not usable there. To have it write "before transaction ${transaction}"`;
}

function lostInGap(at: string, missing: string): string {
  return `${at} lies in a part of the WAL that the archive lacks (${missing}): no recovery gets there. Choose a moment before that part, or one that a later backup leads to.`;
}
