import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockHolder, noLiveRun } from '../../../activities/runs.ts';
import { quietRuntime } from '../../quiet-runtime.ts';
import type { bystander, holder as holderWorkflow } from './holder-workflows.ts';
import { type Child, eventually, freePort, removeDirectory, scratchDirectory, startTemporal } from './rig.ts';

let directory: string;
let temporal: Child;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  directory = await scratchDirectory('control-locks');
  const port = await freePort();
  temporal = await startTemporal(directory, port);
  const address = `127.0.0.1:${port}`;
  connection = await eventually('Temporal answers', () => Connection.connect({ address, connectTimeout: '2s' }));
  client = new Client({ connection });
  quietRuntime();
  native = await NativeConnection.connect({ address });
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, 'holder-workflows.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  worker = await Worker.create({ connection: native, taskQueue: 'locks', workflowBundle: bundle });
  running = worker.run();
});

afterAll(async () => {
  worker?.shutdown();
  await running;
  await native?.close();
  await connection?.close();
  await temporal?.end();
  await removeDirectory(directory);
});

const asActivity = <Ask, Answer>(activity: (ask: Ask) => Promise<Answer>, ask: Ask): Promise<Answer> =>
  new MockActivityEnvironment(undefined, { client, logger: new DefaultLogger('ERROR') }).run(activity, ask);

const somebody = { workflowId: 'orders-somebody', runId: 'their-run', firstRunId: 'their-run' };

async function startHolder(
  workflowId: string,
  lock: string,
  outlives = false,
): Promise<WorkflowHandle & { firstRunId: string }> {
  const handle = await client.workflow.start<typeof holderWorkflow>('holder', {
    workflowId,
    taskQueue: 'locks',
    args: [lock, outlives],
  });
  await eventually(`${workflowId} holds ${lock}`, async () => ((await isOpen(lock)) ? true : undefined));
  return Object.assign(handle, { firstRunId: handle.firstExecutionRunId });
}

async function isOpen(workflowId: string): Promise<boolean> {
  const { status } = await client.workflow.getHandle(workflowId).describe();
  return status.name === 'RUNNING';
}

async function finishedTasks(handle: WorkflowHandle) {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
}

/** Begins the run anew from one of its finished workflow tasks, counted from 1. */
async function reset(handle: WorkflowHandle & { firstRunId: string }, task: number): Promise<string> {
  const tasks = await finishedTasks(handle);
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId, runId: handle.firstRunId },
    reason: 'test',
    requestId: `${handle.workflowId}-${task}`,
    workflowTaskFinishEventId: tasks[task - 1]?.eventId ?? null,
  });
  return runId;
}

