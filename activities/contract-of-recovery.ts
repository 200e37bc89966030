/** What putting a restored server in the place of the live one asks for: part of the contract, in a file of its own. */
import type { Application, ApplicationCommand, Assertion, Member, PhysicalBackups } from '../plan/schema.ts';
import type { Lsn, RecoveryTarget, SegmentRange } from '../recovery/archive.ts';
import type { Known } from '../recovery/content.ts';
import type { WantedTarget } from '../recovery/wanted-target.ts';
import type { Following, StoppedAt } from './contract-of-switchover.ts';
import type { Found, Patience, Scratch } from './shapes.ts';

/** A member whose data directory is replaced by a restored one. All of it lies on one file system: a rename moves it, nothing is copied. */
export interface Replacement {
  member: Member;
  /** The server beside, whose `data/` becomes the data directory. */
  scratch: Scratch;
  /** Where the live directory is kept until a person accepts: `<dataDirectory>.before-<run>`. */
  setAside: string;
  backups: PhysicalBackups;
  /** What lies there is no live directory: then the configuration of the backup is used, and nothing that lies there. */
  onto?: Onto;
}

/** What is left of a server that is lost. */
export type Onto =
  /** No data directory, or an empty one: nothing is set aside. */
  | 'nothing'
  /** A data directory that nobody serves: it is set aside. */
  | 'remains';

/** How far a replacement has come, read from the directories themselves. */
export type ReplacementState =
  /** The live directory is where it always was. */
  | 'untouched'
  /** It is set aside, and nothing is in its place: a crash between the two renames. */
  | 'between'
  /** The restored directory is in its place. */
  | 'replaced';

/** Where in the archived WAL a wanted target lies. */
export interface LocatedTarget extends Found {
  /** Always by LSN, on a numeric timeline: every member recovers to the very same record. */
  target: RecoveryTarget & { kind: 'lsn' };
  /** Of the last commit that the target holds, where there is one in the segments read. UTC, microseconds. */
  at?: string;
  transaction?: number;
  /** What the archive holds after it: transactions committed there, and the newest of them. */
  after: {
    transactions: number;
    newestAt?: string;
    newestLsn?: Lsn;
    /** Not all of the WAL after it could be read. */
    atLeast?: true;
  };
  /** What people should know of it, a sentence each; they are part of `found` already. */
  notes?: string[];
}

/** Rows of a table, counted. */
export interface RowCount {
  /** Schema-qualified, as PostgreSQL prints it. */
  table: string;
  rows: number;
}

export interface RecoveryHostReads {
  /** What lies in the place of a data directory whose server is lost. @throws ServerAlive a process still works in it */
  whatLies(ask: { member: Member }): Promise<Found & { lies: Onto }>;
  /**
   * Whether the restored directory can take the live one's place: one file system, parents that may be written, the permit's serverControl, no
   * tablespace and no linked pg_wal outside of the data directory, no `setAside` there already that is not this run's.
   */
  canReplace(ask: Replacement): Promise<Found & { state: ReplacementState; liveBytes: number; freeBytes: number }>;
  /**
   * Finds the record that a person's target means, by reading the archived WAL: where PostgreSQL would stop for it.
   * @throws TargetOutsideWindow @throws ArchiveGap @throws BackupCorrupt
   */
  locateTarget(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      /** In the order of the WAL, from the backup on that would be recovered. */
      segments: Pick<SegmentRange, 'first' | 'last'>[];
      known: Known;
      serverVersion: number;
      timeline: number;
      target: WantedTarget;
      /** Where the oldest backup that can be recovered ends: a name or a transaction that lies before it is not meant. */
      consistentFrom?: Lsn;
      /**
       * Everything that was committed up to this moment is known to be in these segments: a moment up to it is then a target also when
       * nothing was committed after it.
       */
      wholeUntil?: string;
      key?: string;
    } & Patience,
  ): Promise<LocatedTarget>;
  /** What the live server has now, by its own socket. */
  countRows(ask: { member: Member; database: string; tables: string[] }): Promise<Found & { tables: RowCount[] }>;
  /** The plan's statements about the data, on the live server by its own socket. @throws AssertionsFailed */
  assertionsLive(ask: { member: Member; database: string; assertions: Assertion[] }): Promise<Found>;
}

export interface RecoveryHostChanges {
  /** Stops the server beside cleanly and syncs it: pg_control says `shut down`, or `shut down in recovery` of one that stays a standby. */
  stopBeside(ask: { scratch: Scratch }): Promise<Found & StoppedAt & { inRecovery: boolean }>;
  /** Stops a live standby fast; safe to repeat. @throws SplitBrain it runs as a primary */
  stopStandby(ask: { member: Member; withinMs: number }): Promise<Found>;
  /** Undo of it: starts it again as it was. */
  startStandby(ask: { member: Member; withinMs: number }): Promise<Found>;
  /**
   * Sets the live directory aside and puts the restored one in its place, both stopped: production configuration back, every setting of the
   * recovery gone (`postgresql.auto.conf` too), no signal file of the recovery, files and both parents synced. With `follow` it will start as a
   * standby only (standby.signal before the rename), else as the primary.
   *
   * Safe to repeat, also after a crash between the two renames. @throws Moved the live server runs
   */
  replaceDirectory(ask: Replacement & { left: StoppedAt; follow?: Following }): Promise<Found & { state: 'replaced' }>;
  /**
   * Whether the configuration that came with the backup would start this member as production: all of it is there, and it archives into the
   * plan's stanza. @throws ConfigurationUnfit
   */
  ownConfiguration(ask: { scratch: Scratch; member: Member; backups: PhysicalBackups }): Promise<Found>;
  /** Undo: bit for bit back, the restored directory beside again. Safe to repeat. @throws Moved the server runs */
  replaceBack(ask: Replacement): Promise<Found & { state: 'untouched' }>;
  /** Starts the replaced primary with its production configuration; proven by its role, timeline and system identifier. */
  startReplaced(ask: {
    member: Member;
    timeline: number;
    systemIdentifier: string;
    withinMs: number;
  }): Promise<Found & { lsn: Lsn }>;
  /**
   * Undo once the new timeline's history has reached the archive: the old directory, in its place again and stopped, comes back as the primary
   * on a timeline above all that the archive knows (recovery.signal, recovery_target_timeline = current), so that `latest` works again.
   */
  returnOnNewTimeline(
    ask: { member: Member; backups: PhysicalBackups; above: number; withinMs: number } & Patience,
  ): Promise<Found & { timeline: number; lsn: Lsn }>;
  /** How a person looks for themselves at a server beside that is paused: a connection string of a role that only reads. */
  waysToLook(ask: { scratch: Scratch; database: string }): Promise<Found & { connection: string }>;
  /** Lets the application stop, or take up its work again. @throws SmokeFailed it ended with another exit code than 0 */
  tellApplication(ask: { what: 'quiesce' | 'resume'; command: ApplicationCommand }): Promise<Found>;
  /** The plan's own test of the application, against the live server by its own socket. @throws SmokeFailed */
  smokeLive(ask: { member: Member; database: string; application: Application }): Promise<Found>;
}
