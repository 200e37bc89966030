/** What was committed after a position, counted while the WAL goes by: a bound of what is lost where no row can be read. Pure. */
import type { Lsn } from '../archive.ts';
import { compareLsn } from '../lsn.ts';
import type { RelationFile, WalRecord } from '../search/records.ts';
import { isOfUsers, type RowCounts } from '../search/suspects.ts';

/** Memory holds the transactions that are open, and a sum for each file. */
export class LostInWal {
  readonly #after: Lsn;
  readonly #open = new Map<number, Map<RelationFile, RowCounts>>();
  readonly #sums = new Map<RelationFile, RowCounts>();
  transactions = 0;
  /** Files that were dropped, emptied or rewritten: rows in them are not counted one by one. */
  filesGone = 0;

  /** @param after where the recovered database ends: what commits from there on is not in it */
  constructor(after: Lsn) {
    this.#after = after;
  }

  add(record: WalRecord, lsn: Lsn): void {
    if (record.what === 'rows') {
      if (record.xid !== 0 && isOfUsers(record.file)) countIn(this.#rowsOf(record.xid), record);
      return;
    }
    if (record.what !== 'end') return;
    const { committed, xid, parts, dropped } = record.end;
    const lost = committed && compareLsn(lsn, this.#after) >= 0;
    if (lost) this.transactions += 1;
    if (lost) this.filesGone += dropped.filter(isOfUsers).length;
    for (const one of [xid, ...parts]) {
      if (lost) for (const counts of this.#open.get(one)?.values() ?? []) addTo(this.#sums, counts);
      this.#open.delete(one);
    }
  }

  /** By file, the most rows first. */
  get counts(): RowCounts[] {
    const rows = ({ inserted, updated, deleted }: RowCounts) => inserted + updated + deleted;
    return [...this.#sums.values()].sort((a, b) => rows(b) - rows(a));
  }

  #rowsOf(xid: number): Map<RelationFile, RowCounts> {
    const known = this.#open.get(xid);
    if (known !== undefined) return known;
    const rows = new Map<RelationFile, RowCounts>();
    this.#open.set(xid, rows);
    return rows;
  }
}

function countIn(
  rows: Map<RelationFile, RowCounts>,
  { file, change, rows: count }: WalRecord & { what: 'rows' },
): void {
  const counts = rows.get(file) ?? { file: ownText(file), inserted: 0, updated: 0, deleted: 0 };
  counts[change] += count;
  rows.set(counts.file, counts);
}

function addTo(sums: Map<RelationFile, RowCounts>, { file, inserted, updated, deleted }: RowCounts): void {
  const sum = sums.get(file) ?? { file, inserted: 0, updated: 0, deleted: 0 };
  sum.inserted += inserted;
  sum.updated += updated;
  sum.deleted += deleted;
  sums.set(file, sum);
}

/** A piece of a line would keep the whole of it in memory. */
function ownText(file: RelationFile): RelationFile {
  return Buffer.from(file, 'latin1').toString('latin1');
}
