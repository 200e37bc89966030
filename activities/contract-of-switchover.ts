/** What a planned change of primary and standby asks for: part of the contract, in a file of its own. */
import type { Database, FrontDoor, Member, PhysicalBackups, PulseSettings, Traffic } from '../plan/schema.ts';
import type { Replication } from '../plan/server-control.ts';
import type { ReachedServer } from '../plan/sites.ts';
import type { Lsn, TableFingerprint } from '../recovery/archive.ts';
import type { Found, Patience } from './shapes.ts';

/** What a live server says of itself, to its own user on its own host. */
export interface ServerFacts extends Found {
  host: string;
  /** Clock of the host. */
  at: string;
  role: 'primary' | 'standby';
  /** Of a primary the one that it writes on, of a standby the one that it receives. */
  timeline: number;
  /** SHA-256 of that timeline's history file; absent on timeline 1, and where the server does not have it. */
  history?: string;
  systemIdentifier: string;
  serverVersion: number;
  segmentBytes: number;
  /** Of a primary where it writes, of a standby up to where it has replayed. */
  lsn: Lsn;
  /** Of a standby: `streaming`, and by which slot. */
  receiver?: { state: string; slot?: string };
  /** Of a standby: `not paused`. */
  replay?: string;
  /** What a promoted server would do with its WAL. */
  archiving: { mode: string; fit: boolean; why: string };
  /** What the archiver fails with now, and how many files wait for it. */
  archiver: { failing?: string; waiting: number };
  synchronousStandbys: string;
  slots: { name: string; kind: 'physical' | 'logical'; active: boolean }[];
  /** Of a primary: who streams from it. */
  streams: { application: string; state: string; slot?: string }[];
  room: { wal: number; senders: number; slots: number };
  /** Sessions of others than the server itself, and transactions that are prepared. */
  sessions: number;
  prepared: number;
  /** Bytes free on the disk of the data directory. */
  freeBytes: number;
}

/** Where a stopped primary's WAL ends: its shutdown checkpoint. */
export interface StoppedAt {
  lsn: Lsn;
  timeline: number;
  systemIdentifier: string;
}

export interface DoorServer {
  server: string;
  /** The load balancer's own word. */
  state: string;
  serves: boolean;
  /** A check of its own keeps it out: it may be given back to that check. */
  checked: boolean;
  sessions: number;
}

/** How the old primary follows the new one. */
export interface Following {
  /** The old primary. */
  member: Member;
  primary: ReachedServer;
  replication: Replication;
  slot: string;
  backups: PhysicalBackups;
  /** The new timeline, and where it was forked. */
  timeline: number;
  /** Its number, where the archive holds newer ones that are nobody's; else it follows the newest, also after the next promotion. */
  line?: string;
  /** How the old primary was left: one that has written since is no standby of the new one. */
  left: StoppedAt;
}

export interface SwitchoverControlReads {
  /** What the load balancer does now. */
  doorState(ask: { traffic: Traffic }): Promise<Found & { servers: DoorServer[] }>;
  /**
   * The pulse across the switch: the last one acknowledged before, the first one after, and whether all acknowledged ones are there.
   * Waits for the first one after, `withinMs` at most.
   */
  pulsesAcross(ask: {
    pulse: PulseSettings;
    service: string;
    frontDoor: FrontDoor;
    /** Timeline of the new primary. */
    timeline: number;
    withinMs: number;
    /** Where the new timeline begins, when that was chosen: later ones on the old line are not expected to be there. */
    upTo?: Lsn;
  }): Promise<Found & { acknowledged: number; missing: number; gapMs?: number; lostMs?: number }>;
}

export interface SwitchoverControlChanges {
  /** No server behind it is given sessions, and those that were open are ended; proven by a connection that is refused. */
  closeDoor(ask: { traffic: Traffic; frontDoor: FrontDoor }): Promise<Found & { at: string }>;
  /**
   * Leads to this server alone; proven by a write through it that lands there.
   *
   * @throws SplitBrain another member says that it is the primary: the door stays closed
   */
  openDoor(ask: {
    traffic: Traffic;
    database: Database;
    addresses: Record<string, string>;
    to: string;
    timeline: number;
    systemIdentifier: string;
  }): Promise<Found & { at: string; lsn: Lsn }>;
  /** Leaves a server to the load balancer's own check again. */
  releaseServer(ask: { traffic: Traffic; server: string }): Promise<Found>;
}

