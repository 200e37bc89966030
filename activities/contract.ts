/**
 * What workflows may ask for, and of whom. Control workers answer over the network, host workers beside the files.
 * `Reads` look at the estate; `Records` write Lifeboat's own records; `Changes` make something, be it only a throw-away server.
 * A worker that offers only Reads and Records can run every runbook as a dry run.
 */
import type { Evidence, Leftover } from '../evidence/evidence.ts';
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
import type { ContentFault, Known, Promotion } from '../recovery/content.ts';

/** What people read of a result: one sentence each. Every activity that stands for a step returns it. */
export interface Found {
  found: string;
  expected?: string;
  log?: { host: string; path: string; lastLines: string[] };
}

/** What stands on a store that may be away for a while. */
export interface Patience {
  /**
   * How long an outage may be waited for, milliseconds since the activity was first scheduled, all attempts together.
   * Absent: not at all, what does not answer is said at once.
   */
  outageWithinMs?: number;
}

/** A server beside the live one, in a directory of its own below a permitted scratch root. */
export interface Scratch {
  host: string;
  /** `<scratch root>/<run>`; holds data/, socket/, log/, spool/, and the pid files. */
  directory: string;
  /** Whose data it will hold; noted in it, for whoever finds it later. */
  service?: string;
}

/** What a restore and its replay may take of the disk. */
export interface Room {
  /** The restored data and the WAL to replay. */
  bytes: number;
  /** Stays free for the live server, whoever else writes there: `10GB`. */
  keepFree: string;
}

export interface ServiceMoment extends Found {
  /** The database's clock, UTC, microseconds: `2026-11-21T14:02:11.123456Z`. */
  at: string;
  /** How far the clock of the worker that asked is ahead of the database's; milliseconds. */
  workerAheadMs: number;
  timeline: number;
  lsn: Lsn;
  systemIdentifier: string;
  /** server_version_num, 150018. */
  serverVersion: number;
  segmentBytes: number;
  checksums: boolean;
  /** The newest segment whose archiving the server had confirmed; read in the same query as the clock. */
  lastArchivedWal?: string;
  /** What the archiver did last, a segment or another file; and what it has failed with since. */
  archiver?: { last?: string; failing?: string };
  /** Collation provider and version recorded in the database: `libc 2.36`. */
  collation: { provider: string; version?: string };
  extensions: { name: string; version: string }[];
  tablespaces: { oid: number; location: string }[];
  slots: string[];
  /** application_name of every session that Lifeboat has here. */
  ownSessions: string[];
}

export interface MemberState {
  host: string;
  role: 'primary' | 'standby' | 'unknown';
  timeline?: number;
  lsn?: Lsn;
  lagMs?: number;
  why?: string;
}

export interface PulseComparison extends Found {
  /** Acknowledged pulses with an LSN up to the target, and how many of them the restored database lacks. */
  acknowledged: number;
  missing: number;
  /** At most 20 numbers of those. */
  examples: number[];
  /** Newest acknowledged pulse that came back. */
  newest?: { number: number; at: string; lsn: Lsn };
  /** Acknowledged before the moment, not in the restored database because they lie past the target. */
  lost: number;
  /** The database's clock was set back between the newest that came back and the moment, by so many milliseconds. */
  setBackMs?: number;
}

export interface HostFacts extends Found {
  /** The clock of the host. */
  at: string;
  /** server_version_num of the binaries here. */
  serverVersion: number;
  /** Collation version of the C library: `2.36`. */
  libc?: string;
  freeBytes: number;
}

export interface NewestCommit extends Found {
  /** Start of the commit record, and its time. */
  lsn: Lsn;
  at: string;
  /** Its 32-bit number. */
  transaction?: number;
  segment: string;
}

export interface SegmentsRead extends Found {
  read: number;
  /** At most 100. */
  faults: ContentFault[];
  /** Of the timelines whose first segment was among them. */
  promotions: Promotion[];
}

export interface EndOfRecovery extends Found {
  lsn: Lsn;
  timeline: number;
  lastCommitAt?: string;
  /** The next transaction id, 64 bits: the difference of two counts the transactions replayed in between. */
  nextTransaction?: number;
}

