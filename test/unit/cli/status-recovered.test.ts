import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ListedRun } from '../../../cli/engine/engine.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import { evidence, running, scriptedRun, stage, summary } from './stage.ts';

const recovery = 'orders-7f3a';
const acceptance = 'orders-9c21';
const listed = (
  run: string,
  runbook: NonNullable<ListedRun['runbook']>,
  endedAt: string,
  outcome: 'recovered' | 'completed',
): ListedRun => ({
  ...{ run, runId: run, runbook, service: 'orders', mode: 'live', outcome, status: 'completed' },
  startedAt: new Date('2026-11-21T14:00:00Z'),
  endedAt: new Date(endedAt),
});
const recovered = listed(recovery, 'point-in-time-recovery', '2026-11-21T14:20:00Z', 'recovered');
const accepted = listed(acceptance, 'accept', '2026-11-22T09:00:00Z', 'completed');
const setAside = ['db1', 'db2'].map((host) => ({
  host,
  directory: `/srv/${host}.before-x`,
  dataDirectory: `/srv/${host}`,
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T09:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

async function status(runs: readonly ListedRun[], ofAcceptance: Partial<Evidence> = {}): Promise<string> {
  const ended = (over: Partial<Evidence>, outcome: 'recovered' | 'completed', runbook: string) =>
    scriptedRun(
      [{ state: running({ status: 'completed' }), evidence: evidence({ ...over, outcome }) }],
      { status: 'completed', summary: summary({ outcome, runbook, run: over.run ?? '' }) },
      over.run,
    );
  const on = stage({
    listed: [...runs],
    runs: {
      [recovery]: ended({ run: recovery, setAside }, 'recovered', 'point-in-time-recovery'),
      [acceptance]: ended(
        { run: acceptance, input: { service: 'orders', recovery }, ...ofAcceptance },
        'completed',
        'accept',
      ),
    },
  });
  await on.type('status');
  return on.out.join('\n');
}

test('the newest recovery is told, with what it keeps, until when, and how that goes', async () => {
  const text = await status([recovered]);
  expect(text).toContain('recovery RECOVERED  orders-7f3a');
  for (const host of ['db1', 'db2'])
    expect(text).toContain(`kept on ${host} until 2026-12-05 14:20Z: /srv/${host}.before-x`);
  expect(text).toContain('lifeboat accept orders-7f3a orders');
});

test('what people have accepted away is not told any more', async () => {
  const text = await status([accepted, recovered], { setAside: [] });
  expect(text).toContain('recovery RECOVERED  orders-7f3a');
  expect(text).not.toContain('.before-x');
});

test('an acceptance that did not come to its end leaves what it has not removed', async () => {
  const text = await status([accepted, recovered], { setAside: setAside.slice(1) });
  expect(text).not.toContain('/srv/db1.before-x');
  expect(text).toContain('kept on db2');
});

test('an acceptance that was refused before it had looked takes nothing from what is kept', async () => {
  expect(await status([accepted, recovered])).toContain('kept on db1');
});

test('an acceptance of another recovery takes nothing from this one', async () => {
  const other = { input: { service: 'orders', recovery: 'orders-0000' }, setAside: [] };
  expect(await status([accepted, recovered], other)).toContain('kept on db1');
});

test('when the time is over in which they are kept, a sweep may have taken them', async () => {
  vi.setSystemTime(new Date('2026-12-06T00:00:00Z'));
  expect(await status([recovered])).not.toContain('.before-x');
});
