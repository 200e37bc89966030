/**
 * What workflows may ask for, and of whom. Control workers answer over the network, host workers beside the files.
 * `Reads` look at the estate; `Records` write Lifeboat's own records; `Changes` make something, be it only a throw-away server.
 * A worker that offers only Reads and Records can run every runbook as a dry run.
 */
import type { Evidence, Leftover, Mode } from '../evidence/evidence.ts';
import type { EarlierRun } from '../evidence/forecast.ts';
import type { Place } from '../evidence/people.ts';
import type { Signature } from '../evidence/signing.ts';
import type {
  Application,
  Assertion,
  Database,
  EvidenceStore,
  FrontDoor,
  Member,
  PhysicalBackups,
  Plan,
  PulseSettings,
  Traffic,
} from '../plan/schema.ts';
import type {
  Anchor,
  BackupInfo,
  Interval,
  Lsn,
  RecoveryTarget,
  Repository,
  SegmentRange,
  TableFingerprint,
} from '../recovery/archive.ts';
import type { Known } from '../recovery/content.ts';
import type { ApplicationChanges, ApplicationReads } from './contract-of-application.ts';
import type { CacheControlChanges, CacheControlReads, CacheHostChanges, CacheHostReads } from './contract-of-cache.ts';
import type { EntryChanges, EntryReads } from './contract-of-entry.ts';
import type { FailoverControlReads, FailoverHostChanges, FailoverHostReads } from './contract-of-failover.ts';
import type { FilesChanges, FilesReads } from './contract-of-files.ts';
import type { LedgerControlReads, LedgerHostChanges, LedgerHostReads } from './contract-of-ledger.ts';
import type { NetworkReads } from './contract-of-network.ts';
import type { PatroniControlChanges, PatroniControlReads, PatroniHostReads } from './contract-of-patroni.ts';
import type { RebuildHostChanges, RebuildHostReads } from './contract-of-rebuild.ts';
import type { RecoveryHostChanges, RecoveryHostReads } from './contract-of-recovery.ts';
import type {
  SwitchoverControlChanges,
  SwitchoverControlReads,
  SwitchoverHostChanges,
  SwitchoverHostReads,
} from './contract-of-switchover.ts';
import type { VisitorsChanges, VisitorsReads } from './contract-of-visitors.ts';
import type { Message, Outlets, Posted } from './notify/message.ts';
import type {
  EndOfRecovery,
  Found,
  HostFacts,
  LeftoverFound,
  MemberState,
  NewestCommit,
  Patience,
  PulseComparison,
  Relations,
  RelationsAsk,
  Room,
  Scratch,
  SegmentsBetween,
  SegmentsRead,
  ServiceMoment,
  Trace,
  WalSearched,
} from './shapes.ts';

export type * from './contract-of-application.ts';
export type * from './contract-of-cache.ts';
export type * from './contract-of-entry.ts';
export type * from './contract-of-failover.ts';
export type * from './contract-of-files.ts';
export type * from './contract-of-ledger.ts';
export type * from './contract-of-network.ts';
export type * from './contract-of-patroni.ts';
export type * from './contract-of-rebuild.ts';
export type * from './contract-of-recovery.ts';
export type * from './contract-of-switchover.ts';
export type * from './contract-of-visitors.ts';
export type * from './notify/message.ts';

