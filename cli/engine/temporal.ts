/** The one implementation of Engine: a Temporal server over gRPC. */
import { randomBytes } from 'node:crypto';
import { Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { controlQueue } from '../../workflows/messages.ts';
import { Problem } from '../problem.ts';
import { ask } from './ask.ts';
import { type Engine, type Order, Silence, type Worker } from './engine.ts';
import { type Reached, reach } from './reach.ts';
import { temporalSchedules } from './schedules.ts';
import { locks, newestOf, newestRuns, runningRuns } from './visibility.ts';
import { watchedRun } from './watched-run.ts';

const answerWithinMs = 10_000;

// A worker polls again after at most 60 s or so; the server itself remembers pollers for 5 minutes.
const seenWithinMs = 120_000;

export async function openEngine(profile?: string): Promise<Engine> {
  const reached = await reach(profile);
  const client = new Client({ connection: reached.connection, namespace: reached.namespace });
  return {
    address: reached.address,
    namespace: reached.namespace,
    start: (order) => start(reached, client, order),
    watch: (run) => watchedRun(reached, client, run),
    workers: (queue) => workers(reached, client, queue),
    newestRuns: (limit) => newestRuns(reached, client, limit),
    runningRuns: () => runningRuns(reached, client),
    newestOf: (wanted) => newestOf(reached, client, wanted),
    locks: () => locks(reached, client),
    schedules: temporalSchedules(reached, client),
    close: () => reached.connection.close(),
  };
}

/** `orders-7f3a`: short enough to be said on the phone; longer when many are taken. */
export function drawName(prefix: string, draw: number): string {
  return `${prefix}-${randomBytes(draw < 8 ? 2 : 4).toString('hex')}`;
}

async function start(reached: Reached, client: Client, order: Order): Promise<{ run: string; runId: string }> {
  for (let draw = 0; draw < 16; draw += 1) {
    const run = drawName(order.prefix, draw);
    try {
      const runId = await ask(reached, answerWithinMs, () => startAs(client, run, order));
      return { run, runId };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) continue;
      if (!(error instanceof Silence)) throw error;
      throw new Problem(
        'engineUnreachable',
        `${error.message}. Whether ${run} was started is not known: see "lifeboat watch ${run}" before you start another.`,
      );
    }
  }
  throw new Problem('bug', `no free name was found for a run of ${order.prefix} in 16 draws`);
}

async function startAs(client: Client, run: string, order: Order): Promise<string> {
  const handle = await client.workflow.start(order.type, {
    workflowId: run,
    taskQueue: controlQueue,
    args: [order.sign === undefined ? order.input : { ...order.input, requestSignature: order.sign(run) }],
    // A run's name means one run for ever: reports and evidence are kept under it.
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    staticSummary: order.summary,
    ...(order.withinMs === undefined ? {} : { workflowExecutionTimeout: order.withinMs }),
  });
  return handle.firstExecutionRunId;
}

async function workers(reached: Reached, client: Client, queue: string): Promise<Worker[]> {
  const { pollers } = await ask(reached, answerWithinMs, () =>
    client.workflowService.describeTaskQueue({
      namespace: reached.namespace,
      taskQueue: { name: queue },
      taskQueueType: 1, // workflow tasks
    }),
  );
  const seen = (pollers ?? []).map((poller) => ({
    identity: poller.identity ?? 'unknown',
    lastSeen: new Date(Number(poller.lastAccessTime?.seconds ?? 0) * 1000),
  }));
  return seen.filter((worker) => Date.now() - worker.lastSeen.getTime() < seenWithinMs);
}
