import { expect, test } from 'vitest';
import { type ListedRun, Silence } from '../../../cli/engine/engine.ts';
import { approval, asking, click, decision } from './asked-run.ts';
import { at, proven, provenEvidence, running, scriptedRun, stage } from './stage.ts';

const listed: ListedRun = {
  run: 'orders-7f3a',
  runId: 'run-id-1',
  runbook: 'monthly-drill',
  service: 'orders',
  mode: 'live',
  phase: 'database',
  status: 'running',
  startedAt: new Date(at),
};

/** As runs tell it: made a moment ago. */
const ends = new Date(Date.now() + 40 * 60_000).toISOString();

const waits = asking({
  approvals: [approval({ clicks: [click()] })],
  decisions: [decision()],
  forecast: { at: new Date(Date.now() + 60_000).toISOString(), endsAt: ends, lateByMs: 720_000, how: '3 earlier runs' },
});

test('status says what waits for whom, since when, until when, and what to type', async () => {
  const on = stage({ listed: [listed], runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: waits }]) } });
  await on.type('status');
  const words = on.out.join('\n');
  for (const fact of [
    'Switch the primary: 1 of 2 of dba (ana); waits for ben, cara',
    'since 14:02:11Z, until 14:17:11Z (',
    'lifeboat approve orders-7f3a --code 7K3M9QXZ',
    'Demote db1 has failed: waits for ana, ben (dba)',
    'lifeboat decide orders-7f3a retry --code D3C1S10N',
    `ends about ${ends.slice(11, 19)}Z, which misses the RTO by 12 min (by 3 earlier runs)`,
  ])
    expect(words).toContain(fact);
});

test('status sends for nobody once the quorum is there', async () => {
  const agreed = asking({ approvals: [approval({ quorum: 1, clicks: [click({ by: 'ben' })] })] });
  const on = stage({
    listed: [listed],
    runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: agreed }]) },
  });
  await on.type('status');
  const words = on.out.join('\n');
  expect(words).toContain('Switch the primary: 1 of 1 of dba (ben); approved: its facts are being read once more');
  expect(words).not.toMatch(/WAITS|waits for|lifeboat approve/);
});

test('status says when a run ends, as far as can be told at this moment: never in the past', async () => {
  const begun = new Date(Date.now() - 10 * 60_000).toISOString();
  const old = asking({
    approvals: [approval({ openedAt: begun })],
    forecast: { at: begun, endsAt: new Date(Date.now() - 9 * 60_000).toISOString(), how: '3 earlier runs' },
  });
  const on = stage({ listed: [listed], runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: old }]) } });
  await on.type('status', '--json');
  const [service] = JSON.parse(on.out.join('')).services;
  const inMs = Date.parse(service.running[0].forecast.endsAt) - Date.now();
  expect(inMs).toBeGreaterThan(30_000);
  expect(inMs).toBeLessThan(90_000);
});

test('a decision is offered as it can be answered', async () => {
  const skippable = asking({ approvals: [], decisions: [decision({ offers: ['retry', 'skip', 'abort'] })] });
  for (const [evidence, offered] of [
    [waits, '--code D3C1S10N   (or abort)'],
    [skippable, '--code D3C1S10N   (or skip, abort)'],
  ] as const) {
    const on = stage({ listed: [listed], runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence }]) } });
    await on.type('status');
    expect(on.out.join('\n')).toContain(offered);
  }
});

test('status --json has it too', async () => {
  const on = stage({ listed: [listed], runs: { 'orders-7f3a': scriptedRun([{ state: running(), evidence: waits }]) } });
  await on.type('status', '--json');
  const [service] = JSON.parse(on.out.join('')).services;
  expect(service.running[0]).toMatchObject({
    run: 'orders-7f3a',
    waits: [
      { kind: 'approval', code: '7K3M9QXZ', quorum: 2, agree: 1, waitsFor: ['ben', 'cara'] },
      { kind: 'decision', id: 'database/demote-db1', waitsFor: ['ana', 'ben'] },
    ],
    forecast: { lateByMs: 720_000 },
  });
});

test('status does not hang on a silent worker: it says that nobody could be asked', async () => {
  const silent = scriptedRun([{ state: running(), evidence: new Silence('workers', 'No control worker answers') }]);
  const on = stage({ listed: [listed], runs: { 'orders-7f3a': silent } });
  await on.type('status');
  expect(on.out.join('\n')).toContain('Whom the runs wait for is not known');
  expect(on.out.join('\n')).toContain('orders-7f3a');
  expect(on.code()).toBe(0);
});

test('watch shows each question once, with the command that answers it, and each answer', async () => {
  const answered = asking({
    approvals: [approval({ clicks: [click(), click({ by: 'ben', said: 'Counted: 2 of 2.' })] })],
  });
  const run = scriptedRun([
    { state: running(), evidence: asking() },
    { state: running(), evidence: asking() },
    { state: running(), evidence: answered },
    { state: running({ status: 'completed' }), evidence: provenEvidence() },
  ]);
  const on = stage({ runs: { 'orders-7f3a': run } });
  await on.type('watch', 'orders-7f3a');
  const words = on.out.join('\n');
  expect(words.match(/Switch the primary to be approved, code 7K3M9QXZ/g)).toHaveLength(1);
  expect(words).toContain('lifeboat approve orders-7f3a --code 7K3M9QXZ');
  expect(words.match(/ana approved/g)).toHaveLength(1);
  expect(words).toContain('14:03:02Z ben approved (signed, by command line, after 51 s)');
});

test('watch --json has a line for each change of a question', async () => {
  const run = scriptedRun(
    [
      { state: running(), evidence: asking() },
      { state: running(), evidence: waits },
      { state: running({ status: 'completed' }), evidence: waits },
    ],
    proven,
  );
  const on = stage({ runs: { 'orders-7f3a': run } });
  await on.type('watch', 'orders-7f3a', '--json');
  const lines = on.out.map((line): { event: string } => JSON.parse(line));
  const of = (event: string) => lines.filter((line) => line.event === event);
  expect([of('approval').length, of('decision').length, of('forecast').length]).toEqual([2, 1, 1]);
});

test('watch says once that the run will be late', async () => {
  const on = stage({
    runs: {
      'orders-7f3a': scriptedRun([
        { state: running(), evidence: waits },
        { state: running(), evidence: waits },
        { state: running({ status: 'completed' }), evidence: provenEvidence() },
      ]),
    },
  });
  await on.type('watch', 'orders-7f3a');
  expect(on.out.join('\n').match(/misses the RTO by 12 min/g)).toHaveLength(1);
});
