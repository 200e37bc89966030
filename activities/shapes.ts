/**
 * What goes into activities and comes out of them, in the words that workflows, workers and histories share.
 * Every shape is small and plain: it is kept in a history for years, and read from it by whoever sweeps up later.
 */
import type { Leftover } from '../evidence/evidence.ts';
import type { Lsn, SegmentRange } from '../recovery/archive.ts';
import type { ContentFault, Promotion } from '../recovery/content.ts';
import type { Looked } from '../recovery/search/naming.ts';
import type { Suspect } from '../recovery/search/suspects.ts';

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
  /** Tables whose rows are in no backup and on no standby: `public.cache`. */
  unlogged?: string[];
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
  /** When the newest one before the moment was acknowledged, by the database's clock. */
  lastAcknowledgedAt?: string;
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

export interface SegmentsBetween extends Found {
  /** In the order of the WAL, without a gap. */
  segments: Pick<SegmentRange, 'first' | 'last'>[];
  /** Every transaction of that time is seen from its first record on. */
  whole: boolean;
  looked: number;
}

export interface WalSearched extends Found {
  suspects: Suspect[];
  /** Lighter than those, or too many. */
  leftOut: number;
  read: number;
  /** Committed between the two moments. */
  transactions: number;
  tookMs: number;
  /** When the last transaction ended that was read. */
  upTo?: string;
}

/** What a catalog says of files and object ids. */
export interface Relations extends Found, Looked {
  /** Of the database that was asked. */
  database: number;
  /** The table that was asked for, as PostgreSQL writes its name; absent when there is none. */
  table?: string;
}

/** What is asked of a catalog. */
export interface RelationsAsk {
  files: string[];
  oids: number[];
  databases: number[];
  table?: string;
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