describe('a lock', () => {
  test('that nobody holds is free', async () => {
    expect(await asActivity(lockHolder, { lock: 'lifeboat-host/never', me: somebody })).toEqual({ free: true });
  });

  test('is held as long as its run is open, and its holder is named', async () => {
    const holder = await startHolder('orders-open', 'lifeboat-host/open');
    const answer = await asActivity(lockHolder, { lock: 'lifeboat-host/open', me: somebody });
    expect(answer).toMatchObject({ free: false, holder: 'orders-open', runbook: 'holder' });
    expect(Date.now() - Date.parse(answer.since ?? '')).toBeLessThan(60_000);
    expect(await isOpen('lifeboat-host/open')).toBe(true);
    await holder.terminate();
  });

  test('goes with its run when that ends', async () => {
    const holder = await startHolder('orders-ends', 'lifeboat-host/ends');
    await holder.terminate();
    await eventually('the lock is gone', async () => ((await isOpen('lifeboat-host/ends')) ? undefined : true));
    expect(await asActivity(lockHolder, { lock: 'lifeboat-host/ends', me: somebody })).toEqual({ free: true });
  });

  test('that outlives its run is taken over', async () => {
    const { workflowId } = await startHolder('orders-closed', 'lifeboat-host/closed', true);
    await client.workflow.getHandle(workflowId).signal('leave');
    await client.workflow.getHandle(workflowId).result();
    expect(await isOpen('lifeboat-host/closed')).toBe(true);
    expect(await asActivity(lockHolder, { lock: 'lifeboat-host/closed', me: somebody })).toEqual({ free: true });
    expect(await isOpen('lifeboat-host/closed')).toBe(false);
  });

  test('that no run started is nobody’s to take', async () => {
    const lonely = await client.workflow.start('lock', { workflowId: 'lifeboat-host/lonely', taskQueue: 'locks' });
    expect(await asActivity(lockHolder, { lock: 'lifeboat-host/lonely', me: somebody })).toMatchObject({ free: false });
    await lonely.terminate();
  });

  test('of a run that was reset to before it took the lock is taken over by that run, and by nobody else', async () => {
    const lock = 'lifeboat-host/reset';
    const holder = await startHolder('orders-reset', lock);
    const newRun = await reset(holder, 1);
    const me = { workflowId: 'orders-reset', runId: newRun, firstRunId: holder.firstRunId };
    const orphan = await client.workflow.getHandle(lock).describe();
    expect(orphan.status.name).toBe('RUNNING');
    expect(await asActivity(lockHolder, { lock, me: somebody })).toMatchObject({ free: false, holder: 'orders-reset' });
    // What the old run still has under way must not take the lock from its successor.
    const stale = { ...me, runId: holder.firstRunId };
    expect(await asActivity(lockHolder, { lock, me: stale })).toMatchObject({ free: false });
    expect(await asActivity(lockHolder, { lock, me })).toEqual({ free: true });
    const { status } = await client.workflow.getHandle(lock, orphan.runId).describe();
    expect(status.name).toBe('TERMINATED');
    await client.workflow.getHandle('orders-reset').terminate();
  });

  test('of a run that was reset to after it took the lock is still its own, until it ends', async () => {
    const lock = 'lifeboat-host/reset-later';
    const holder = await startHolder('orders-reset-later', lock);
    // The first task starts the lock; whatever comes after it belongs to a run that has it.
    const last = await eventually('a task after the lock was started', async () => {
      const count = (await finishedTasks(holder)).length;
      return count >= 2 ? count : undefined;
    });
    await reset(holder, last);
    expect(await isOpen(lock)).toBe(true);
    expect(await asActivity(lockHolder, { lock, me: somebody })).toMatchObject({
      free: false,
      holder: 'orders-reset-later',
    });
    await client.workflow.getHandle('orders-reset-later').terminate();
    expect(await asActivity(lockHolder, { lock, me: somebody })).toEqual({ free: true });
    await eventually('the lock is gone', async () => ((await isOpen(lock)) ? undefined : true));
  });

  test('is not held by a later run of the same name that never took it', async () => {
    const lock = 'lifeboat-host/again';
    await startHolder('orders-again', lock, true);
    await client.workflow.getHandle('orders-again').signal('leave');
    await client.workflow.getHandle('orders-again').result();
    const later = await client.workflow.start<typeof bystander>('bystander', {
      workflowId: 'orders-again',
      taskQueue: 'locks',
    });
    expect(await asActivity(lockHolder, { lock, me: somebody })).toEqual({ free: true });
    await later.terminate();
  });
});

describe('a live recovery', () => {
  test('that goes on is named, and stops a drill', async () => {
    expect((await asActivity(noLiveRun, { service: 'orders' })).found).toBe('no live recovery of orders is going on');
    const holder = await startHolder('orders-live', 'lifeboat-lock/orders', true);
    await expect(asActivity(noLiveRun, { service: 'orders' })).rejects.toMatchObject({
      type: 'LiveRunInProgress',
      nonRetryable: true,
      message: expect.stringContaining('orders-live (holder) recovers orders since'),
    });
    await holder.signal('leave');
    await holder.result();
    expect((await asActivity(noLiveRun, { service: 'orders' })).found).toContain('orders-live left its lock behind');
    expect(await isOpen('lifeboat-lock/orders')).toBe(true);
  });
});
