import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchAttributes } from '../../../workflows/messages.ts';
import { writePlan } from './plan-file.ts';
import { type Child, eventually, freePort, removeDirectory, scratchDirectory, start, startTemporal } from './rig.ts';

let directory: string;
let temporal: Child;
let control: Child;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  directory = await scratchDirectory('control-worker');
  const port = await freePort();
  const plans = join(directory, 'plans');
  await mkdir(plans);
  await writeFile(join(directory, 'password'), 'orders-password\n');
  await writePlan({
    directory: plans,
    service: 'orders',
    port: await freePort(),
    user: 'orders',
    passwordFile: join(directory, 'password'),
    pulseLog: join(directory, 'pulse'),
  });
  await writeFile(join(plans, 'broken.yaml'), 'service: broken\nobjectives: { rto: soon }\n');
  // Before its server, on purpose: the two come up in any order.
  control = await start({
    directory,
    name: 'control',
    command: process.execPath,
    args: [resolve('dist/workers/control.js'), '--read-only'],
    env: {
      LIFEBOAT_PLANS: plans,
      LIFEBOAT_READY_FILE: join(directory, 'ready'),
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      TEMPORAL_NAMESPACE: 'default',
    },
  });
  temporal = await startTemporal(directory, port);
  connection = await eventually('Temporal answers', () =>
    Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: '2s' }),
  );
  client = new Client({ connection });
});

afterAll(async () => {
  await control?.end('SIGKILL');
  await connection?.close();
  await temporal?.end();
  await removeDirectory(directory);
});

const log = () => readFile(control.log, 'utf8');

test('the control worker waits for its server, and says when it works and who it is', async () => {
  const said = await eventually('the worker is ready', async () =>
    JSON.parse(await readFile(join(directory, 'ready'), 'utf8')),
  );
  expect(said.pid).toBe(control.pid);
  expect(said.identity).toMatch(new RegExp(`^control@.+:${control.pid}$`));
});

test('the search attributes that its workflows set are registered', async () => {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  for (const name of Object.values(searchAttributes)) expect(customAttributes[name]).toBe(2);
});

test('a plan that is wrong is said loudly and does not stop the others', async () => {
  expect(await log()).toContain('broken.yaml:2');
  const run = client.workflow.execute('monthlyDrill', {
    workflowId: 'broken-1',
    taskQueue: 'lifeboat',
    args: [{ service: 'broken' }],
  });
  const error = await run.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error.cause).toMatchObject({ type: 'PlanInvalid', message: expect.stringContaining('broken.yaml:2') });
});

test('it serves a plan that is right: a dry run finds that the database does not answer', async () => {
  const handle = await client.workflow.start('backup', {
    workflowId: 'orders-1',
    taskQueue: 'lifeboat',
    args: [{ service: 'orders', mode: 'dry-run' }],
  });
  const { raw } = await eventually('the check is tried again', async () => {
    const found = await handle.describe();
    return found.raw.pendingActivities?.some((one) => (one.attempt ?? 0) > 1) ? found : undefined;
  });
  expect(raw.pendingActivities?.[0]?.lastFailure?.message).toContain('refuses connections');
  await handle.terminate();
});

test('told to end, it ends cleanly', async () => {
  expect(await control.end('SIGTERM')).toBe(0);
});
