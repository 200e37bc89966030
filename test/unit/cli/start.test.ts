import { describe, expect, test } from 'vitest';
import { Silence } from '../../../cli/engine/engine.ts';
import { evidence, provenEvidence, running, scriptedRun, stage, step, summary } from './stage.ts';

const ended = running({ status: 'completed' });
const provenRun = () =>
  scriptedRun([
    { state: running(), evidence: evidence({ steps: [step()] }) },
    { state: ended, evidence: provenEvidence() },
  ]);

test('a drill is started as asked for, followed, and ends with its outcome and exit code 0', async () => {
  const on = stage({ runs: { 'orders-7f3a': provenRun() } });
  await on.type('drill', 'orders');
  expect(on.orders).toEqual([
    {
      type: 'monthlyDrill',
      prefix: 'orders',
      input: { service: 'orders', mode: 'drill', requestedBy: expect.stringMatching(/^ana@/) },
      summary: 'Monthly drill of orders (drill)',
    },
  ]);
  expect(on.out.join('\n')).toContain('backup 20261121-135502F complete, 7 min old');
  expect(on.out.join('\n')).toContain('PROVEN');
  expect(on.code()).toBe(0);
});

test('each step is printed once, however often it is seen', async () => {
  const on = stage({ runs: { 'orders-7f3a': provenRun() } });
  await on.type('drill', 'orders');
  expect(on.out.join('\n').split('backup 20261121-135502F').length - 1).toBe(1);
});

test('with --json stdout holds one document: how the run ended', async () => {
  const on = stage({ runs: { 'orders-7f3a': provenRun() } });
  await on.type('drill', 'orders', '--json');
  expect(on.out).toHaveLength(1);
  expect(JSON.parse(on.out[0] ?? '')).toEqual({ ...summary(), status: 'completed' });
});

test('a drill that did not prove its restore exits with 1', async () => {
  const failure = { type: 'BackupCorrupt', message: 'base/16384/2619 does not match its checksum' };
  const on = stage({
    runs: {
      'orders-7f3a': scriptedRun(
        [
          {
            state: running({ status: 'failed' }),
            evidence: evidence({ outcome: 'not-proven', failure, endedAt: evidence().startedAt }),
          },
        ],
        { status: 'failed', summary: summary({ outcome: 'not-proven', failure }), failure },
      ),
    },
  });
  await on.type('drill', 'orders');
  expect(on.code()).toBe(1);
  expect(on.out.join('\n')).toContain('base/16384/2619 does not match its checksum');
});

test('a drill that was cancelled names its evidence, for people and for programs', async () => {
  const failure = { type: 'Cancelled', message: 'The run was cancelled.' };
  const written = { evidence: 's3://evidence/orders/evidence.json', sha256: 'cd'.repeat(32) };
  const cancelled = () =>
    scriptedRun([{ state: running({ status: 'cancelled' }), evidence: evidence({ outcome: 'aborted', failure }) }], {
      status: 'cancelled',
      failure,
      written,
    });
  const on = stage({ runs: { 'orders-7f3a': cancelled() } });
  await on.type('drill', 'orders');
  expect(on.out.join('\n')).toContain('Evidence s3://evidence/orders/evidence.json');
  expect(on.code()).toBe(1);
  const program = stage({ runs: { 'orders-7f3a': cancelled() } });
  await program.type('drill', 'orders', '--json');
  expect(JSON.parse(program.out.join(''))).toMatchObject({ status: 'cancelled', failure, ...written });
});

test('a run that was refused before it had evidence says why, by type and in words', async () => {
  const failure = {
    type: 'LockHeld',
    message: 'db2 is held by orders-9a1c (monthlyDrill). Wait for it, or cancel it, then start again.',
  };
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: running({ status: 'failed' }) }], { status: 'failed', failure }) },
  });
  await on.type('drill', 'orders');
  expect(on.out.join('\n')).toContain('LockHeld: db2 is held by orders-9a1c');
  expect(on.code()).toBe(4);
});

