/** Transactions that look like a disaster, by numbers only: no name of a relation stands in the WAL. */
import type { Lsn } from '../archive.ts';
import type { RelationFile } from './records.ts';

/** What a transaction has done to one relation. */
export interface RowCounts {
  file: RelationFile;
  inserted: number;
  updated: number;
  deleted: number;
}

/** A new file: what came into it row by row, and whether whole pages were copied into it. */
export interface CreatedFile {
  file: RelationFile;
  inserted: number;
  copied: boolean;
}

export interface Suspect {
  /** 32 bits. */
  transaction: number;
  /** UTC, microseconds. */
  at: string;
  /** Where the record starts that a recovery must not reach: its commit, or the end of a database's files. */
  before: Lsn;
  prepared?: true;
  /** It had begun before the first segment that was read: at least so many rows. */
  partly?: true;
  /** Of user's relations, heaviest first, at most `mostRelations`. */
  rows: RowCounts[];
  /** What it has done to the relations beyond those, all of them together. */
  beyond?: { relations: number; updated: number; deleted: number };
  /** Files that are there since. */
  created: CreatedFile[];
  /** Files that were there before. */
  dropped: RelationFile[];
  /** By object id: only known with wal_level = logical. */
  truncated: number[];
  /** Object ids of relations whose definition or file has changed. */
  touched: number[];
  droppedDatabases: number[];
}

/** Of one transaction: partitions by the thousand would fill the run's history. */
export const mostRelations = 256;

/** Below it, PostgreSQL numbers its own: catalogs. @see FirstNormalObjectId in src/include/access/transam.h */
const firstOfUsers = 16_384;

export function isOfUsers(file: RelationFile): boolean {
  return Number(file.slice(file.lastIndexOf('/') + 1)) >= firstOfUsers;
}

export function databaseOf(file: RelationFile): number {
  return Number(file.split('/')[1]);
}

/** Rows that are no more what they were. */
export function rowsChanged({ rows, beyond }: Pick<Suspect, 'rows' | 'beyond'>): number {
  const rest = beyond === undefined ? 0 : beyond.updated + beyond.deleted;
  return rows.reduce((sum, { updated, deleted }) => sum + updated + deleted, rest);
}

export function changesFiles({ dropped, truncated, droppedDatabases }: Suspect): boolean {
  return dropped.length + truncated.length + droppedDatabases.length > 0;
}

/** The heaviest ones, as many as fit: what is kept does not grow with the WAL. */
export class Heaviest {
  readonly #most: number;
  readonly #kept: { suspect: Suspect; weight: number }[] = [];
  leftOut = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(suspect: Suspect): void {
    const weight = rowsChanged(suspect);
    if (this.#kept.length === this.#most) {
      this.leftOut += 1;
      const lightest = this.#kept.at(-1)?.weight ?? 0;
      if (weight <= lightest) return;
      this.#kept.pop();
    }
    const place = this.#kept.findIndex((one) => one.weight < weight);
    this.#kept.splice(place < 0 ? this.#kept.length : place, 0, { suspect, weight });
  }

  get size(): number {
    return this.#kept.length;
  }

  get suspects(): Suspect[] {
    return this.#kept.map(({ suspect }) => suspect);
  }
}