export interface ControlReads
  extends SwitchoverControlReads,
    FailoverControlReads,
    LedgerControlReads,
    EntryReads,
    VisitorsReads,
    NetworkReads,
    CacheControlReads,
    PatroniControlReads {
  loadPlan(ask: { service?: string }): Promise<{ plan: Plan; sha256: string; file: string } & Found>;
  resolveSecrets(ask: { names: string[] }): Promise<Found>;
  serviceMoment(ask: { frontDoor: FrontDoor }): Promise<ServiceMoment>;
  members(ask: { database: Database; addresses: Record<string, string> }): Promise<Found & { members: MemberState[] }>;
  storeAnswers(ask: { store: EvidenceStore } & Patience): Promise<Found>;
  /** Newest first, at most 100. */
  listAnchors(ask: { store: EvidenceStore; service: string } & Patience): Promise<Found & { anchors: Anchor[] }>;
  comparePulses(ask: {
    pulse: PulseSettings;
    restored: Interval[];
    upTo: Lsn;
    since: string;
    momentAt: string;
    /** Where the WAL stood at that moment: a clock that was set meanwhile does not move it. */
    momentLsn?: Lsn;
    /** Needed where one directory holds the logs of several services. */
    service?: string;
    /** The line that was recovered: pulses written past a fork of it are an earlier failover's loss. */
    timeline?: number;
    ancestors?: { timeline: number; forkLsn: Lsn }[];
  }): Promise<PulseComparison>;
  /** When each of these was last proven, by name; absent: never. */
  lastProven(ask: { store: EvidenceStore; service: string } & Patience): Promise<Record<string, string>>;
  /** What the last runs of this runbook in this mode took that ended well, newest first, at most 5. */
  earlierRuns(ask: {
    store: EvidenceStore;
    service: string;
    runbook: string;
    mode: Mode;
  }): Promise<Found & { runs: EarlierRun[] }>;
  /** Whether the service itself has committed this transaction at this moment; throws ArchiveUnsound when it has not. */
  ownCommit(ask: { frontDoor: FrontDoor; transaction: number; at: string }): Promise<Found>;
  /** Whether the key has signed this text; whose key it is says the plan. */
  verifySignature(ask: { text: string; signature: Signature }): Promise<Found & { holds: boolean }>;
  noLiveRun(ask: { service: string }): Promise<Found>;
  lockHolder(ask: {
    lock: string;
    me: { workflowId: string; runId: string; firstRunId: string };
  }): Promise<{ free: boolean; mine?: true; holder?: string; runbook?: string; since?: string }>;
  /** Whether this very execution holds the lock, and else the run that goes on and does; reads only. */
  holdsLock(ask: {
    lock: string;
    me: { workflowId: string; runId: string };
  }): Promise<{ held: boolean; other?: { holder: string; runbook?: string; since: string } }>;
  /** Closed runs of the service that could not clean up, newest first, and what their histories tell. */
  tracesOfEnded(ask: { service: string }): Promise<Found & { traces: Trace[] }>;
  /** Whose each thing is: of a run that goes on, of one that has ended, or nobody knows. */
  judgeLeftovers(ask: {
    found: LeftoverFound[];
    traces: Trace[];
    locks: string[];
    me: { workflowId: string };
    /** How long the plan keeps what a recovery has set aside, milliseconds. */
    keepOldForMs?: number;
  }): Promise<Found & { leftovers: Leftover[] }>;
  /** What a dry run of the sweep has shown. */
  shownBy(ask: { run: string; service: string; store: EvidenceStore }): Promise<Found & { leftovers: Leftover[] }>;
  /** Whether a worker has polled the task queue lately. */
  somebodyPolls(ask: { queue: string }): Promise<Found & { polls: boolean }>;
  /** What the service's own catalog says now. */
  liveRelations(ask: { frontDoor: FrontDoor } & RelationsAsk): Promise<Relations>;
  previewTraffic(ask: { traffic: Traffic; wouldServe: string }): Promise<Found>;
}

export interface ControlRecords {
  /** To the store, or to the directory when the store is down. `secrets` never are in it. */
  writeEvidence(ask: {
    store: EvidenceStore;
    evidence: Evidence;
  }): Promise<Found & { location: string; sha256: string }>;
  saveAnchor(
    ask: { store: EvidenceStore; service: string; anchor: Anchor } & Patience,
  ): Promise<Found & { location: string }>;
  /** Tells people, by Slack or else by the webhook. Never fails: where it went, or that it went nowhere, is the answer. */
  post(ask: {
    outlets: Outlets;
    /** The run, without its steps. */
    run: Evidence;
    message: Message;
    /** Absent: it is not known, or there is none; then this begins it. */
    thread?: Place;
    head?: Pick<Message, 'headline' | 'lines'>;
    /** A message whose buttons are to go. */
    closes?: Place;
    /** What was told by other ways, or nobody, since Slack took something last. */
    missed: { id: string; headline: string }[];
    restUntil?: string;
    /** Slack may have it already: an earlier execution, or an answer that was lost. */
    mayBeThere: boolean;
    /** How long Slack is waited for, milliseconds. */
    slackWithinMs: number;
    /** Only Slack can show buttons: the webhook has told it before. */
    slackOnly?: true;
  }): Promise<Posted>;
}

/** What changes the service itself, over the network. */
export interface ControlChanges
  extends SwitchoverControlChanges,
    EntryChanges,
    VisitorsChanges,
    CacheControlChanges,
    PatroniControlChanges {}

