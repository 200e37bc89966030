/** The one record of a run: everything the report, the live page, the CLI and an auditor read. Versioned; rendered, never parsed back from a rendering. */

import type { Ledger } from './ledger.ts';
import type { Aborted, Approval, Click, Decision, Place, Post } from './people.ts';
import type { Search } from './search.ts';

export const evidenceSchema = 'lifeboat.evidence/1';

export const phases = ['assessment', 'database', 'application', 'validation', 'traffic'] as const;
export type Phase = (typeof phases)[number];

export type Mode = 'live' | 'drill' | 'dry-run';

/** What a run came to. `running` until it has ended. */
export type Outcome =
  | 'running'
  | 'recovered'
  | 'failed'
  | 'aborted'
  | 'proven'
  | 'not-proven'
  | 'previewed'
  | 'completed';

/** All that are true of a run, beside its outcome. */
export type Flag =
  | 'door-closed'
  | 'late'
  | 'skips'
  | 'loss-beyond-objective'
  | 'dirty'
  | 'equality-not-proven'
  | 'clocks-differ';

export type Unit = 'ms' | 's' | 'bytes' | 'count' | 'rows' | 'segments';

/** A failure as people read it: `type` from failures.ts, `message` says what was seen, what was expected, what to do next. */
export interface Failure {
  type: string;
  message: string;
  /** Id of the step that failed. */
  step?: string;
}

export type StepKind = 'check' | 'change' | 'prove' | 'approval' | 'undo' | 'record';
export type StepState = 'running' | 'done' | 'failed' | 'cancelled' | 'previewed' | 'listed' | 'skipped';

/** An outage of something that a step stands on. */
export interface Wait {
  /** `the backup repository` */
  what: string;
  /** What was seen of it. */
  why: string;
  since: string;
  /** When the step would fail of it: the end of the phase's budget. */
  givesUpAt: string;
  /** Absent while it lasts. */
  until?: string;
}

export interface Step {
  /** `phase/slug`, unique in the run; also the activity id. Steps outside of the five phases use `opening/` and `closing/`. */
  id: string;
  name: string;
  group: Phase | 'opening' | 'closing';
  kind: StepKind;
  state: StepState;
  /** ISO 8601, UTC, milliseconds. */
  startedAt: string;
  endedAt?: string;
  /** Times that the activities of this step were attempted; more than their number means retries. */
  attempts?: number;
  /** Identities of the workers that did the work. */
  workers?: string[];
  /** One sentence: what was expected. */
  expected?: string;
  /** One sentence: what was found, or what was done. */
  found?: string;
  /** For a change: what it would do, said before it did it. */
  preview?: string;
  /** For a change: how long it was expected to take, where somebody can tell. */
  takesMs?: number;
  failure?: Failure;
  /** How many bytes it has moved, where it tells: the time it takes grows with them. */
  bytes?: number;
  waits?: Wait[];
  /** Last lines and path of a log on the host that did the work. */
  log?: { host: string; path: string; lastLines: string[] };
}

export interface PhaseRecord {
  name: Phase;
  budgetMs: number;
  startedAt?: string;
  endedAt?: string;
  /** Time in which the machine waited for people. */
  peopleMs: number;
  /** While it waits for them: since when. What has passed since then is not in `peopleMs` yet. */
  peopleSince?: string;
  /** Time in attempts that failed and the pauses between them. */
  retriesMs: number;
  note?: string;
}

export interface Measurement {
  name: string;
  value: number;
  unit: Unit;
  how: string;
}

/** `value` is absent when it was not measured; then `how` says why. */
export interface Measured {
  valueMs?: number;
  objectiveMs?: number;
  how: string;
}

/** What the plan promises for a class of data. What a run measures holds for all of its data alike. */
export interface ClassObjective {
  name: string;
  tables: string[];
  rtoMs?: number;
  rpoMs?: number;
}

export interface TableProof {
  table: string;
  rows: number;
  /** Decimal string: sum(hash_record_extended(row, 0)). */
  fingerprint: string;
  equal: boolean;
  expectedRows?: number;
}

export interface Equality {
  /** LSN of the anchor, `0/59E1A40`. */
  lsn: string;
  timeline: number;
  /** When the anchor was taken, UTC. */
  at: string;
  /** How: on which server, with what. */
  source: string;
  tables: TableProof[];
  /** Transactions replayed after the anchor, up to the target. */
  transactionsAfter?: number;
}

/** Something that lies on a host and may have been left there by a run, and whose it is. */
export interface Leftover {
  host: string;
  kind: 'directory' | 'process' | 'session' | 'paused-replay' | 'set-aside';
  /** As people read it: a path, a process with its command. */
  what: string;
  /** Which one it is: another of the same name has another identity. */
  identity: string;
  path?: string;
  pid?: number;
  bytes?: number;
  /** UTC. */
  since?: string;
  run?: string;
  /** `left` and `likely-left` can be removed; what a run uses, what is kept on purpose, and what nobody knows is left alone. */
  verdict: 'left' | 'likely-left' | 'in-use' | 'kept' | 'unknown';
  why: string;
}

/** The data directory that a server had before a recovery: kept, never started, removed when a person accepts the recovery. */
export interface SetAside {
  host: string;
  /** `<dataDirectory>.before-<run>` */
  directory: string;
  /** Whose place it had. */
  dataDirectory: string;
  /** As it was found there; absent until somebody has looked. */
  seen?: SetAsideSeen;
}

