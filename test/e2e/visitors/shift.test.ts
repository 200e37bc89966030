/** A whole shift of visitors: the runbook, by a real worker, on a real HAProxy; and what breaks in its middle. */
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { eventually, removeDirectory, scratchDirectory } from '../control/rig.ts';
import { type Engine, startEngine } from './engine.ts';
import { type Front, startFront } from './front.ts';

let directory: string;
let front: Front;
let engine: Engine;
let runs = 0;

beforeAll(async () => {
  directory = await scratchDirectory('visitors-shift');
  front = await startFront(directory);
  engine = await startEngine(directory, `visitors: ${JSON.stringify(asWritten())}\n`);
});

beforeEach(() => front.close());

afterAll(async () => {
  await engine?.stop();
  await front?.stop();
  await removeDirectory(directory);
});

/** As a person writes it. JSON is YAML. */
function asWritten(): object {
  const { healthy, ...rest } = front.visitors;
  return {
    ...rest,
    soak: '4s',
    healthy: { url: healthy.url, contains: 'orders' },
    stopWhen: { errors: '2%', latency: '2s' },
  };
}

function begin(input: object = {}): Promise<WorkflowHandle> {
  runs += 1;
  return engine.client.workflow.start('trafficShift', {
    workflowId: `orders-shift-${runs}`,
    taskQueue: 'lifeboat',
    args: [{ mode: 'live', ...input }],
  });
}

/** Of a run that has ended, however. */
async function evidenceAtEnd(handle: WorkflowHandle): Promise<Evidence> {
  await handle.result().catch(() => undefined);
  return handle.query<Evidence>('evidence');
}

/** That this share was given is seen by the weights. */
async function given(share: number): Promise<string> {
  return eventually(`${share} % of the visitors are led to the service`, async () => {
    const weights = await front.weights();
    const [app1 = 0, app2 = 0, sorry = 0] = [...weights.matchAll(/ (\d+)/g)].map(([, weight]) => Number(weight));
    return Math.abs((100 * (app1 + app2)) / (app1 + app2 + sorry) - share) < 1 ? weights : undefined;
  });
}

test('5, 25 and 100 percent of the visitors come to the service, and it says how they were served', async () => {
  const from = front.counts();
  const handle = await begin();
  await given(5);
  await given(25);
  const evidence = await evidenceAtEnd(handle);
  expect(evidence.outcome).toBe('completed');
  const soaks = evidence.steps.filter(({ kind }) => kind === 'change').map(({ found = '' }) => found);
  expect(soaks.map((found) => found.match(/^[\d.]+ %/)?.[0])).toEqual(['5 %', '25 %', '100 %']);
  expect(await front.weights()).toBe('app1 10, app2 10, sorry 0');
  expect(await front.shareOfVisitors(50)).toBe(100);
  const now = front.counts();
  expect(now.app1).toBeGreaterThan(from.app1);
  expect(now.app2).toBeGreaterThan(from.app2);
  expect((await engine.evidenceOf(handle.workflowId)).outcome).toBe('completed');
});

test('a dry run leads nobody anywhere', async () => {
  const before = await front.weights();
  const evidence = await evidenceAtEnd(await begin({ mode: 'dry-run' }));
  expect(evidence.outcome).toBe('previewed');
  expect(evidence.steps.filter(({ preview }) => preview !== undefined)).toHaveLength(3);
  expect(await front.weights()).toBe(before);
});

test('a server that begins to fail under a quarter of the visitors is stopped by the rule: the 5 percent stay', async () => {
  const handle = await begin();
  const five = await given(5);
  await given(25);
  front.answers('app2', { status: 500 });
  const evidence = await evidenceAtEnd(handle);
  expect(evidence).toMatchObject({
    outcome: 'failed',
    failure: { type: 'VisitorsFail', message: expect.stringContaining('Led back: 5 % of the visitors') },
  });
  expect(await front.weights()).toBe(five);
  expect(Math.abs((await front.shareOfVisitors(200)) - 2.5)).toBeLessThan(2);
  // Mended, it goes on from there.
  front.answers('app2', { text: 'orders by app2' });
  const again = await evidenceAtEnd(await begin());
  expect(again.outcome).toBe('completed');
  expect(again.steps.filter(({ kind }) => kind === 'change')).toHaveLength(2);
});

test('the worker is killed between the weight and the proof: another one proves it, and goes on', async () => {
  const handle = await begin();
  const five = await given(5);
  await engine.worker().end('SIGKILL');
  // Nobody is in the way of the visitors: they come as they were led.
  expect(Math.abs((await front.shareOfVisitors(200)) - 5)).toBeLessThan(2);
  expect(await front.weights()).toBe(five);
  await engine.startWorker();
  const evidence = await evidenceAtEnd(handle);
  expect(evidence.outcome).toBe('completed');
  expect(evidence.steps.filter(({ kind, state }) => kind === 'change' && state === 'done')).toHaveLength(3);
  expect(await front.shareOfVisitors(50)).toBe(100);
});

test('HAProxy is reloaded in the middle of a share: the share stays, and the shift goes on', async () => {
  const handle = await begin();
  const quarter = await given(25);
  await front.reload();
  expect(await front.weights()).toBe(quarter);
  expect((await evidenceAtEnd(handle)).outcome).toBe('completed');
  expect(await front.weights()).toBe('app1 10, app2 10, sorry 0');
});

test('somebody else leads visitors meanwhile: the shift ends, and what that person did stays', async () => {
  const handle = await begin();
  await given(25);
  await front.tell('set server app/sorry weight 11');
  const evidence = await evidenceAtEnd(handle);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(await front.weights()).toContain('sorry 11');
});

test('cancelled in the middle of a share, the share before it comes back', async () => {
  const handle = await begin();
  const five = await given(5);
  await given(25);
  await handle.cancel();
  expect((await evidenceAtEnd(handle)).outcome).toBe('aborted');
  expect(await front.weights()).toBe(five);
});

test('away from the service all go at once', async () => {
  await front.tell('set server app/app1 weight 10; set server app/app2 weight 10; set server app/sorry weight 0');
  expect((await evidenceAtEnd(await begin({ to: 0 }))).outcome).toBe('completed');
  expect(await front.shareOfVisitors(50)).toBe(0);
});
