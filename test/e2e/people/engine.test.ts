/** Approvals on a real Temporal server, with real keys: what the time-skipping one cannot do. The estate is in memory, the runbook made up. */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { keyOf } from '../../../activities/notify/text.ts';
import { verifySignature } from '../../../activities/people/verify.ts';
import type { Approval } from '../../../evidence/people.ts';
import { type Signature, type Statement, statementText } from '../../../evidence/signing.ts';
import { approvalStatement, startStatement } from '../../../evidence/statements.ts';
import { controlQueue, hostQueue, searchAttributes } from '../../../workflows/messages.ts';
import { quietRuntime } from '../../quiet-runtime.ts';
import type { FakeEstate } from '../../workflows/fake-estate.ts';
import { estateWithPeople, Talk } from '../../workflows/talk.ts';
import { type Child, eventually, freePort, removeDirectory, scratchDirectory, startTemporal } from '../control/rig.ts';

let directory: string;
let temporal: Child;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let workflowBundle: WorkflowBundle;
let workers: { worker: Worker; running: Promise<void> }[] = [];
let estate: FakeEstate;

const secrets: Record<string, KeyObject> = {};

beforeAll(async () => {
  directory = await scratchDirectory('people-engine');
  const port = await freePort();
  temporal = await startTemporal(directory, port);
  const address = `127.0.0.1:${port}`;
  connection = await eventually('Temporal answers', () => Connection.connect({ address, connectTimeout: '2s' }));
  client = new Client({ connection });
  const keyword = 2;
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, keyword])),
  });
  quietRuntime();
  native = await NativeConnection.connect({ address });
  const workflowsPath = join(import.meta.dirname, '../../workflows/workflows.ts');
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
});

beforeEach(async () => {
  estate = estateWithPeople();
  estate.plan.workers.heartbeat = 1_000;
  for (const [id, person] of Object.entries(estate.plan.people?.persons ?? {})) person.keys = [keyFor(id)];
  await startWorkers();
});

afterEach(() => stopWorkers());

afterAll(async () => {
  await native?.close();
  await connection?.close();
  await temporal?.end();
  await removeDirectory(directory);
});

function keyFor(id: string): string {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  secrets[id] = privateKey;
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return `ed25519:${Buffer.from(x, 'base64url').toString('base64')}`;
}

function signatureOf(statement: Statement): Signature {
  const secret = secrets[statement.by];
  const [key] = estate.plan.people?.persons[statement.by]?.keys ?? [];
  if (secret === undefined || key === undefined) throw new Error(`${statement.by} has no key`);
  return { as: 'person', key, value: sign(null, Buffer.from(statementText(statement)), secret).toString('base64') };
}

/** How verifying goes; a test may spoil it. */
let verify = verifySignature;

async function startWorkers(): Promise<void> {
  verify = verifySignature;
  const control = { ...estate.control(), verifySignature: (ask: Parameters<typeof verifySignature>[0]) => verify(ask) };
  const host = { ...estate.hostReads(), ...estate.hostChanges() };
  const launch = async (taskQueue: string, activities: object, bundle?: WorkflowBundle) => {
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      activities,
      shutdownForceTime: '1s',
      ...(bundle && { workflowBundle: bundle }),
    });
    workers.push({ worker, running: worker.run() });
  };
  await launch(controlQueue, control, workflowBundle);
  for (const name of ['db1', 'db2']) await launch(hostQueue(name), host);
}

async function stopWorkers(): Promise<void> {
  for (const { worker } of workers) worker.shutdown();
  await Promise.allSettled(workers.map(({ running }) => running));
  workers = [];
}

async function crossing(workflowId: string): Promise<Talk> {
  const input = { mode: 'live', requestedBy: 'cem' };
  const requestSignature = signatureOf(startStatement(workflowId, 'cem', input));
  const args = [{ ...input, requestSignature }];
  return new Talk(await client.workflow.start('crossing', { workflowId, taskQueue: controlQueue, args }));
}

async function click(talk: Talk, approval: Approval, by: string): Promise<object> {
  const statement = approvalStatement(await talk.evidence(), approval, { by, choice: 'approve' });
  return { by, code: approval.code, signature: signatureOf(statement), channel: 'cli' };
}

async function approve(talk: Talk, by: string): Promise<{ refused: boolean; said: string }> {
  return talk.send('approve', await click(talk, await talk.asked(), by));
}

test('two people with keys of their own approve what a third has signed the start of', async () => {
  const talk = await crossing('orders-signed');
  expect(await approve(talk, 'ana')).toMatchObject({ refused: false });
  expect(await approve(talk, 'ben')).toMatchObject({ refused: false });
  expect(await talk.endsWith()).toBe('no failure');
  expect(estate.written.at(-1)).toMatchObject({
    requester: { person: 'cem', certain: true },
    approvals: [{ quorum: 2, outcome: 'approved', clicks: [{ signed: 'person' }, { signed: 'person' }] }],
  });
  // It is over: Temporal itself says that nobody is there to be told.
  await expect(talk.send('approve', { by: 'ana', code: 'ABCDEFGH' })).rejects.toThrow(/already completed|not found/);
});

test('a signature for one approval is worth nothing for another, and none for another run', async () => {
  const talk = await crossing('orders-copied');
  const other = await crossing('orders-other');
  const copied = await click(other, await other.asked(), 'ana');
  const { code } = await talk.asked();
  expect(await talk.send('approve', { ...copied, code })).toMatchObject({
    refused: true,
    said: expect.stringContaining('the signature does not fit'),
  });
  expect((await talk.asked()).clicks).toMatchObject([{ by: 'ana', signed: 'forged', counted: false }]);
  await Promise.all([talk.run.terminate(), other.run.terminate()]);
});

