/** What a backup repository holds, as a recovery sees it. Pure: filled by a backup kind, judged here. */

/** `0/59E1A40`: a position in the WAL, as PostgreSQL prints it. */
export type Lsn = string;

export interface BackupInfo {
  label: string;
  type: 'full' | 'diff' | 'incr';
  /** UTC, ISO 8601. */
  startedAt: string;
  stoppedAt: string;
  startLsn: Lsn;
  stopLsn: Lsn;
  /** Segment names, `000000010000000000000005`. */
  startWal: string;
  stopWal: string;
  timeline: number;
  /** Size once restored, and size in the repository with what it depends on. */
  bytes: number;
  repositoryBytes: number;
  /** The tool found damaged pages or an error while it took the backup. */
  error: boolean;
  /** Key of the step that took it, when Lifeboat did. */
  takenBy?: string;
  tablespaces: { oid: number; location: string }[];
}

/** First and last segment of an unbroken run of segments. */
export interface SegmentRange {
  first: string;
  last: string;
  count: number;
}

export interface TimelineInfo {
  id: number;
  /** Absent for timeline 1, and where the history file is missing. */
  parent?: number;
  /** Where it left its parent. */
  forkLsn?: Lsn;
  /** All ancestors, oldest first, as its history file lists them. */
  ancestors: { timeline: number; forkLsn: Lsn }[];
  hasHistory: boolean;
  ranges: SegmentRange[];
}

/** What the listing itself shows to be wrong. */
export interface Oddity {
  kind: /** One segment, several files: nobody can tell which is the right one, and pgBackRest gives out neither. */
    | 'stored-twice'
    | 'stray-partial'
    /** PostgreSQL would not read it. */
    | 'history-corrupt'
    /** A name that segments of this size cannot have. */
    | 'segment-size'
    /** Lies where nobody looks for it, is empty, or is no file of a WAL archive at all. */
    | 'stranger';
  /** Of its WAL segment, or of the file. */
  name: string;
  why: string;
}

export interface Repository {
  backups: BackupInfo[];
  timelines: TimelineInfo[];
  /** Bytes of one WAL segment. */
  segmentBytes: number;
  oddities: Oddity[];
  systemIdentifier: string;
}

/** A point where the content of the critical tables is known. */
export interface Anchor {
  lsn: Lsn;
  timeline: number;
  /** When it was taken, UTC. */
  at: string;
  /** Newest commit that it holds, UTC. */
  lastCommitAt?: string;
  systemIdentifier: string;
  /** `standby db2, replay paused` or `primary db1, under a SHARE lock`. */
  source: string;
  tables: TableFingerprint[];
}

export interface TableFingerprint {
  /** Schema-qualified, as PostgreSQL prints it. */
  table: string;
  rows: number;
  /** Decimal: sum(hash_record_extended(row, 0)). */
  fingerprint: string;
  /** Columns without a hash of their own, cast to text. */
  castToText: string[];
}

/** Always explicit, always on a numeric timeline; `latest` never reaches PostgreSQL. */
export type RecoveryTarget =
  | { kind: 'lsn'; lsn: Lsn; inclusive: boolean; timeline: number }
  | { kind: 'time'; at: string; timeline: number };

/** Numbers of pulses, first and last included. */
export type Interval = [first: number, last: number];
