import type { EntryRecord } from '../contract.ts';

/** A record as the zone has it: more values than one are no entry that can be moved. */
export interface RecordSet {
  values: string[];
  ttlSeconds: number;
}

export interface Refusal {
  /** In the words of who keeps the zone. */
  why: string;
}

/** What Lifeboat needs of whoever keeps the zone. Opened for one piece of work. */
export interface EntryKind {
  /**
   * What the zone itself says, not what somebody remembers of it; `undefined` when it says nothing.
   *
   * @throws EntryUnreachable @throws EntryRefused @throws EntryUnfit it is of a kind that cannot be moved
   */
  read(): Promise<RecordSet | undefined>;
  /** In one piece, and only where it still is `before`: else nothing is changed, and it says how it was refused. */
  replace(before: EntryRecord, after: EntryRecord): Promise<undefined | Refusal>;
  /**
   * Asks for a change that can only be refused because of what the record is: whoever refuses it for another reason would refuse the true one.
   *
   * @throws EntryRefused @throws EntryUnreachable
   */
  rehearse(record: EntryRecord): Promise<void>;
  /** Returns when every server of the zone that can be asked for it has what the zone says; how that is known, in words. */
  settle(record: EntryRecord): Promise<string>;
  close(): void;
}
