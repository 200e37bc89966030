/**
 * Loaded into a worker of the lab before its own code (`node --import`): makes it stand still at the point that an order names, so that
 * somebody can be killed exactly there. The worker's code knows nothing of it.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { appendFileSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput, WorkerOptions } from '@temporalio/worker';
import { required } from '../environment.ts';
import { type Done, type KillOrder, orderFiles, orderVariable, placeOf, type Side } from './order.ts';

interface Work {
  acts: number;
  /** Stands still at this act. */
  stopAt: number;
}

const files = orderFiles(required(orderVariable));
const work = new AsyncLocalStorage<Work>();
/** Not what reaches out of the process. */
const notActs = new Set(['PROMISE', 'TickObject', 'Immediate', 'Microtask']);
/** Longer than any kill takes: then nobody is there who would say "go". */
const longestStandMs = 60_000;

/** The order, if it is for this point; whoever takes it is the only one. */
function take(activity: string, side: Side): KillOrder | undefined {
  const order = read();
  if (order === undefined || order.side !== side) return undefined;
  return placeOf(order.activity) === placeOf(activity) ? order : undefined;
}

function read(): KillOrder | undefined {
  try {
    return JSON.parse(readFileSync(files.order, 'utf8')) as KillOrder;
  } catch {
    return undefined;
  }
}

/** Stops the whole thread, so that nothing goes on between the point and the kill. */
function standStill(): void {
  try {
    renameSync(files.order, files.taken);
  } catch {
    return;
  }
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const deadline = Date.now() + longestStandMs;
  while (!existsSync(files.go) && Date.now() < deadline) Atomics.wait(cell, 0, 0, 2);
}

function countActs(): void {
  createHook({
    init(_id, type) {
      if (notActs.has(type)) return;
      const current = work.getStore();
      if (current === undefined) return;
      current.acts += 1;
      if (current.acts === current.stopAt) standStill();
    },
  }).enable();
}

async function execute(
  { info }: Context,
  input: ActivityExecuteInput,
  next: (input: ActivityExecuteInput) => Promise<unknown>,
): Promise<unknown> {
  const { activityId, workflowExecution } = info;
  if (take(activityId, 'before') !== undefined) standStill();
  const during = take(activityId, 'during');
  const counted: Work = { acts: 0, stopAt: during?.afterActs ?? Number.POSITIVE_INFINITY };
  const timer = during && setTimeout(standStill, during.afterMs);
  const began = performance.now();
  try {
    const result = await work.run(counted, () => next(input));
    const done: Done = {
      run: workflowExecution?.workflowId ?? '',
      activity: activityId,
      acts: counted.acts,
      ms: performance.now() - began,
    };
    appendFileSync(files.done(process.pid), `${JSON.stringify(done)}\n`);
    // Quicker than the measure by which the middle was chosen: then its last moment is met.
    if (take(activityId, 'after') !== undefined || take(activityId, 'during') !== undefined) standStill();
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** What a workflow decided is told to the engine by this call of the SDK's; ids stand in it as a length and the text. */
function watchDecisions(worker: object): void {
  const native: { completeWorkflowActivation: (told: Buffer) => Promise<void> } = Reflect.get(worker, 'nativeWorker');
  const complete = native.completeWorkflowActivation;
  native.completeWorkflowActivation = (told) => {
    const order = read();
    if (order?.side === 'deciding') {
      const place = Buffer.from(placeOf(order.activity));
      // As long as the id, or with as many digits more as a lock's check may have.
      const lengths = place.length === order.activity.length ? [0] : [1, 2, 3];
      const named = lengths.map((digits) => Buffer.concat([Buffer.from([place.length + digits]), place]));
      if (named.some((id) => told.includes(id))) standStill();
    }
    return complete(told);
  };
}

// Threads that a worker starts for its workflows inherit what Node was started with.
if (isMainThread) {
  const { Worker } = await import('@temporalio/worker');
  const create = Worker.create.bind(Worker);
  Worker.create = async (options: WorkerOptions) => {
    const stop = (context: Context) => ({
      inbound: {
        execute: (input: ActivityExecuteInput, next: (input: ActivityExecuteInput) => Promise<unknown>) =>
          execute(context, input, next),
      },
    });
    const { activity = [], ...others } = options.interceptors ?? {};
    const worker = await create({ ...options, interceptors: { ...others, activity: [stop, ...activity] } });
    watchDecisions(worker);
    return worker;
  };
  countActs();
}