test.each([
  ['InputInvalid', 2],
  ['PlanInvalid', 2],
  ['LiveRunInProgress', 4],
  ['DiskFull', 1],
])('a run that failed with %s exits with %i', async (type, code) => {
  const ending = { status: 'failed', failure: { type, message: 'as the run says' } } as const;
  const on = stage({ runs: { 'orders-7f3a': scriptedRun([{ state: running({ status: 'failed' }) }], ending) } });
  await on.type('drill', 'orders');
  expect(on.code()).toBe(code);
});

test('Ctrl-C stops looking, says how to look again and how to cancel, and cancels nothing', async () => {
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: evidence({ steps: [step()] }) }]) },
  });
  const typed = on.type('drill', 'orders');
  await expect.poll(() => on.out.length).toBeGreaterThan(0);
  on.interrupt();
  await typed;
  expect(on.messages.join('\n')).toContain('orders-7f3a goes on');
  expect(on.messages.join('\n')).toContain('lifeboat watch orders-7f3a');
  expect(on.messages.join('\n')).toContain('temporal workflow cancel --workflow-id orders-7f3a');
  expect(on.code()).toBe(130);
});

test('Ctrl-C at a live run names the abort, which shows what it would take back', async () => {
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: evidence({ mode: 'live', steps: [step()] }) }]) },
  });
  const typed = on.type('watch', 'orders-7f3a');
  await expect.poll(() => on.out.length).toBeGreaterThan(0);
  on.interrupt();
  await typed;
  expect(on.messages.join('\n')).toContain('lifeboat abort orders-7f3a');
  expect(on.messages.join('\n')).not.toContain('temporal workflow cancel');
});

test('--detach returns at once with the name of the run', async () => {
  const on = stage();
  await on.type('backup', 'orders', '--type', 'full', '--detach', '--json');
  expect(JSON.parse(on.out.join(''))).toEqual({
    run: 'orders-7f3a',
    runId: 'run-id-1',
    status: 'running',
    runbook: 'backup',
    mode: 'live',
    service: 'orders',
  });
  expect(on.orders[0]?.input).toMatchObject({ mode: 'live', type: 'full' });
  expect(on.code()).toBe(0);
});

test('a silent control worker is told on stderr, also with --json', async () => {
  const on = stage({
    runs: {
      'orders-7f3a': scriptedRun([
        { state: running(), evidence: new Silence('workers', 'no answer') },
        { state: ended, evidence: provenEvidence() },
      ]),
    },
  });
  await on.type('drill', 'orders', '--json');
  expect(on.messages.join('\n')).toContain('lifeboat-control');
  expect(on.out).toHaveLength(1);
});

test('when nobody works on the task queue that is said before the run is started, and it is started', async () => {
  const on = stage({ workers: [] });
  await on.type('drill', 'orders', '--detach');
  expect(on.messages[0]).toContain('Nobody works on task queue lifeboat');
  expect(on.orders).toHaveLength(1);
});

test('a drill without a service is named after its runbook, and the worker finds the service', async () => {
  const on = stage();
  await on.type('drill', '--detach');
  expect(on.orders[0]).toMatchObject({ prefix: 'monthly-drill', summary: 'Monthly drill (drill)' });
  expect(on.orders[0]?.input).not.toHaveProperty('service');
});

test('--as names who asks', async () => {
  const on = stage();
  await on.type('drill', 'orders', '--detach', '--as', 'pager');
  expect(on.orders[0]?.input.requestedBy).toBe('pager');
});

test('start passes --mode and the JSON input on', async () => {
  const on = stage();
  await on.type(
    'start',
    'monthly-drill',
    'orders',
    '--mode',
    'dry-run',
    '--input',
    '{"target":"2026-11-21T14:00:00Z"}',
    '--detach',
  );
  expect(on.orders[0]?.input).toMatchObject({ service: 'orders', mode: 'dry-run', target: '2026-11-21T14:00:00Z' });
});

