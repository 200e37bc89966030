/** What bringing a standby back asks for: part of the contract, in a file of its own. */
import type { Member, PhysicalBackups } from '../plan/schema.ts';
import type { Replication } from '../plan/server-control.ts';
import type { Lsn } from '../recovery/archive.ts';
import type { Place, PrimaryKept, StandbyFound, WayBack } from '../recovery/rebuild.ts';
import type { Following, StoppedAt } from './contract-of-switchover.ts';
import type { Found, Scratch } from './shapes.ts';

/** What takes the standby's place: a directory restored below a scratch root, or else a copy of the primary beside its own. */
export interface Exchange {
  member: Member;
  /** Names what lies beside the data directory: `<dataDirectory>.before-<run>` is the old one, kept until a person removes it. */
  run: string;
  /** How the restored server was stopped. Absent: the copy takes its place. */
  restored?: { scratch: Scratch; left: StoppedAt };
}

export interface RebuildHostReads {
  /** What is left of a standby, by itself and by its files, whether it runs or not. */
  standbyFound(ask: { member: Member; replication: Replication }): Promise<Found & StandbyFound>;
  /** What the primary still has of its WAL, and what it would let a standby do. @throws NotPrimary */
  primaryKeeps(ask: { member: Member; slot: string; replicationUser: string }): Promise<Found & PrimaryKept>;
  /** What this server has committed on its own timeline since a position. */
  writesAfter(ask: {
    member: Member;
    timeline: number;
    from: Lsn;
    /** The segments of its own since then; what it has removed of them is fetched, where there is an archive. */
    own: string[];
    backups?: PhysicalBackups;
    scratch: Scratch;
  }): Promise<Found & { transactions: number; whole: boolean }>;
  /**
   * Whether pg_rewind finds its way: by its own rehearsal, which writes nothing; or else by the archive, where what is missing of the way
   * back to the last common checkpoint can be fetched.
   */
  canRewind(ask: {
    member: Member;
    primary: Following['primary'];
    replication: Replication;
    backups: PhysicalBackups;
    scratch: Scratch;
    /** Where it has left the primary's line, and its own segments around that. */
    from: Lsn;
    way: WayBack;
  }): Promise<Found & { possible: boolean; fetch: string[] }>;
  /** Whether another directory could take the standby's place by a rename, and where it could be made. */
  canTakePlace(ask: { member: Member; scratch: Scratch }): Promise<Found & Place>;
}

export interface RebuildHostChanges {
  /** On the primary. A slot that has lost nothing stays: it keeps what the standby has not seen. @throws Moved somebody else uses it */
  keepSlot(ask: { member: Member; slot: string }): Promise<Found & { made: boolean }>;
  /** Stops it, if it runs, and tells it whom to follow. @throws SplitBrain it runs as a primary @throws Diverged */
  reattach(ask: Following): Promise<Found>;
  /**
   * Takes back what the standby has written beside the primary. Nobody can start it meanwhile: its directory has another name.
   *
   * @throws SplitBrain @throws Moved it is not as it was assessed @throws RewindFailed nothing was changed, or its directory is spoilt: it says which
   */
  rewind(ask: Following & { run: string; fetch: string[] }): Promise<Found>;
  /** Copies the primary into a directory beside the standby's own. */
  copyPrimary(ask: Following & { run: string }): Promise<Found>;
  /** Undo of it. */
  removeCopy(ask: { member: Member; run: string }): Promise<Found>;
  /** The new directory takes the old one's place and its configuration; it can only start as a standby. @throws SplitBrain @throws Moved */
  takePlace(ask: Following & Exchange): Promise<Found>;
  /** Undo: the old directory as it was; started again where it ran as a standby. */
  giveBack(ask: Exchange & Pick<Following, 'backups'> & { primary: string; ran: boolean }): Promise<Found>;
}
