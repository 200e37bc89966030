import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ListedRun, Silence, type WatchedRun } from '../../../cli/engine/engine.ts';
import { exitCodes } from '../../../cli/exit-codes.ts';
import { at, evidence, proven, provenEvidence, running, scriptedRun, stage, step } from './stage.ts';

const ended = running({ status: 'completed' });
const window = {
  service: 'orders',
  from: '2026-11-14T02:00:05Z',
  to: '2026-11-21T14:02:00Z',
  timeline: 1,
  backups: [{ label: '20261114-020000F', type: 'full', stoppedAt: '2026-11-14T02:00:05Z', bytes: 1_100_000_000 }],
  gaps: ['000000010000000000000009 is missing'],
  anchors: [{ at: '2026-11-21T13:55:09Z', lsn: '0/59E1A40', tables: 2 }],
  oddities: [],
};

function listed(over: Partial<ListedRun> = {}): ListedRun {
  return {
    run: 'orders-7f3a',
    runId: 'run-id-1',
    runbook: 'monthly-drill',
    service: 'orders',
    mode: 'drill',
    status: 'completed',
    startedAt: new Date(at),
    endedAt: new Date('2026-11-21T14:03:00.000Z'),
    ...over,
  };
}

test('watch --json says each change once, in JSON lines, and how it ended', async () => {
  const restoring = evidence({ steps: [step({ id: 'database/restore', state: 'running' })] });
  const restored = evidence({ steps: [step({ id: 'database/restore', state: 'done' })] });
  const pending = [{ id: 'database/restore', attempt: 1, started: true, progress: { percent: 43 } }];
  const run = scriptedRun([
    { state: running({ pending }), evidence: restoring },
    { state: running({ pending }), evidence: restoring },
    { state: ended, evidence: { ...provenEvidence(), steps: restored.steps } },
  ]);
  const on = stage({ runs: { 'orders-7f3a': run } });
  await on.type('watch', 'orders-7f3a', '--json');
  const lines = on.out.map((line): { event: string; step?: { state: string } } => JSON.parse(line));
  expect(lines.map((line) => line.step?.state ?? line.event)).toEqual([
    'phase',
    'running',
    'progress',
    'done',
    'ended',
  ]);
  expect(lines.at(-1)).toMatchObject({ run: 'orders-7f3a', outcome: 'proven' });
  expect(on.code()).toBe(0);
});

test('watch without a name takes the newest run that is running', async () => {
  const run = scriptedRun([{ state: ended, evidence: provenEvidence() }], proven, 'orders-9a1c');
  const on = stage({
    listed: [listed(), listed({ run: 'orders-9a1c', status: 'running' })],
    runs: { 'orders-9a1c': run },
  });
  await on.type('watch');
  expect(on.code()).toBe(0);
  expect(on.out.join('\n')).toContain('PROVEN');
});

test('watch says when nothing is running, and which run was the newest', async () => {
  const on = stage({ listed: [listed()] });
  await on.type('watch');
  expect(on.messages.join('\n')).toContain('Nothing is running. The newest was orders-7f3a');
  expect(on.code()).toBe(5);
});

test('watching a run that does not exist exits with 5', async () => {
  const on = stage();
  await on.type('watch', 'orders-ffff');
  expect(on.code()).toBe(5);
});

test('status tells newest drill and backup, what is running, and the locks', async () => {
  const on = stage({
    listed: [
      listed({ run: 'orders-9a1c', status: 'running', phase: 'database' }),
      listed(),
      listed({ run: 'orders-0b0b', runbook: 'backup', mode: 'live' }),
    ],
    runs: {
      'orders-7f3a': scriptedRun([{ state: ended }]),
      'orders-0b0b': scriptedRun([{ state: ended }], {
        status: 'failed',
        failure: { type: 'BackupFailed', message: 'pgbackrest exited with 56' },
      }),
    },
    locks: [{ lock: 'lifeboat-host/db2', holder: 'orders-9a1c', since: new Date(at) }],
  });
  await on.type('status');
  const words = on.out.join('\n');
  expect(words).toMatch(/drill +PROVEN {2}orders-7f3a, .* ago \(2026-11-21T14:03:00Z\) +RTO 36 s +RPO 23 s/);
  expect(words).toContain('BackupFailed: pgbackrest exited with 56');
  expect(words).toMatch(/running +orders-9a1c {2}monthly-drill \(drill\), database/);
  expect(words).toContain('Lock lifeboat-host/db2 is held by orders-9a1c');
  expect(words).toContain('control@db1:1');
  expect(on.code()).toBe(0);
});

