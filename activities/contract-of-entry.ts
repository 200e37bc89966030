/** What moving the entry of the service asks for: part of the contract, in a file of its own. */
import type { Entry } from '../plan/entry.ts';
import type { Found } from './shapes.ts';

/** What the record says: one value, and how long it may be kept. */
export interface EntryRecord {
  value: string;
  ttlSeconds: number;
}

/** What clients of one resolver get. */
export interface ResolverAnswer {
  /** `10.0.0.53:53` */
  resolver: string;
  values: string[];
  /** To which site that leads; absent when it is no site of the plan, or not one alone. */
  site?: string;
  /** How long it goes on giving this answer. */
  ttlSeconds?: number;
  /** Why it gives none. */
  why?: string;
}

export interface EntryState extends Found {
  /** Absent when there is none, or not one alone. */
  record?: EntryRecord;
  /** Where the record leads; absent when that is no site of the plan. */
  site?: string;
  /** Why the record cannot be moved as it stands, and what to do. */
  unfit?: string;
  resolvers: ResolverAnswer[];
}

export interface EntryReads {
  /** What the zone itself says, and what clients get. @throws EntryUnreachable @throws EntryRefused */
  entryState(ask: { entry: Entry }): Promise<EntryState>;
  /**
   * Whether the key may move the record, asked in a way that can change nothing: better learned now than when a site is lost.
   *
   * @throws EntryRefused @throws EntryUnfit @throws EntryUnreachable
   */
  entryMovable(ask: { entry: Entry }): Promise<Found>;
  /**
   * Every resolver of the plan leads to this site. Waits for those that still give the old answer.
   *
   * @throws EntryNotSeen not within the time: says which do not, and how long they will keep what they have
   */
  entrySeen(ask: { entry: Entry; site: string; withinMs: number }): Promise<Found & { at: string }>;
}

export interface EntryChanges {
  /**
   * Before a planned move: from `until` on nobody who obeys the TTL keeps the old answer for longer than the new one.
   *
   * @param ask.record as it was found
   * @throws Moved it is another one now @throws EntryUnreachable @throws EntryRefused
   */
  setEntryTtl(ask: { entry: Entry; record: EntryRecord; ttlSeconds: number }): Promise<Found & { until: string }>;
  /** Undo of it, and the end of a move: wherever the record leads by now. @throws Moved that is no site of the plan */
  restoreEntryTtl(ask: { entry: Entry; ttlSeconds: number }): Promise<Found>;
  /**
   * Leads to another site. Moved back, it is its own undo.
   *
   * @returns until when those who obey the TTL may go on giving the old answer
   * @throws Moved the record leads to neither of the two @throws EntryUnfit @throws EntryUnreachable @throws EntryRefused
   */
  moveEntry(ask: { entry: Entry; from: string; to: string }): Promise<Found & { at: string; until: string }>;
}
