/** What is told of a suspect: what it has done to which relation, and how to go back to just before it. */
import type { Lsn } from '../archive.ts';

/** Who told a relation's name: the service's own catalog, a restore brought to just before it, or nobody. */
export type NamedBy = 'live catalog' | 'restored catalog' | 'nobody';

export interface Effect {
  what:
    | 'deleted'
    | 'updated'
    | 'truncated'
    | 'dropped'
    | 'dropped database'
    /** A new file for the same rows: VACUUM FULL, CLUSTER, an ALTER TABLE, a refreshed view. Nothing is lost. */
    | 'rewritten'
    /** Emptied, dropped or rewritten: only names could tell. */
    | 'replaced';
  /** `public.orders`; by its file's number when nobody knows its name. */
  relation: string;
  /** Absent when not known. */
  rows?: number;
  /** The number of rows is the planner's estimate. */
  about?: true;
  /** Bytes of its file, where rows are not known. */
  bytes?: number;
  /** Rows that the same transaction has put into it. */
  inserted?: number;
  namedBy: NamedBy;
}

export interface Finding {
  /** 32 bits. */
  transaction: number;
  /** UTC, microseconds. */
  at: string;
  effects: Effect[];
  /** Rows that are no more what they were, as far as known: what findings are ordered by. 0: nothing is lost. */
  weight: number;
  /** Just before it. */
  target: { kind: 'lsn'; lsn: Lsn; inclusive: false; timeline: number };
  prepared?: true;
  /** It had begun before the WAL that was read: at least so much. */
  partly?: true;
}
