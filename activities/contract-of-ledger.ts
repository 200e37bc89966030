/** What the ledger of lost writes and the acceptance of a recovery ask for: part of the contract, in a file of its own. */
import type { SetAside, SetAsideSeen } from '../evidence/evidence.ts';
import type { Ledger, LedgerCounts } from '../evidence/ledger.ts';
import type { EvidenceStore, Member, PhysicalBackups } from '../plan/schema.ts';
import type { Lsn, SegmentRange } from '../recovery/archive.ts';
import type { Known } from '../recovery/content.ts';
import type { StoppedAt } from './contract-of-switchover.ts';
import type { Found, Patience, Room, Scratch } from './shapes.ts';

/** A data directory that a recovery has put out of the way: `<dataDirectory>.before-<run>`, of a server that was stopped in order. */
export interface SetAsideDirectory {
  /** Whose data directory it was. */
  member: Member;
  directory: string;
  left: StoppedAt;
}

export interface LedgerControlReads {
  /** What a recovery has set aside, by its own evidence. @throws InputInvalid it was no recovery, or goes on */
  recoveryOf(ask: {
    run: string;
    service: string;
    store: EvidenceStore;
  }): Promise<Found & { setAside: SetAside[]; startedAt: string; outcome: string }>;
}

export interface LedgerHostReads {
  /** What lies there now; `seen` is absent when nothing does. @throws Moved a server runs in it, or it is no directory */
  lookAtSetAside(ask: Pick<SetAsideDirectory, 'member' | 'directory'>): Promise<Found & { seen?: SetAsideSeen }>;
  /** Whether a copy of it fits beside what must stay free; says whether it would take room at all. Never fails for want of room. */
  roomForCopy(
    ask: SetAsideDirectory & { scratch: Scratch; keepFree: string },
  ): Promise<Found & { fits: boolean; reflink: boolean; bytes: number }>;
  /** Where there is no room for a copy: what the WAL says was committed after the target. A bound, and no rows. */
  lostInWal(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      segments: Pick<SegmentRange, 'first' | 'last'>[];
      known: Known;
      serverVersion: number;
      /** The recovered database ends here. */
      after: Lsn;
      /** The recovered server, whose catalog knows the names. */
      member: Member;
      database: string;
    } & Patience,
  ): Promise<Found & { transactions: number; counts: LedgerCounts[] }>;
}

export interface LedgerHostChanges {
  /**
   * Removes it, when it is still the one that was looked at. Safe to repeat, also after a crash in its middle.
   *
   * @throws Moved another one lies there, or somebody has started it
   */
  removeSetAside(ask: Pick<SetAsideDirectory, 'member' | 'directory'> & { identity: string }): Promise<Found>;
  /**
   * Copies it into the scratch directory and starts the copy there: reached by its socket alone, read-only, archiving nothing. The directory
   * itself is only read. Safe to repeat. @throws DiskFull @throws Moved it is not the one that was set aside @throws TablespaceUnsafe
   */
  copySetAside(
    ask: SetAsideDirectory & { scratch: Scratch; room: Room; key?: string },
  ): Promise<Found & { reflink: boolean }>;
  /**
   * Compares the copy with the recovered server of this host, row by row in the order of their keys, and keeps the rows that differ as CSV
   * in the evidence store. Safe to repeat: the files are written anew.
   *
   * @throws Moved the recovered server is of another timeline or cluster @throws TablesBusy
   */
  ledgerOfLostWrites(
    ask: {
      scratch: Scratch;
      setAside: SetAsideDirectory;
      /** Of the recovered server. */
      timeline: number;
      database: string;
      tables: string[];
      store: EvidenceStore;
      service: string;
      run: string;
      runId: string;
      room: Room;
    } & Patience,
  ): Promise<Found & Pick<Ledger, 'at' | 'tables' | 'notes'>>;
}
