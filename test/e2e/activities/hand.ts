/** The test's hand on a host worker's activities: typed like the contract, run in a process of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { HostChanges, HostReads, RecoveryHostChanges, RecoveryHostReads } from '../../../activities/contract.ts';
import type { Order, Report } from './runner.ts';

const require = createRequire(import.meta.url);

type Host = HostReads & HostChanges & RecoveryHostReads & RecoveryHostChanges;

/** A failure of an activity, as a workflow would see it. */
class ActivityFailed extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export interface Running<T> {
  result: Promise<T>;
  heartbeats: unknown[];
  cancel(): void;
}

export interface Hand {
  call<K extends keyof Host>(activity: K, ask: Parameters<Host[K]>[0]): Promise<Awaited<ReturnType<Host[K]>>>;
  start<K extends keyof Host>(
    activity: K,
    ask: Parameters<Host[K]>[0],
    how?: Pick<Order, 'dieAtRenameTo' | 'attempt'>,
  ): Running<Awaited<ReturnType<Host[K]>>>;
  /** As a machine would: no goodbye. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  heartbeats: unknown[];
}

/** Where the process is to run, when that is not here: in a machine of its own. */
export interface Elsewhere {
  /** Words before those of a program that make it run there. */
  enter: readonly string[];
  run(...words: string[]): Promise<string>;
}

export async function newHand(env: Record<string, string>, elsewhere?: Elsewhere): Promise<Hand> {
  const [execPath = '', ...before] = [...(elsewhere?.enter ?? []), process.execPath];
  const child = fork(fileURLToPath(new URL('./runner.ts', import.meta.url)), {
    execPath,
    execArgv: [...before, '--import', require.resolve('tsx')],
    env: { ...process.env, ...env },
    serialization: 'advanced',
  });
  const waiting = new Map<number, Waiting>();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<number | undefined>((resolve, reject) => {
    child.once('message', ({ pid }: Report) => resolve(pid));
    child.once('exit', (code) => reject(new Error(`the runner ended with ${code} before it was ready`)));
  });
  child.on('message', (report: Report) => settle(waiting, report));
  child.once('exit', () => {
    for (const one of waiting.values()) one.reject(new Error('the worker was killed'));
  });
  const pidThere = await ready;
  let ids = 0;
  const start: Hand['start'] = (activity, ask, how = {}) => {
    ids += 1;
    const id = ids;
    const heartbeats: unknown[] = [];
    const result = new Promise<never>((resolve, reject) => waiting.set(id, { resolve, reject, heartbeats }));
    // Whoever starts it may look at its end later, or never.
    result.catch(() => undefined);
    order(child, { id, activity, ask, ...how });
    return { result, heartbeats, cancel: () => order(child, { id, cancel: true }) };
  };
  return {
    start,
    call: (activity, ask) => start(activity, ask).result,
    kill: async () => {
      // From here only whoever has led it in would be killed.
      if (elsewhere === undefined) child.kill('SIGKILL');
      else await elsewhere.run('kill', '-KILL', `${pidThere}`);
      await ended;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function settle(waiting: Map<number, Waiting>, report: Report): void {
  const one = waiting.get(report.id);
  if (one === undefined) return;
  if ('heartbeat' in report) return void one.heartbeats.push(report.heartbeat);
  waiting.delete(report.id);
  if (report.failure !== undefined)
    one.reject(new ActivityFailed(report.failure.type || report.failure.name, report.failure.message));
  else one.resolve(report.result as never);
}

function order(child: ChildProcess, what: Order): void {
  if (child.connected) child.send(what);
}