describe('bad input stops before anything is started', () => {
  test.each([
    ['a naive time', ['drill', 'orders', '--target', '2026-11-21T14:00:00'], '2026-11-21T14:00:00Z'],
    ['a time in words', ['drill', 'orders', '--target', 'yesterday'], 'with its offset'],
    ['an unknown runbook', ['start', 'monthly-dril'], 'did you mean "monthly-drill"?'],
    ['an unknown field', ['start', 'monthly-drill', '--input', '{"traget":"x"}'], 'did you mean "target"?'],
    ['an unknown mode', ['start', 'backup', '--mode', 'lvie'], 'did you mean "live"?'],
    ['a mode that the runbook does not have', ['start', 'monthly-drill', '--mode', 'live'], 'drill, dry-run'],
    ['JSON that is none', ['start', 'backup', '--input', '{service:orders}'], 'is not JSON'],
    ['a JSON list', ['start', 'backup', '--input', '["orders"]'], 'one JSON object'],
    ['a contradiction', ['start', 'backup', 'orders', '--input', '{"service":"shop"}'], 'say it once'],
    ['a contradiction of modes', ['start', 'backup', 'orders', '--mode', 'live', '--dry-run'], '--mode'],
    ['an unknown type of backup', ['backup', 'orders', '--type', 'fulll'], 'full, differential, incremental'],
    ['a service that cannot be one', ['drill', 'Orders!'], 'name of a service'],
    ['an unknown option', ['drill', '--targte', 'x'], '--target'],
    ['an unknown command', ['dril'], 'drill'],
    ['no command', [], 'Usage'],
  ])('%s', async (_what, words, says) => {
    const on = stage();
    await on.type(...words);
    expect(on.messages.join('\n')).toContain(says);
    expect(on.orders).toEqual([]);
    expect(on.code()).toBe(2);
  });
});

test('with --json a refusal is a JSON document too', async () => {
  const on = stage();
  await on.type('drill', 'orders', '--target', '2026-11-21T14:00:00', '--json');
  expect(JSON.parse(on.out.join(''))).toEqual({
    error: { code: 2, name: 'badInput', type: 'InputInvalid', message: expect.stringContaining('without an offset') },
  });
});

test('a server that is not reachable exits with 3', async () => {
  const on = stage({ unreachable: true });
  await on.type('drill', 'orders');
  expect(on.messages.join('\n')).toContain('not reachable');
  expect(on.code()).toBe(3);
});

test.each([
  [['drill', 'ordres'], 'did you mean "orders"?'],
  [['start', 'backup', '--input', '{"service":"ordres"}'], 'did you mean "orders"?'],
  [['recovery-window', 'ordres'], 'did you mean "orders"?'],
  [['drill', 'warehouse'], 'LIFEBOAT_PLANS has plans of orders'],
])('a service without a plan is refused before anything is started: %j', async (words, says) => {
  const on = stage({ environment: { LIFEBOAT_PLANS: 'examples/orders.yaml' } });
  await on.type(...words);
  expect(on.messages.join('\n')).toContain(`InputInvalid: there is no plan for`);
  expect(on.messages.join('\n')).toContain(says);
  expect(on.orders).toEqual([]);
  expect(on.code()).toBe(2);
});

test('a service is not refused while a plan cannot be read, which may be its own', async () => {
  const on = stage({ environment: { LIFEBOAT_PLANS: 'examples/orders.yaml:/nowhere/shop.yaml' } });
  await on.type('drill', 'shop', '--detach');
  expect(on.orders).toHaveLength(1);
});

test('no service is guessed while a plan cannot be read: the other one may not be meant', async () => {
  const on = stage({ environment: { LIFEBOAT_PLANS: 'examples/orders.yaml:/nowhere/shop.yaml' } });
  await on.type('backup');
  expect(on.messages.join('\n')).toContain('name the service');
  expect(on.orders).toEqual([]);
  expect(on.code()).toBe(2);
});