/** The file in a scratch directory. */
export interface MadeBy {
  schema: 'lifeboat.scratch/1';
  /** Workflow id: the run's name for people. */
  run: string;
  /** Id of the run's first execution, kept across resets; absent when whoever asked did not say. */
  firstRunId?: string;
  /** Id of the execution that made the directory, or took it over. */
  execution: string;
  /** Workflow type. */
  runbook: string;
  namespace: string;
  service?: string;
  /** UTC. */
  madeAt: string;
}

/** Something on a host that a run of Lifeboat may have left there, before anybody has judged whose it is. */
export interface LeftoverFound {
  host: string;
  kind: Leftover['kind'];
  /** As people read it. */
  what: string;
  /** Which one it is: another of the same name has another identity. */
  identity: string;
  path?: string;
  /** A symbolic link: nobody follows it. */
  link?: true;
  pid?: number;
  bytes?: number;
  since?: string;
  note?: string;
  /** Of a paused replay: Lifeboat's own process would resume it. */
  watched?: boolean;
  /** What the file in a scratch directory says. */
  madeBy?: Omit<MadeBy, 'schema'>;
}

/** What the history of a closed run says that it made, and did not remove or bring to an end. */
export interface Trace {
  run: string;
  /** How it ended, as Temporal says: TERMINATED, TIMED_OUT. */
  status: string;
  endedAt: string;
  /** Directories that it used. */
  scratch: { host: string; directory: string }[];
  /** Hosts on which it was about to pause replay. */
  pausing: string[];
}

export interface ControlReads {
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
  /** Whether the service itself has committed this transaction at this moment; throws ArchiveUnsound when it has not. */
  ownCommit(ask: { frontDoor: FrontDoor; transaction: number; at: string }): Promise<Found>;
  /** Whether the key has signed this text; whose key it is says the plan. */
  verifySignature(ask: { text: string; signature: Signature }): Promise<Found & { holds: boolean }>;
  noLiveRun(ask: { service: string }): Promise<Found>;
  lockHolder(ask: {
    lock: string;
    me: { workflowId: string; runId: string; firstRunId: string };
  }): Promise<{ free: boolean; mine?: true; holder?: string; runbook?: string; since?: string }>;
  /** Whether this very execution holds the lock; reads only. */
  holdsLock(ask: { lock: string; me: { workflowId: string; runId: string } }): Promise<{ held: boolean }>;
  /** Closed runs of the service that could not clean up, newest first, and what their histories tell. */
  tracesOfEnded(ask: { service: string }): Promise<Found & { traces: Trace[] }>;
  /** Whose each thing is: of a run that goes on, of one that has ended, or nobody knows. */
  judgeLeftovers(ask: {
    found: LeftoverFound[];
    traces: Trace[];
    locks: string[];
    me: { workflowId: string };
  }): Promise<Found & { leftovers: Leftover[] }>;
  /** What a dry run of the sweep has shown. */
  shownBy(ask: { run: string; service: string; store: EvidenceStore }): Promise<Found & { leftovers: Leftover[] }>;
  /** Whether a worker has polled the task queue lately. */
  somebodyPolls(ask: { queue: string }): Promise<Found & { polls: boolean }>;
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
}

export interface HostReads {
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
  roomFor(ask: { scratch: Scratch; bytes: number; keepFree: string }): Promise<Found & { freeBytes: number }>;
  /** What lies here that a run may have left. */
  leftovers(ask: { host: string; service: string; members: Member[] }): Promise<Found & { leftovers: LeftoverFound[] }>;
  /** Processes, directories, sessions that carry this run's name; throws LitterFound. */
  litter(ask: { scratch: Scratch }): Promise<Found>;
}

export interface HostChanges {
  restoreBeside(
    ask: {
      backups: PhysicalBackups;
      label: string;
      bytes: number;
      scratch: Scratch;
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
    throwAway: boolean;
    /** Absent: only the disk itself says when it is full. */
    room?: Room;
  }): Promise<EndOfRecovery>;
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
  checkIndexes(ask: { scratch: Scratch; database: string }): Promise<Found>;
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