/** Which directory it is, and what it knows of itself: another of the same name, or one that was started since, has other facts. */
export interface SetAsideSeen {
  inode: string;
  systemIdentifier: string;
  timeline: number;
  /** Of its last checkpoint: of a server that was stopped in order, where its WAL ends. */
  lsn: string;
  /** pg_control's word: `shut down`; of a standby `shut down in recovery`. */
  state: string;
  bytes: number;
  /** UTC. */
  at: string;
}

/** Two clocks that cannot both be right. */
export interface ClockDifference {
  /** `host db2`, `the database` */
  clock: string;
  /** The clock that it was held against. */
  of: string;
  /** At least so much; negative: behind. */
  aheadMs: number;
}

export interface NotExercised {
  what: string;
  /** UTC time of the newest run in which it was proven; absent: never so far. */
  lastProven?: string;
}

/** When the run will be over, as far as can be told. */
export interface Forecast {
  /** Made at. */
  at: string;
  endsAt: string;
  /** When the time to recover ends, where there is one. */
  recoveredAt?: string;
  /** Past the objective by so much; absent when in time. */
  lateByMs?: number;
  /** From what: `3 earlier runs`, `the budgets of the phases`. */
  how: string;
}

/** A front door through which nobody can write: closed by the run, or found so. */
export interface ClosedDoor {
  since?: string;
  /** Why it is closed. */
  why: string;
  /** What opens it by hand. */
  byHand: string;
}

export interface Evidence {
  schema: typeof evidenceSchema;
  lifeboatVersion: string;
  /** Workflow id: the run's name for people. */
  run: string;
  /** Id of the first execution; kept across a reset. */
  runId: string;
  runbook: string;
  /** `Monthly drill` */
  title: string;
  service: string;
  mode: Mode;
  requestedBy?: string;
  /** The input as given, secrets never are in it. */
  input: Record<string, unknown>;
  /** sha256 of the plan's file (hex) and where it was read. */
  plan: { sha256: string; file: string };
  startedAt: string;
  endedAt?: string;
  outcome: Outcome;
  flags: Flag[];
  /** Why the outcome is not what was hoped for. */
  failure?: Failure;
  objectives: {
    rtoMs: number;
    rpoMs: number;
    /** Classes of data for which the plan promises something else. */
    classes?: ClassObjective[];
  };
  /** The moment from which loss is counted: in a drill T0, on the database's clock. */
  incidentAt?: string;
  /** Where the drill's server lives; nothing else is touched. */
  isolatedOn?: string;
  rto: Measured;
  rpo: Measured;
  backup?: { label: string; type: string; stoppedAt: string; bytes: number };
  target?: { lsn: string; timeline: number; at?: string; chosenBy: 'archive' | 'person' };
  equality?: Equality;
  /** Absent as long as they agree, as far as can be told. */
  clocks?: ClockDifference[];
  phases: PhaseRecord[];
  steps: Step[];
  measurements: Measurement[];
  notExercised: NotExercised[];
  /** What people were asked to approve, in the order of asking. */
  approvals?: Approval[];
  /** Failed steps that people were asked about. */
  decisions?: Decision[];
  /** Messages of people that belonged to no question. */
  clicks?: Click[];
  /** Who has aborted the run, and what that was to do. */
  aborted?: Aborted;
  /** Of a run that ended badly: changes that were not taken back, and why. */
  notUndone?: { name: string; why: string }[];
  /** What people were told, and where. */
  posts?: Post[];
  /** The message on Slack below which all others of the run stand. */
  thread?: Place;
  forecast?: Forecast;
  /** Whether it is certain who started the run, and how: `signed by ana`, `not signed`. */
  requester?: { person?: string; certain: boolean; how: string };
  /** One sentence: what to do next, if anything. */
  toDo?: string;
  /** As long as the front door is closed, and of a run that has ended: it was left so. */
  doorClosed?: ClosedDoor;
  /** Of a dry run: what other runs hold now, so that a live one could not begin. */
  inUse?: { what: string; by: string }[];
  /** Facts that make a run dirty: what was left behind, where. */
  leftBehind: string[];
  /** Data directories that a recovery has replaced, where they are kept until a person accepts the result. */
  setAside?: SetAside[];
  /** The old primary of a failover, where it did not come back as a standby: it must not start as a primary. */
  leftFenced?: { host: string; why: string; byHand: string };
  /** When the service was healthy again through its front door; what follows makes it safe, and keeps nobody waiting. */
  recoveredAt?: string;
  /** What a sweep has found on the hosts. */
  leftovers?: Leftover[];
  /** What a search of the WAL has found. */
  search?: Search;
  /** What the old database holds that the recovered one does not. */
  ledger?: Ledger;
}

/** What a runbook returns: small; the evidence itself lies in the store. */
export interface RunSummary {
  run: string;
  runbook: string;
  service: string;
  outcome: Outcome;
  flags: Flag[];
  rtoMs?: number;
  rpoMs?: number;
  failure?: Failure;
  /** Label of the backup that it has taken or restored. */
  backup?: string;
  /** `s3://bucket/key`, or a file path when the store was down. */
  evidence: string;
  /** sha256 (hex) of the evidence's bytes. */
  sha256: string;
}