export interface SwitchoverHostReads {
  /** @throws NotPermitted this host's permit does not let its server be stopped and started, where `control` is wanted */
  serverFacts(ask: { member: Member; backups: PhysicalBackups; replication?: Replication }): Promise<ServerFacts>;
  /**
   * A standby has replayed past this position. @throws StandbyUnfit not within the time
   *
   * @param ask.orAfter a primary on a later timeline than this one holds it too
   */
  caughtUp(ask: { member: Member; lsn: Lsn; withinMs: number; orAfter?: number }): Promise<Found & { lsn: Lsn }>;
  /** The archive of a standby's own site holds this segment, and its timeline's history. @throws ArchiveGap not within the time */
  archivedHere(ask: { member: Member; backups: PhysicalBackups; segment: string; withinMs: number }): Promise<Found>;
  /** How a server is found after a run that was ended in its middle, and the command that starts it. */
  howItStands(ask: {
    member: Member;
  }): Promise<Found & { role: 'primary' | 'standby' | 'stopped' | 'unknown'; standbyOnly: boolean; start: string }>;
  /** The old primary is still as it was left. @throws Moved it runs again, or has run */
  standsStill(ask: { member: Member; left: StoppedAt }): Promise<Found>;
}

export interface SwitchoverHostChanges {
  /** Shortens the stop: less is left to be written then. */
  checkpoint(ask: { member: Member }): Promise<Found>;
  makeSlot(ask: { member: Member; slot: string }): Promise<Found>;
  dropSlot(ask: { member: Member; slot: string }): Promise<Found>;
  /** Fast: sessions are ended, a checkpoint is written, a standby has received it. */
  stopPrimary(ask: {
    member: Member;
    timeline: number;
    systemIdentifier: string;
    withinMs: number;
  }): Promise<Found & StoppedAt>;
  /** Undo of the stop. */
  startPrimary(ask: { member: Member; timeline: number; withinMs: number }): Promise<Found>;
  /** A stopped primary starts only as a standby from then on, whoever starts it. @throws Moved it runs again, or has run */
  standbyOnly(ask: { member: Member; left: StoppedAt }): Promise<Found>;
  /** Undo of it. */
  primaryAgain(ask: { member: Member; withinMs: number }): Promise<Found>;
  /** @param ask.atLeast it need not have replayed past `from`, only up to it: nobody knows where a lost primary ended */
  promoteStandby(ask: {
    member: Member;
    from: StoppedAt;
    withinMs: number;
    atLeast?: true;
  }): Promise<Found & { timeline: number; lsn: Lsn }>;
  /**
   * Ends a segment and waits until the archive holds all of the timeline up to it, or since a position, its history too.
   *
   * @param ask.withoutCheckpoint for a primary that is only read from next, and has not been promoted just now
   */
  archiveReaches(
    ask: {
      member: Member;
      backups: PhysicalBackups;
      timeline: number;
      since?: Lsn;
      withoutCheckpoint?: true;
    } & Patience,
  ): Promise<Found & { segment: string }>;
  /** Tells the old primary whom to follow. @throws SplitBrain it runs as a primary @throws Diverged it has run as one, and is stopped */
  makeFollower(ask: Following): Promise<Found>;
  /** Brings it up to this position, where nobody else reaches it, reads the tables there, and stops it again. */
  fingerprintsAt(
    ask: Following & { lsn: Lsn; database: string; tables: string[]; withinMs: number },
  ): Promise<Found & { tables: TableFingerprint[] }>;
  /** Tells a standby which archive to ask for what it lacks; one that another archive holds up is started anew. */
  askArchive(ask: { member: Member; backups: PhysicalBackups; withinMs: number }): Promise<Found>;
  /** Starts it; proven when it streams on the new timeline. @throws SplitBrain it runs as a primary */
  startFollower(ask: Following & { withinMs: number }): Promise<Found & { lsn: Lsn }>;
}
