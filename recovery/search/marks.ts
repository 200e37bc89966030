/**
 * Where the drop of a database begins. Since 15.4 PostgreSQL first marks it as invalid, in place and at once for all, often before the
 * transaction has a number; then its row goes, then its files, then the transaction commits. Who recovers to after the mark finds a database
 * that nobody can connect to.
 * @see PostgreSQL source, dropdb in src/backend/commands/dbcommands.c
 */
import type { Lsn } from '../archive.ts';
import { lsnDistance } from '../lsn.ts';

/** The row goes right after it was marked. What was changed in place long before, was changed for another reason. Bytes of WAL. */
const near = 1024 * 1024;
const most = 100;

export class Marks {
  readonly #marks = new Map<string, Lsn>();

  /** A row of a shared catalog was changed in place. */
  mark(row: string, lsn: Lsn): void {
    if (this.#marks.size === most) this.#marks.clear();
    // A piece of a line would keep all of it in memory.
    this.#marks.set(Buffer.from(row).toString(), Buffer.from(lsn).toString());
  }

  /** Where the drop began that deletes this row at `lsn`. */
  beginOf(row: string, lsn: Lsn): Lsn {
    const mark = this.#marks.get(row);
    return mark !== undefined && lsnDistance(mark, lsn) <= near ? mark : lsn;
  }
}