test('a start that was signed for another input is not certain, and needs one person more', async () => {
  const requestSignature = signatureOf(startStatement('orders-start', 'cem', { mode: 'dry-run', requestedBy: 'cem' }));
  const args = [{ mode: 'live', requestedBy: 'cem', requestSignature }];
  if (estate.plan.people)
    estate.plan.people.approvals.default = {
      group: 'dba',
      quorum: 1,
      deadline: 60_000,
      onExpiry: 'deny',
      escalateTo: [],
    };
  const talk = new Talk(
    await client.workflow.start('crossing', { workflowId: 'orders-start', taskQueue: controlQueue, args }),
  );
  expect((await talk.asked()).quorum).toBe(2);
  expect((await talk.evidence()).requester).toMatchObject({
    certain: false,
    how: expect.stringContaining('does not fit'),
  });
  await talk.run.terminate();
});

test('after a reset what was approved before does not count: code and number are drawn anew', async () => {
  const talk = await crossing('orders-reset');
  const first = await talk.asked();
  const old = await click(talk, first, 'ana');
  expect(await talk.send('approve', old)).toMatchObject({ refused: false });
  await resetTo('orders-reset', 'database/load-the-ferry');
  const again = new Talk(client.workflow.getHandle('orders-reset'));
  const second = await eventually('the new execution asks', async () => {
    const approval = await again.asked();
    return approval.code === first.code ? undefined : approval;
  });
  // The server gives the earlier click to the new execution by itself; that one comes too early or for an old code.
  expect(second.clicks.filter(({ counted }) => counted)).toEqual([]);
  expect(second).toMatchObject({ hash: first.hash, subject: first.subject });
  expect(await again.send('approve', old)).toMatchObject({ refused: true, said: expect.stringMatching(/Not counted/) });
  expect(await again.send('approve', { ...old, code: second.code })).toMatchObject({ refused: true });
  for (const person of ['ana', 'ben']) expect(await approve(again, person)).toMatchObject({ refused: false });
  expect(await again.endsWith()).toBe('no failure');
  expect(
    estate.written
      .at(-1)
      ?.approvals?.[0]?.clicks.filter(({ counted }) => counted)
      .map(({ by }) => by),
  ).toEqual(['ana', 'ben']);
});

test('after a reset the thread is shown the new question, and told an end of its own', async () => {
  const { people } = estate.plan;
  if (people === undefined) throw new Error('the plan has no people');
  people.status.channel = '#incident';
  // As Slack is looked through: what has the key of a message is that message.
  const thread = new Map<string, { code?: string; headline: string }>();
  estate.post = async ({ run, message, mayBeThere }) => {
    const key = keyOf(run, message.id);
    const { headline, approval } = message;
    if (!mayBeThere || !thread.has(key)) thread.set(key, { headline, ...(approval && { code: approval.code }) });
    return {
      delivered: 'slack',
      found: 'told',
      thread: { channel: 'C01', ts: '1.0' },
      place: { channel: 'C01', ts: key },
    };
  };
  const shown = () => [...thread.values()].flatMap(({ code, headline }) => (headline.includes('wanted') ? [code] : []));
  const first = await (await crossing('orders-told')).asked();
  await eventually('it is shown', () => (shown().length === 1 ? true : undefined));
  await resetTo('orders-told', 'database/load-the-ferry');
  const again = new Talk(client.workflow.getHandle('orders-told'));
  await eventually('the new question is shown', () => shown()[1]);
  expect(shown()).toEqual([first.code, (await again.asked()).code]);
  for (const person of ['ana', 'ben']) await approve(again, person);
  expect(await again.endsWith()).toBe('no failure');
  await resetTo('orders-told', 'database/cross');
  expect(await new Talk(client.workflow.getHandle('orders-told')).endsWith()).toBe('no failure');
  const headlines = [...thread.values()].map(({ headline }) => headline);
  expect(headlines.filter((one) => one.includes('has begun'))).toHaveLength(1);
  expect(headlines.filter((one) => one.startsWith('COMPLETED'))).toHaveLength(2);
});

test('a worker that dies between a click and its answer: the click is answered by the next one, and counts once', async () => {
  const talk = await crossing('orders-killed');
  const approval = await talk.asked();
  let looked = 0;
  verify = async (ask) => {
    looked += 1;
    // The first attempt never comes back: its worker is gone.
    return looked === 1 ? new Promise(() => undefined) : verifySignature(ask);
  };
  const dying = verify;
  const answer = talk.send('approve', await click(talk, approval, 'ana'));
  await eventually('it is looked at', () => (looked > 0 ? true : undefined));
  await stopWorkers();
  await startWorkers();
  verify = dying;
  expect(await answer).toMatchObject({ refused: false, said: expect.stringContaining('1 of 2') });
  expect((await talk.asked()).clicks).toMatchObject([{ by: 'ana', counted: true }]);
  await approve(talk, 'ben');
  expect(await talk.endsWith()).toBe('no failure');
});

/** Begins the run anew from the workflow task that has asked for this activity. */
async function resetTo(workflowId: string, activityId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const asked = (events ?? []).find((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId);
  const { runId } = await handle.describe();
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: asked?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId ?? null,
  });
}
