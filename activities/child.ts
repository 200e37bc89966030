/** Programs that Lifeboat runs: always by an argument vector, never through a shell. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { execa } from 'execa';
import { currentActivity } from './current-activity.ts';
import { failure } from './failure.ts';
import { beating } from './heartbeat.ts';
import { yieldProcessors } from './low-priority.ts';
import {
  askToEnd,
  endProcesses,
  processesOfTask,
  scratchVariable,
  signal,
  taskMark,
  taskVariable,
} from './processes.ts';
import { lastLines } from './tail.ts';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  withinMs?: number;
  stop?: AbortSignal;
  /** What it reads: secrets may stand there, and in no argument. */
  input?: string;
}

/** A listing of a large archive is long; more than this is no listing. */
const mostOutput = 512 * 1024 * 1024;

/**
 * Runs a program that ends by itself soon, and returns what it wrote, whatever its exit code.
 *
 * @throws NotPermitted the program is not there @throws ToolKilled
 */
export async function runTool(file: string, words: string[], options: RunOptions = {}): Promise<Ended> {
  const withinMs = options.withinMs ?? 120_000;
  const task = await aloneInTask();
  const ended = await execa(file, words, {
    cwd: options.cwd ?? '/',
    env: toolEnvironment({ ...options.env, ...task }),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    reject: false,
    stripFinalNewline: false,
    timeout: withinMs,
    maxBuffer: mostOutput,
    cancelSignal: anyOf(currentActivity()?.cancellationSignal, options.stop),
    forceKillAfterDelay: 5_000,
  });
  if (ended.isCanceled) throw new CancelledFailure(`${file} was cancelled`);
  if (ended.code === 'ENOENT' || ended.code === 'EACCES') throw missing(file, ended.code);
  if (ended.timedOut) return { code: 124, stdout: ended.stdout, stderr: `no answer within ${withinMs / 1000} s` };
  if (ended.signal !== undefined) throw killed(file, ended.signal);
  return { code: ended.exitCode ?? 128, stdout: ended.stdout, stderr: ended.stderr };
}

/**
 * What an attempt before this one has left running when its worker was killed is ended first: nothing is done twice at the same time.
 * Returns the mark by which the next attempt would find what this one starts.
 */
async function aloneInTask(): Promise<Record<string, string>> {
  const activity = currentActivity();
  if (activity === undefined) return {};
  const { attempt, activityId, workflowExecution } = activity.info;
  const task = `${workflowExecution?.workflowId ?? ''}/${workflowExecution?.runId ?? ''}/${activityId}`;
  if (attempt > 1) await endProcesses(await processesOfTask(task, attempt), 10_000);
  return { [taskVariable]: taskMark(task, attempt) };
}

export interface LongRun {
  file: string;
  words: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Receives what the program writes, so that it does not end when the worker does. */
  log: string;
  /** Of the activity's heartbeat; gets the log's last lines. */
  details: (lines: string[]) => unknown;
  withinMs?: number;
  /** It works on what is thrown away: others have the processors first. */
  throwAway?: boolean;
  /** Ends it early. */
  stop?: AbortSignal;
  /** Looked at while it runs: a failure ends the program, and is thrown. */
  refuse?: () => Promise<Error | undefined>;
}

/**
 * Runs a program that takes long, with heartbeats; a cancelled activity ends it and waits for its end.
 * It leads a process group of its own, so that its helpers end with it.
 *
 * @throws ToolKilled somebody else has ended it
 */
export async function runLong(run: LongRun): Promise<{ code: number; timedOut: boolean }> {
  const task = await aloneInTask();
  const log = await open(run.log, 'a', 0o600);
  const child = spawn(run.file, run.words, {
    cwd: run.cwd ?? '/',
    env: toolEnvironment({ ...run.env, ...task }),
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  if (run.throwAway && child.pid !== undefined) yieldProcessors(child.pid);
  const ended = new Promise<{ code: number; by?: string }>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(missing(run.file, error.code ?? error.message)));
    child.on('exit', (code, by) => resolve(by === null ? { code: code ?? 128 } : { code: 143, by }));
  });
  const stopping = new Stopping(child.pid, run);
  let lines: string[] = [];
  let refusal: Error | undefined;
  const look = async () => {
    lines = await lastLines(run.log, 3);
    refusal ??= await run.refuse?.();
    if (refusal !== undefined) stopping.stop();
  };
  const reader = setInterval(() => void look().catch(() => undefined), 500);
  try {
    const { code, by } = await beating(
      () => run.details(lines),
      () => ended,
    );
    if (stopping.cancelled) throw new CancelledFailure(`${run.file} was cancelled`);
    if (refusal !== undefined) throw refusal;
    if (by !== undefined && !stopping.timedOut) throw killed(run.file, by);
    return { code, timedOut: stopping.timedOut };
  } finally {
    clearInterval(reader);
    stopping.over();
    await log.close();
  }
}

/** Ends a process group when the activity is cancelled or its time is over: asks first, insists after 10 s. */
class Stopping {
  cancelled = false;
  timedOut = false;
  #asked = false;
  private readonly pid: number | undefined;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly signal = Context.current().cancellationSignal;
  private readonly early: AbortSignal | undefined;
  private readonly onAbort = () => {
    this.cancelled = this.signal.aborted;
    this.stop();
  };

  constructor(pid: number | undefined, { withinMs, stop }: Pick<LongRun, 'withinMs' | 'stop'>) {
    this.pid = pid;
    this.early = stop;
    if (anyOf(this.signal, stop).aborted) this.onAbort();
    this.signal.addEventListener('abort', this.onAbort, { once: true });
    stop?.addEventListener('abort', this.onAbort, { once: true });
    if (withinMs === undefined) return;
    this.timers.push(
      setTimeout(() => {
        this.timedOut = true;
        this.stop();
      }, withinMs),
    );
  }

  over(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.signal.removeEventListener('abort', this.onAbort);
    this.early?.removeEventListener('abort', this.onAbort);
  }

  stop(): void {
    if (this.pid === undefined || this.#asked) return;
    this.#asked = true;
    const group = -this.pid;
    askToEnd(group, 'SIGTERM');
    this.timers.push(setTimeout(() => signal(group, 'SIGKILL'), 10_000));
  }
}

function anyOf(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

function missing(file: string, why: string): Error {
  return failure(
    'NotPermitted',
    `${file} cannot be run here (${why}); expected it to be installed. Install it, or correct "postgresql:" in the permit file.`,
  );
}

/** Its work says nothing then, neither good nor bad. */
export function killed(file: string, by: string): Error {
  return failure(
    'ToolKilled',
    `${file} was killed (${by}), and not by Lifeboat. Expected it to end by itself; see whether this host ran out of memory (dmesg).`,
  );
}

/**
 * Without libpq's variables: a PGSERVICE or PGOPTIONS of the worker would send a tool elsewhere. With plain English and UTC,
 * because words and times of the output are read.
 */
export function toolEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!/^PG[A-Z]/.test(entry[0]) || entry[0].startsWith('PGBACKREST')),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC', ...extra };
}

/** Marks a process and all that comes of it as belonging to a scratch directory. */
export function belongingTo(directory: string): Record<string, string> {
  return { [scratchVariable]: directory };
}
