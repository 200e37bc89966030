/** Shares of visitors on a real HAProxy: given, watched, and judged. */
import { connect } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { controlChanges, controlReads } from '../../../activities/control.ts';
import type { Visitors } from '../../../plan/visitors.ts';
import { type Weights, weightsFor } from '../../../recovery/shares.ts';
import { eventually, removeDirectory, scratchDirectory } from '../control/rig.ts';
import { type Front, startFront } from './front.ts';

let directory: string;
let front: Front;
let visitors: Visitors;

beforeAll(async () => {
  directory = await scratchDirectory('visitors');
  front = await startFront(directory);
  visitors = front.visitors;
});

beforeEach(() => front.close());

afterAll(async () => {
  await front?.stop();
  await removeDirectory(directory);
});

/** Of the heartbeats so far, the last. */
let beat: unknown;

function does<Ask, Answer>(activity: (ask: Ask) => Promise<Answer>, ask: Ask): Promise<Answer> {
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  environment.on('heartbeat', (details: unknown) => {
    beat = details;
  });
  return environment.run(activity, ask) as Promise<Answer>;
}

const closed: Weights = { app1: 0, app2: 0, sorry: 100 };

async function given(share: number, before: Weights = closed): Promise<Weights> {
  const { servers } = await does(controlReads.visitorsState, { visitors });
  const after = weightsFor(visitors, servers, share);
  await does(controlChanges.leadVisitors, { visitors, before, after });
  return after;
}

const soak = (weights: Weights, more: Partial<Visitors> = {}) =>
  does(controlReads.soakVisitors, { visitors: { ...visitors, ...more }, weights });

/** Probes have come since then. */
async function itWatches(): Promise<void> {
  const came = () => Object.values(front.counts()).reduce((sum, one) => sum + one, 0);
  const before = came();
  await eventually('it watches', () => (came() > before + 5 ? true : undefined));
}

test('visitors come in the shares that were given, by the count of the servers themselves', async () => {
  let before = closed;
  for (const share of [5, 25, 100]) {
    before = await given(share, before);
    const from = front.counts();
    expect(Math.abs((await front.shareOfVisitors(200)) - share)).toBeLessThan(2);
    const now = front.counts();
    const came = now.app1 - from.app1 + now.app2 - from.app2;
    expect(came + now.sorry - from.sorry).toBe(200);
    expect(Math.abs(came / 2 - share)).toBeLessThan(2);
    const state = await does(controlReads.visitorsState, { visitors });
    expect(state.share).toBeCloseTo(share, 0);
  }
  expect(await front.weights()).toBe('app1 10, app2 10, sorry 0');
});

test('a share that is served well is told with what was seen of it', async () => {
  const soaked = await soak(await given(25));
  expect(soaked.found).toMatch(/^25 % of the visitors for 3 s: \d+ of \d+ probes came to the service/);
  expect(soaked.healthy).toBeGreaterThan(10);
  expect(soaked.answers).toBeGreaterThan(10);
  expect(soaked.failed).toBe(0);
  expect(beat).toMatchObject({ probes: expect.any(Number), failed: 0 });
});

test('told once more, as after a crash, it only finds it done', async () => {
  const after = await given(25);
  const again = await does(controlChanges.leadVisitors, { visitors, before: closed, after });
  expect(again.share).toBe(25);
  // Broken off in the middle: one server has its new weight already.
  await front.tell('set server app/app2 weight 0');
  expect((await does(controlChanges.leadVisitors, { visitors, before: closed, after })).share).toBe(25);
  expect((await does(controlChanges.leadVisitors, { visitors, before: after, after: closed })).share).toBe(0);
});

describe('somebody else', () => {
  test('who has set a weight is not overruled', async () => {
    await front.tell('set server app/app1 weight 77');
    await expect(given(25)).rejects.toMatchObject({ type: 'Moved', message: expect.stringContaining('app1 77') });
    expect(await front.weights()).toBe('app1 77, app2 0, sorry 100');
  });

  test('who does it while a share is watched ends the watch', async () => {
    const weights = await given(25);
    const watching = soak(weights, { soak: 60_000 });
    const ended = expect(watching).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining('sorry 7'),
    });
    await itWatches();
    await front.tell('set server app/sorry weight 7');
    await ended;
    expect(await front.weights()).toContain('sorry 7');
  });

  test('whom visitors are led to, and whom the plan does not name, is said', async () => {
    const { closed: _unnamed, ...strange } = visitors;
    await expect(does(controlReads.visitorsState, { visitors: strange })).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('led to sorry too'),
    });
    await expect(
      does(controlReads.visitorsState, { visitors: { ...visitors, servers: ['app1', 'app9'] } }),
    ).rejects.toMatchObject({ type: 'PlanInvalid', message: expect.stringContaining('has no server app9') });
  });
});

