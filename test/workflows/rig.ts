/** Runs workflows against a fake estate on the time-skipping server; each execution is replayed afterwards. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import type { RunSummary } from '../../evidence/evidence.ts';
import { startSkippingServer } from '../../lab/skipping-server.ts';
import { durationMs } from '../../plan/duration.ts';
import { controlQueue, hostQueue, searchAttributes } from '../../workflows/messages.ts';
import { quietRuntime } from '../quiet-runtime.ts';
import type { FakeEstate } from './fake-estate.ts';

const keyword = 2;

export interface Rig {
  /** Starts a workflow, with workers that stay up until the test ends. */
  start(estate: FakeEstate, workflow: string, input: unknown[], options?: RigOptions): Promise<WorkflowHandle>;
  /** Starts it, and waits for its end. */
  run(estate: FakeEstate, workflow: string, input: unknown[], options?: RigOptions): Promise<RunSummary>;
  /** Lets time pass, `16m`: in milliseconds. */
  pass(time: string): Promise<void>;
}

interface RigOptions {
  workflowId?: string;
  /** Workers that offer only what reads the estate or keeps Lifeboat's own records. */
  readOnly?: boolean;
}

/**
 * @param eachAlone a server for each test. Asked about a workflow that it has never seen, one may skip no time any more, and what waits
 *   for hours then waits for ever
 * @param locks that runs of the file take
 */
export function useRig({ eachAlone = false, locks = ['lifeboat-host/db1', 'lifeboat-host/db2'] } = {}): Rig {
  let env: TestWorkflowEnvironment | undefined;
  let started: WorkflowHandle[] = [];
  let workers: { worker: Worker; running: Promise<void> }[] = [];
  const workflowBundle = () => ({ codePath: inject('workflowBundle') });

  beforeAll(() => {
    quietRuntime();
  });
  const before = eachAlone ? beforeEach : beforeAll;
  const after = eachAlone ? afterEach : afterAll;
  // Hooks of one kind run last first after a test: the server goes when all else has gone.
  after(() => env?.teardown());
  before(async () => {
    env = await startSkippingServer(inject('testServer'));
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
    });
  });
  afterEach(async () => {
    // The time-skipping server does not apply the parent close policy: locks would outlive their runs.
    for (const lock of locks)
      await server()
        .client.workflow.getHandle(lock)
        .terminate()
        .catch(() => undefined);
    // A run that a test has left waiting would wake up in another one, and its unanswered task would hold the time there.
    for (const handle of started) await handle.terminate().catch(() => undefined);
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ running }) => running));
    workers = [];
    for (const handle of started) {
      const history = await handle.fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: workflowBundle() }, history, handle.workflowId);
    }
    started = [];
  });
  const server = (): TestWorkflowEnvironment => {
    if (env === undefined) throw new Error('the time-skipping server has not started');
    return env;
  };

  const launch = async (taskQueue: string, activities: object, bundle?: { codePath: string }) => {
    const worker = await Worker.create({
      connection: server().nativeConnection,
      taskQueue,
      activities,
      ...(bundle === undefined ? {} : { workflowBundle: bundle }),
    });
    workers.push({ worker, running: worker.run() });
  };

  const start: Rig['start'] = async (estate, workflow, input, options = {}) => {
    if (workers.length === 0) {
      await launch(
        controlQueue,
        { ...estate.control(), ...(options.readOnly ? {} : estate.controlChanges()) },
        workflowBundle(),
      );
      for (const host of ['db1', 'db2'])
        await launch(hostQueue(host), { ...estate.hostReads(), ...(options.readOnly ? {} : estate.hostChanges()) });
    }
    const handle = await server().client.workflow.start(workflow, {
      taskQueue: controlQueue,
      workflowId: options.workflowId ?? `orders-${randomUUID().slice(0, 8)}`,
      args: input,
    });
    started.push(handle);
    return handle;
  };
  const pass = async (time: string): Promise<void> => {
    const ms = durationMs(time);
    if (ms === undefined) throw new Error(`"${time}" is not a duration`);
    await server().sleep(ms);
  };
  return { start, pass, run: async (...ask) => (await start(...ask)).result() as Promise<RunSummary> };
}
