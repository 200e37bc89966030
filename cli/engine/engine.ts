/** What the commands ask of Temporal, in Lifeboat's words. The commands know nothing else of it. */
import type { Reply } from '../../activities/people/reply.ts';
import type { Evidence, Failure, Outcome, RunSummary } from '../../evidence/evidence.ts';
import type { AbortPlan } from '../../evidence/people.ts';
import type { Signature } from '../../evidence/signing.ts';
import type { Message, RunbookName } from '../../workflows/messages.ts';
import type { Schedules } from './schedule.ts';

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out';

/** A run as the list of runs shows it. */
export interface ListedRun {
  run: string;
  runId: string;
  /** Absent for a workflow type that this version does not know. */
  runbook?: RunbookName;
  service?: string;
  mode?: string;
  phase?: string;
  outcome?: string;
  /** Of a backup. */
  type?: string;
  status: RunStatus;
  startedAt: Date;
  endedAt?: Date;
}

export interface HeldLock {
  /** `lifeboat-host/db2`, `lifeboat-lock/orders` */
  lock: string;
  /** The run that holds it. */
  holder?: string;
  since: Date;
}

export interface Worker {
  identity: string;
  lastSeen?: Date;
}

/** An activity that is going on, or waits for its next attempt. */
export interface PendingActivity {
  /** Id of the step that it belongs to. */
  id: string;
  attempt: number;
  /** Whether a worker has taken it up. */
  started: boolean;
  worker?: string;
  /** What it said last of its progress. */
  progress?: unknown;
  /** Why the attempt before failed. */
  lastFailure?: string;
}

export interface RunState {
  runId: string;
  status: RunStatus;
  type: string;
  service?: string;
  startedAt: Date;
  endedAt?: Date;
  pending: PendingActivity[];
}

export interface Written {
  /** `s3://bucket/key`, or a file path when the store was down. */
  evidence: string;
  /** sha256 (hex) of the evidence's bytes. */
  sha256: string;
}

/** How a run ended. `summary` is there when it got as far as its evidence. */
export interface Ending {
  status: Exclude<RunStatus, 'running'>;
  summary?: RunSummary;
  failure?: Failure;
  /** Where the evidence lies, of a run that has no summary but wrote it: one that was cancelled. */
  written?: Written;
  /** What the workflow returned, for those that are not runbooks. */
  result?: unknown;
}

/** One run, asked again and again. @throws Silence when the server does not answer */
export interface WatchedRun {
  readonly run: string;
  state(): Promise<RunState>;
  /** `undefined` while there is none yet. @throws Silence of the workers, too */
  evidence(): Promise<Evidence | undefined>;
  /** Once it has ended. */
  ending(): Promise<Ending>;
  /** What an abort would do now; `undefined` while the run has not read its plan. @throws Silence of the workers, too */
  abortPlan(): Promise<AbortPlan | undefined>;
  say(message: Message): Promise<Reply>;
}

export interface Order {
  /** Workflow type. */
  type: string;
  /** What the run's name starts with: `orders` for `orders-7f3a`. */
  prefix: string;
  input: Record<string, unknown>;
  /** Proves who asks for it; a signature holds for one run, whose name is only drawn at the start. */
  sign?: (run: string) => Signature;
  /** One line that the Temporal UI shows beside the run. */
  summary: string;
  /** Ends it when it takes longer; for questions, never for a recovery. */
  withinMs?: number;
}

export interface NewestAsk {
  service: string;
  runbook: RunbookName;
  mode: string;
  outcome?: Outcome;
}

export interface Engine {
  readonly address: string;
  readonly namespace: string;
  start(order: Order): Promise<{ run: string; runId: string }>;
  watch(run: string): WatchedRun;
  /** Workers that polled a task queue lately. */
  workers(queue: string): Promise<Worker[]>;
  /** Newest first. */
  newestRuns(limit: number): Promise<ListedRun[]>;
  runningRuns(): Promise<ListedRun[]>;
  /** The newest closed run of a runbook for a service in a mode; with `outcome`, the newest that came to it. */
  newestOf(ask: NewestAsk): Promise<ListedRun | undefined>;
  locks(): Promise<HeldLock[]>;
  readonly schedules: Schedules;
  close(): Promise<void>;
}

/** Nobody answers at the moment; asking again can help. */
export class Silence extends Error {
  readonly of: 'engine' | 'workers';

  constructor(of: 'engine' | 'workers', message: string) {
    super(message);
    this.name = 'Silence';
    this.of = of;
  }
}