describe('the rule that stops', () => {
  test('ends a share on which a server answers 500, long before the soak is over', async () => {
    const weights = await given(25);
    front.answers('app2', { status: 500 });
    const began = performance.now();
    await expect(soak(weights, { soak: 120_000 })).rejects.toMatchObject({
      type: 'VisitorsFail',
      nonRetryable: true,
      message: expect.stringMatching(/the load balancer counts \d+ of \d+ answers as failed/),
    });
    expect(performance.now() - began).toBeLessThan(100_000);
  });

  test('ends one whose answers are slow', async () => {
    const weights = await given(100);
    front.answers('app1', { text: 'orders, at last', delayMs: 3_000 });
    await expect(soak(weights, { soak: 5_000 })).rejects.toMatchObject({
      type: 'VisitorsFail',
      message: expect.stringContaining('took longer than 2000 ms'),
    });
  });

  test('ends one whose answers are the wrong ones, though the load balancer finds nothing wrong', async () => {
    const weights = await given(100);
    front.answers('app1', { text: 'the page of another service' });
    await expect(soak(weights)).rejects.toMatchObject({
      type: 'VisitorsFail',
      message: expect.stringContaining('status 200 without "orders"'),
    });
  });

  test('judges a health that flaps over the whole window: seldom it goes on, often it does not', async () => {
    const weights = await given(100);
    front.answers('app1', { text: 'orders', fails: 90 });
    const { failed, answers } = await soak(weights, { stopWhen: { errors: 5, latency: 2_000 } });
    expect(answers).toBeGreaterThan(20);
    expect(failed).toBeLessThan(answers / 20);
    front.answers('app1', { text: 'orders', fails: 4 });
    await expect(soak(weights, { stopWhen: { errors: 5, latency: 2_000 } })).rejects.toMatchObject({
      type: 'VisitorsFail',
    });
  });

  test('judges the last moments alone where the plan says so', async () => {
    const weights = await given(100);
    const watching = soak(weights, { soak: 60_000, stopWhen: { errors: 5, latency: 2_000, for: 1_000 } });
    const ended = expect(watching).rejects.toMatchObject({
      type: 'VisitorsFail',
      message: expect.stringMatching(/in the last 1 s|for \d/),
    });
    await itWatches();
    front.answers('app1', { status: 500 });
    await ended;
  });

  test('ends one that nobody is there for', async () => {
    const weights = await given(25);
    await front.tell('set server app/app1 state maint; set server app/app2 state maint');
    await expect(soak(weights)).rejects.toMatchObject({
      type: 'VisitorsFail',
      message: expect.stringContaining('none of app1, app2 is up'),
    });
    await front.tell('set server app/app1 state ready; set server app/app2 state ready');
  });
});

describe('a reload', () => {
  test('in the middle of a share keeps it, and nobody is sent away', async () => {
    const weights = await given(25);
    const watching = soak(weights, { soak: 6_000 });
    await itWatches();
    await front.reload();
    const { answers, failed } = await watching;
    expect(failed).toBe(0);
    expect(answers).toBeGreaterThan(10);
    expect(Math.abs((await front.shareOfVisitors(100)) - 25)).toBeLessThan(3);
  });

  test('that forgets what was said is not taken for a share', async () => {
    const weights = await given(25);
    const watching = soak(weights, { soak: 60_000 });
    const ended = expect(watching).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining('stateFile'),
    });
    await itWatches();
    await front.reload({ forget: true });
    await ended;
  });
});

test('whoever is still there is waited for, and told', async () => {
  await given(100);
  front.answers('app1', { text: 'orders', delayMs: 1_500 });
  front.answers('app2', { text: 'orders', delayMs: 1_500 });
  const port = Number(new URL(front.url).port);
  const session = connect(port, '127.0.0.1');
  session.write('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
  const ask = { visitors, servers: ['app1', 'app2'] };
  await eventually('the visitor is there', async () =>
    (await does(controlReads.visitorsGone, { ...ask, withinMs: 0 })).left > 0 ? true : undefined,
  );
  await does(controlChanges.leadVisitors, { visitors, before: { app1: 10, app2: 10, sorry: 0 }, after: closed });
  const gone = await does(controlReads.visitorsGone, { ...ask, withinMs: 20_000 });
  expect(gone).toMatchObject({ left: 0, found: expect.stringContaining('they are drained') });
  session.destroy();
});

test('what passes for a healthy answer while nobody is led to the service is a wrong plan', async () => {
  expect((await does(controlReads.closedIsTold, { visitors })).found).toContain('status 503, expected 200');
  front.answers('sorry', { text: 'orders will be back soon' });
  await expect(does(controlReads.closedIsTold, { visitors })).rejects.toMatchObject({
    type: 'PlanInvalid',
    message: expect.stringContaining('visitors.healthy.contains'),
  });
});