export interface HostReads
  extends SwitchoverHostReads,
    FailoverHostReads,
    RecoveryHostReads,
    RebuildHostReads,
    LedgerHostReads,
    PatroniHostReads,
    ApplicationReads,
    CacheHostReads,
    FilesReads {
  /** The permit file covers what the run will touch; the tools are here; where the socket path is not too long. */
  hostFacts(ask: {
    backups: PhysicalBackups;
    scratch: Scratch;
    smoke?: string[];
    extensions?: { name: string; version: string }[];
  }): Promise<HostFacts>;
  repository(ask: { backups: PhysicalBackups; segmentBytes: number } & Patience): Promise<Repository & Found>;
  /** By an archived segment itself; absent when none is there. */
  segmentSize(ask: { backups: PhysicalBackups; scratch: Scratch }): Promise<Found & { segmentBytes?: number }>;
  /** Whether segments hold what their names say; `wholly` also compares all of their content with its checksum. */
  readSegments(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      segments: Pick<SegmentRange, 'first' | 'last'>[];
      known: Known;
      wholly: boolean;
    } & Patience,
  ): Promise<SegmentsRead>;
  newestCommit(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      timeline: number;
      lastSegment: string;
      firstSegment: string;
      segmentBytes: number;
      key?: string;
    } & Patience,
  ): Promise<NewestCommit>;
  /** Which of these segments, in the order of the WAL, hold what was committed between two moments. */
  segmentsBetween(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      segments: Pick<SegmentRange, 'first' | 'last'>[];
      segmentBytes: number;
      from: string;
      to: string;
      /** Segments that are known to be too early, and too late. */
      notAfter?: string;
      notBefore?: string;
      key?: string;
    } & Patience,
  ): Promise<SegmentsBetween>;
  /** Transactions of that time that have changed many rows, or dropped files of relations. */
  searchWal(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      segments: Pick<SegmentRange, 'first' | 'last'>[];
      known: Known;
      serverVersion: number;
      from: string;
      to: string;
      leastRows: number;
      key?: string;
    } & Patience,
  ): Promise<WalSearched>;
  roomFor(ask: { scratch: Scratch; bytes: number; keepFree: string }): Promise<Found & { freeBytes: number }>;
  /** What lies here that a run may have left. */
  leftovers(ask: { host: string; service: string; members: Member[] }): Promise<Found & { leftovers: LeftoverFound[] }>;
  /** Processes, directories, sessions that carry this run's name; throws LitterFound. */
  litter(ask: { scratch: Scratch }): Promise<Found>;
}

export interface HostChanges
  extends SwitchoverHostChanges,
    FailoverHostChanges,
    RecoveryHostChanges,
    RebuildHostChanges,
    LedgerHostChanges,
    ApplicationChanges,
    CacheHostChanges,
    FilesChanges {
  restoreBeside(
    ask: {
      backups: PhysicalBackups;
      label: string;
      bytes: number;
      scratch: Scratch;
      /** Others on the host have the processors first. */
      throwAway: boolean;
      key?: string;
      /** Absent: only the disk itself says when it is full. */
      room?: Room;
    } & Patience,
  ): Promise<Found & { bytes: number }>;
  /** Starts the server, or stops and restarts it with a new target, and returns when it is paused there. */
  replayTo(ask: {
    backups: PhysicalBackups;
    scratch: Scratch;
    target: RecoveryTarget;
    outageWithinMs: number;
    /** The server may lose its data in a crash, and others on the host have the processors first. */
    throwAway: boolean;
    /** Absent: only the disk itself says when it is full. */
    room?: Room;
  }): Promise<EndOfRecovery>;
  /** Moves the server to a target, as `replayTo`, and asks its catalogs there. */
  relationsAt(
    ask: {
      backups: PhysicalBackups;
      scratch: Scratch;
      target: RecoveryTarget;
      outageWithinMs: number;
      room?: Room;
      /** The service's own database: names of its relations need no more. */
      database: string;
    } & RelationsAsk,
  ): Promise<Relations>;
  endOfRecovery(ask: { scratch: Scratch }): Promise<EndOfRecovery>;
  fingerprints(ask: {
    scratch: Scratch;
    database: string;
    tables: string[];
  }): Promise<Found & { tables: TableFingerprint[] }>;
  pulsesRestored(ask: { scratch: Scratch; database: string }): Promise<Found & { intervals: Interval[] }>;
  runAssertions(ask: { scratch: Scratch; database: string; assertions: Assertion[] }): Promise<Found>;
  promoteScratch(ask: { scratch: Scratch } & Patience): Promise<Found & { timeline: number }>;
  smoke(ask: { scratch: Scratch; database: string; application: Application }): Promise<Found>;
  /** `asItIs`: nothing is installed for it, on a server that is paused or will serve; without amcheck in the database it says so. */
  checkIndexes(ask: { scratch: Scratch; database: string; asItIs?: true }): Promise<Found>;
  checkConstraints(ask: { scratch: Scratch; database: string }): Promise<Found>;
  /** Stops the server to read every page. */
  checkPages(ask: { scratch: Scratch }): Promise<Found>;
  removeScratch(ask: { scratch: Scratch }): Promise<Found>;
  removeLeftovers(ask: { host: string; members: Member[]; leftovers: Leftover[] }): Promise<Found>;

  takeBackup(
    ask: {
      backups: PhysicalBackups;
      member: Member;
      type: BackupInfo['type'];
      key: string;
    } & Patience,
  ): Promise<Found & { backup: BackupInfo; clockAheadMs: number }>;
  anchorOnStandby(ask: {
    member: Member;
    database: string;
    tables: string[];
    withinMs: number;
  }): Promise<Found & { anchor: Anchor }>;
  anchorUnderLock(ask: {
    member: Member;
    database: string;
    tables: string[];
    lockWithinMs: number;
    key: string;
  }): Promise<Found & { anchor: Anchor }>;
}