test('status --json is one document', async () => {
  const on = stage({ listed: [listed()], runs: { 'orders-7f3a': scriptedRun([{ state: ended }]) }, workers: [] });
  await on.type('status', '--json');
  expect(JSON.parse(on.out.join(''))).toMatchObject({
    services: [
      { service: 'orders', newestDrill: { run: 'orders-7f3a', outcome: 'proven', rtoMs: 36_000 }, running: [] },
    ],
    locks: [],
    workers: [],
  });
});

test('a dry run does not count as the newest drill', async () => {
  const on = stage({ listed: [listed({ mode: 'dry-run' })] });
  await on.type('status', '--json');
  expect(JSON.parse(on.out.join('')).services[0]).not.toHaveProperty('newestDrill');
});

test('status calls a cancelled run aborted, not one that left no result', async () => {
  const run = scriptedRun([{ state: running({ status: 'cancelled' }) }], {
    status: 'cancelled',
    failure: { type: 'Cancelled', message: 'The run was cancelled.' },
  });
  const on = stage({ listed: [listed({ status: 'cancelled' })], runs: { 'orders-7f3a': run } });
  await on.type('status');
  expect(on.out.join('\n')).toContain('ABORTED  orders-7f3a');
});

test('a drill that was refused does not hide the one that was proven before it', async () => {
  const failure = { type: 'LockHeld', message: 'db2 is held by orders-9a1c.' };
  const refused = scriptedRun([{ state: running({ status: 'failed' }) }], { status: 'failed', failure });
  const on = stage({
    listed: [listed({ run: 'orders-beef', status: 'failed', outcome: 'aborted' }), listed({ outcome: 'proven' })],
    runs: { 'orders-beef': refused, 'orders-7f3a': scriptedRun([{ state: ended }]) },
  });
  await on.type('status');
  expect(on.out.join('\n')).toContain('LockHeld: db2 is held by orders-9a1c.');
  expect(on.out.join('\n')).toMatch(/last proven .* ago \(2026-11-21T14:03:00Z\) by orders-7f3a +RTO 36 s +RPO 23 s/);
  await on.type('status', '--json');
  expect(JSON.parse(on.out.at(-1) ?? '').services[0]).toMatchObject({
    newestDrill: { run: 'orders-beef' },
    lastProven: { run: 'orders-7f3a', outcome: 'proven', rtoMs: 36_000 },
  });
});

test('status says when no drill was ever proven', async () => {
  const failure = { type: 'BackupCorrupt', message: 'a checksum differs' };
  const failed = scriptedRun([{ state: running({ status: 'failed' }) }], { status: 'failed', failure });
  const on = stage({ listed: [listed({ status: 'failed', outcome: 'not-proven' })], runs: { 'orders-7f3a': failed } });
  await on.type('status');
  expect(on.out.join('\n')).toContain('last proven: never');
});

test('status of a service that nobody knows exits with 5', async () => {
  const on = stage({ listed: [] });
  await on.type('status', 'shop');
  expect(on.code()).toBe(5);
});

test.each([
  ['terminal', 'PROVEN'],
  ['markdown', '# '],
  ['html', '<!doctype html>'],
  ['json', '"schema": "lifeboat.evidence/1"'],
])('report --format %s', async (format, says) => {
  const on = stage({ runs: { 'orders-7f3a': scriptedRun([{ state: ended, evidence: provenEvidence() }]) } });
  await on.type('report', 'orders-7f3a', '--format', format);
  expect(on.out.join('\n').toLowerCase()).toContain(says.toLowerCase());
  expect(on.code()).toBe(0);
});

test('the report of a terminated run says that it ended and that nothing was cleaned up', async () => {
  const cut = evidence({ steps: [step({ state: 'running' })] });
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: running({ status: 'terminated' }), evidence: cut }]) },
  });
  await on.type('report', 'orders-7f3a');
  expect(on.out.join('\n')).toContain('ABORTED');
  expect(on.out.join('\n')).toContain('nothing was undone or cleaned up');
});

