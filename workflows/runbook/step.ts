/** Activities that know the step they belong to: activity id, summary and idempotency key come from it. */
import {
  ActivityCancellationType,
  type ActivityOptions,
  AsyncLocalStorage,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { failure } from './failure.ts';

/** What the worker adds to each result: who did it, in which attempt, how long that attempt took. */
interface DoneBy {
  worker: string;
  attempt: number;
  tookMs: number;
}

export interface CurrentStep {
  /** Activity ids begin with it. */
  id: string;
  /** Idempotency keys begin with it: the same when the step is tried again, so that its activities find half-done work. */
  key: string;
  name: string;
  calls: number;
  attempts: number;
  workers: Set<string>;
  /** Time spent in attempts that failed and the pauses between them. */
  retriesMs: number;
}

const current = new AsyncLocalStorage<CurrentStep>();

export function newStep(id: string, name: string): CurrentStep {
  return { id, key: id, name, calls: 0, attempts: 0, workers: new Set(), retriesMs: 0 };
}

/** @param times how often it is tried by now, all in all */
export function triedAgain(step: CurrentStep, times: number): CurrentStep {
  return { ...step, id: `${step.key}-again-${times}`, calls: 0 };
}

export function inStep<T>(step: CurrentStep, body: () => Promise<T>): Promise<T> {
  return current.run(step, body);
}

/** The same functions without the `key`, which the step gives. */
export type Stubs<A> = {
  [K in keyof A]: A[K] extends (ask: infer P) => infer R ? (ask: Omit<P, 'key'>) => R : never;
};

export interface Limits {
  taskQueue: string;
  /** One attempt may take this long, milliseconds. */
  startToCloseMs: number;
  heartbeatMs: number;
  /** How long a task may wait for a worker, milliseconds. */
  answerWithinMs: number;
  /** Of what may pass by itself; eight when absent. */
  attempts?: number;
}

// The pauses between eight attempts add up to a minute and a half; each attempt waits besides for as long as its tool does.
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 8 } as const;

type Callable = Record<string, (ask: object) => Promise<unknown>>;

export function activities<A>(limits: Limits): Stubs<A> {
  const call = async (type: string, ask: object): Promise<unknown> => {
    const step = current.getStore();
    if (step === undefined) throw failure('Bug', `activity ${type} was called outside of a step`);
    step.calls += 1;
    const nth = step.calls === 1 ? '' : `.${step.calls}`;
    const id = `${step.id}${nth}`;
    const started = Date.now();
    const stub = proxyActivities<Callable>(optionsOf(limits, id, step.name))[type];
    if (stub === undefined) throw failure('Bug', `there is no activity ${type}`);
    const result = await stub({
      ...ask,
      key: `${workflowInfo().originalExecutionRunId ?? workflowInfo().runId}/${step.key}${nth}`,
    });
    return credit(step, result, Date.now() - started);
  };
  return new Proxy({} as Stubs<A>, {
    get: (_target, type) => (typeof type === 'string' ? (ask: object) => call(type, ask) : undefined),
  });
}

function optionsOf(limits: Limits, activityId: string, summary: string): ActivityOptions {
  return {
    activityId,
    summary: summary.slice(0, 120),
    taskQueue: limits.taskQueue,
    startToCloseTimeout: limits.startToCloseMs,
    heartbeatTimeout: limits.heartbeatMs,
    scheduleToStartTimeout: limits.answerWithinMs,
    // SDK 1.24 documents this as the default but runs as TRY_CANCEL: undo would start while the work still goes on.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: limits.attempts === undefined ? retry : { ...retry, maximumAttempts: limits.attempts },
  };
}

function credit(step: CurrentStep, result: unknown, elapsedMs: number): unknown {
  if (typeof result !== 'object' || result === null || !('by' in result)) {
    step.attempts += 1;
    return result;
  }
  const { by, ...rest } = result as { by: DoneBy };
  step.attempts += by.attempt;
  step.workers.add(by.worker);
  if (by.attempt > 1) step.retriesMs += Math.max(0, elapsedMs - by.tookMs);
  return rest;
}