test('report --output writes the whole file, leaves nothing beside it, and says so on stderr', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-report-'));
  try {
    const on = stage({ runs: { 'orders-7f3a': scriptedRun([{ state: ended, evidence: provenEvidence() }]) } });
    await on.type('report', 'orders-7f3a', '--json', '--output', join(folder, 'report.json'));
    expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toEqual(provenEvidence());
    expect(await readdir(folder)).toEqual(['report.json']);
    expect(on.out).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('report --output to a place that takes no file says so, and leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-report-'));
  try {
    await mkdir(join(folder, 'reports'));
    const on = stage({ runs: { 'orders-7f3a': scriptedRun([{ state: ended, evidence: provenEvidence() }]) } });
    await on.type('report', 'orders-7f3a', '--output', join(folder, 'reports'));
    expect(on.code()).toBe(2);
    expect(on.messages.join('\n')).toContain(`cannot be written to ${join(folder, 'reports')}`);
    expect(await readdir(folder)).toEqual(['reports']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each<[string, WatchedRun | undefined, number, string]>([
  ['that nobody knows', undefined, 5, 'knows no run'],
  ['that has no evidence yet', scriptedRun([{ state: running() }]), 5, 'not read its plan yet'],
  [
    'whose worker is silent',
    scriptedRun([{ state: ended, evidence: new Silence('workers', '') }]),
    6,
    'lifeboat-control',
  ],
  [
    'that was refused',
    scriptedRun([{ state: running({ status: 'failed' }) }], {
      status: 'failed',
      failure: { type: 'InputInvalid', message: 'no field "traget"' },
    }),
    5,
    'InputInvalid: no field "traget"',
  ],
])('the report of a run %s says why there is none', async (_what, run, code, says) => {
  const on = stage({ runs: run === undefined ? {} : { 'orders-7f3a': run } });
  await on.type('report', 'orders-7f3a');
  expect(on.messages.join('\n')).toContain(says);
  expect(on.messages.join('\n')).toContain('LIFEBOAT_PLANS');
  expect(on.code()).toBe(code);
});

test('recovery-window tells from when to when, with gaps and anchors', async () => {
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: ended }], { status: 'completed', result: window }) },
  });
  await on.type('recovery-window', 'orders');
  const words = on.out.join('\n');
  expect(words).toContain('from 2026-11-14T02:00:05Z to 2026-11-21T14:02:00Z (timeline 1, 1 gap, see below)');
  expect(words).toContain('000000010000000000000009 is missing');
  expect(words).toContain('2026-11-21T13:55:09Z  at 0/59E1A40  2 tables');
  expect(on.orders[0]).toMatchObject({ type: 'recoveryWindow', input: { service: 'orders' } });
  expect(on.code()).toBe(0);
});

test('recovery-window says on stderr what it waits for while the archive is slow', async () => {
  const pending = [{ id: 'read', attempt: 2, started: true, worker: 'host-db2@41802', lastFailure: 'no answer' }];
  let looks = 0;
  const slow: WatchedRun = {
    ...scriptedRun([{ state: ended }], { status: 'completed', result: window }),
    state: async () => (looks++ < 20 ? running({ pending }) : ended),
  };
  const on = stage({ runs: { 'orders-7f3a': slow } });
  await on.type('recovery-window', 'orders', '--json');
  expect(on.messages).toEqual(['asking the archive of orders through host-db2@41802, attempt 2 ... (no answer)']);
  expect(JSON.parse(on.out.join(''))).toEqual(window);
});

test('recovery-window --json is the result itself', async () => {
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: ended }], { status: 'completed', result: window }) },
  });
  await on.type('recovery-window', 'orders', '--json');
  expect(JSON.parse(on.out.join(''))).toEqual(window);
});

test('recovery-window asks nobody when nobody works', async () => {
  const on = stage({ workers: [] });
  await on.type('recovery-window', 'orders');
  expect(on.orders).toEqual([]);
  expect(on.code()).toBe(6);
});

test('recovery-window of a service without a plan is bad input', async () => {
  const failure = { type: 'InputInvalid', message: 'there is no plan for "ordres": did you mean "orders"?' };
  const on = stage({
    runs: { 'orders-7f3a': scriptedRun([{ state: running({ status: 'failed' }) }], { status: 'failed', failure }) },
  });
  await on.type('recovery-window', 'ordres');
  expect(on.messages.join('\n')).toContain('InputInvalid: there is no plan for "ordres"');
  expect(on.code()).toBe(2);
});

test('exit-codes lists every code, in words and in JSON', async () => {
  const on = stage();
  await on.type('exit-codes', '--json');
  const codes: { code: number }[] = JSON.parse(on.out.join(''));
  expect(codes.map((one) => one.code)).toEqual(Object.values(exitCodes));
  await on.type('exit-codes');
  for (const { code } of codes) expect(on.out.at(-1)).toContain(`${code}  `);
});

test('help and version are answers', async () => {
  for (const words of [['--help'], ['help', 'drill'], ['drill', '--help'], ['--version']]) {
    const on = stage();
    await on.type(...words);
    expect(on.out.join('')).not.toBe('');
    expect(on.messages).toEqual([]);
    expect(on.code()).toBe(0);
  }
});
