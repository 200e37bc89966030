import { describe, expect, test } from 'vitest';
import { awaitedOf } from '../../../evidence/asked.ts';
import { type ListedRun, ledger } from '../../../workers/pages/ledger.ts';
import { readinessOf } from '../../../workers/pages/readiness.ts';
import { switched, waiting } from '../evidence/people-samples.ts';
import { backup, notProven, proven, running } from '../evidence/samples.ts';
import { FakeSources, plan } from './estate.ts';

const now = new Date('2026-11-22T10:00:00Z');

const drill = (endedAt: string, more: Partial<ListedRun> = {}): ListedRun => ({
  run: `orders-${endedAt.slice(0, 10)}`,
  service: 'orders',
  runbook: 'monthly-drill',
  mode: 'drill',
  outcome: 'proven',
  flags: [],
  startedAt: endedAt,
  endedAt,
  ...more,
});

describe('the list of runs', () => {
  test('has what goes on from Temporal, and what is over from the store, each once', async () => {
    const sources = new FakeSources();
    sources.know({ ...running(), run: 'orders-live' });
    sources.know(proven());
    sources.stored.push(proven(), { ...notProven(), run: 'orders-old', startedAt: '2026-03-07T02:00:00.000Z' });
    const { runs, notes } = await ledger(sources.engine, sources.stores, now);
    expect(notes).toEqual([]);
    expect(runs.map(({ run, outcome }) => [run, outcome])).toEqual([
      ['orders-live', 'running'],
      ['orders-7f3a', 'proven'],
      ['orders-old', 'not-proven'],
    ]);
    expect(runs[1]).toMatchObject({ rpoMs: 23_279, service: 'orders' });
  });

  test('says whom a run waits for, and is there without it while no worker answers', async () => {
    const sources = new FakeSources();
    sources.know({ ...waiting(), run: 'orders-live' });
    sources.stored.push(switched());
    const { runs } = await ledger(sources.engine, sources.stores, now);
    expect(runs.map(({ awaits }) => awaits?.map(({ waitsFor }) => waitsFor))).toEqual([
      [awaitedOf(waiting())[0]?.waitsFor],
      undefined,
    ]);
    sources.workersDown = true;
    const later = await ledger(sources.engine, sources.stores, now);
    expect(later.runs.map(({ awaits }) => awaits)).toEqual([undefined, undefined]);
  });

  test('does not show a run as running that the store has seen end, though Temporal hears of it later', async () => {
    const sources = new FakeSources();
    sources.know(proven(), { status: 'running', outcome: 'running' });
    sources.stored.push(proven());
    const { runs } = await ledger(sources.engine, sources.stores, now);
    expect(runs.map((run) => run.outcome)).toEqual(['proven']);
  });

  test('shows a terminated run as aborted, and one that was refused at once as failed', async () => {
    const sources = new FakeSources();
    sources.know(running(), { status: 'terminated', endedAt: '2026-11-21T14:05:00.000Z' });
    const startedAt = '2026-11-21T12:00:00.000Z';
    sources.runs.set('typo', { known: { run: 'typo', runbook: 'monthly-drill', status: 'failed', startedAt } });
    const { runs } = await ledger(sources.engine, sources.stores, now);
    expect(runs.map((run) => run.outcome)).toEqual(['aborted', 'failed']);
  });

  test('leaves out anchors that went well, which come each hour, and shows those that did not', async () => {
    const sources = new FakeSources();
    const anchor = { ...backup(), runbook: 'anchor' };
    sources.know({ ...anchor, run: 'orders-good' });
    sources.know({ ...anchor, run: 'orders-bad' }, { status: 'failed', outcome: 'failed' });
    const { runs } = await ledger(sources.engine, sources.stores, now);
    expect(runs.map(({ run }) => run)).toEqual(['orders-bad']);
  });

  test('says who did not answer, and still shows the rest', async () => {
    const sources = new FakeSources();
    sources.stored.push(proven());
    sources.engineDown = true;
    const withoutEngine = await ledger(sources.engine, sources.stores, now);
    expect(withoutEngine.runs).toHaveLength(1);
    expect(withoutEngine.notes.join()).toContain('Temporal does not answer');
    sources.engineDown = false;
    sources.storeDown = true;
    sources.know(backup());
    const withoutStore = await ledger(sources.engine, sources.stores, now);
    expect(withoutStore.runs.map((run) => run.outcome)).toEqual(['completed']);
    expect(withoutStore.notes.join()).toContain('evidence store of orders was not read');
  });
});

describe('readiness', () => {
  const { full: _full, differential: _differential, incremental: _incremental, ...physical } = plan.backups.physical;
  /** Nothing but the drill is scheduled. */
  const drillsOnly = { ...plan, backups: { physical } };
  const onServer = { id: 'lifeboat/orders/monthly-drill', service: 'orders', name: 'monthly-drill', paused: false };
  const ready = (runs: ListedRun[], over: Partial<Parameters<typeof readinessOf>[0]> = {}) =>
    readinessOf({ service: 'orders', runs, plan: drillsOnly, schedules: [onServer], now, ...over });

  test('is the newest proven drill with its age, and when the next is due', () => {
    const runs = [drill('2026-10-03T02:01:00Z'), drill('2026-11-07T02:01:00Z', { rtoMs: 36_000 })];
    const found = ready(runs);
    expect(found).toMatchObject({ tone: 'good', troubles: [], next: '2026-12-05T02:00:00.000Z' });
    expect(found.proven).toMatchObject({ run: 'orders-2026-11-07', rtoMs: 36_000 });
    expect(found.proven?.ageMs).toBe(now.getTime() - Date.parse('2026-11-07T02:01:00Z'));
  });

  test('is bad when nothing was ever proven, whatever else ran', () => {
    const others = [
      drill('2026-11-07T02:01:00Z', { outcome: 'aborted' }),
      drill('2026-11-08T02:01:00Z', { mode: 'dry-run', outcome: 'previewed' }),
      drill('2026-11-09T02:01:00Z', { mode: 'live', runbook: 'backup', outcome: 'completed' }),
    ];
    expect(ready(others)).toMatchObject({ tone: 'bad' });
    expect(ready(others).proven).toBeUndefined();
  });

  test('is bad when a newer drill did not succeed, and good again after the next that did', () => {
    const runs = [drill('2026-10-03T02:01:00Z'), drill('2026-11-07T02:01:00Z', { outcome: 'not-proven' })];
    expect(ready(runs)).toMatchObject({
      tone: 'bad',
      failedSince: { run: 'orders-2026-11-07' },
    });
    runs.push(drill('2026-11-08T02:01:00Z'));
    expect(ready(runs).failedSince).toBeUndefined();
  });

  test.each([
    ['2026-11-07T02:01:00Z', 'good', 0],
    // The first Saturday of November was the 7th.
    ['2026-11-06T02:01:00Z', 'warn', 1],
  ])('with the newest drill at %s is %s', (at, tone, troubles) => {
    const found = ready([drill(at)]);
    expect(found.tone).toBe(tone);
    expect(found.troubles).toHaveLength(troubles);
    for (const trouble of found.troubles) expect(trouble).toContain('of 2026-11-07 02:00Z did not run');
  });

  test('is not plainly good while the drill is paused, or nothing would start it', () => {
    const runs = [drill('2026-11-07T02:01:00Z')];
    const paused = { ...onServer, paused: true, note: 'the store moves (ana@laptop)' };
    expect(ready(runs, { schedules: [paused] })).toMatchObject({
      tone: 'warn',
      troubles: [expect.stringContaining('the store moves (ana@laptop)')],
    });
    expect(ready(runs, { schedules: [] })).toMatchObject({
      tone: 'warn',
      troubles: [expect.stringContaining('lifeboat schedules apply')],
    });
  });

  test('is judged by the runs alone while Temporal does not say what it has scheduled', () => {
    expect(ready([drill('2026-11-07T02:01:00Z')], { schedules: undefined })).toMatchObject({
      tone: 'good',
      troubles: [],
    });
  });

  test('is not plainly good when the newest proof has a flag', () => {
    expect(ready([drill('2026-11-07T02:01:00Z', { flags: ['late'] })]).tone).toBe('warn');
  });

  test('is not plainly good while the evidence behind it has not been read', async () => {
    const sources = new FakeSources();
    sources.know(proven());
    sources.storeDown = true;
    expect((await ledger(sources.engine, sources.stores, now)).readiness[0]?.tone).toBe('warn');
    sources.storeDown = false;
    sources.stored.push(proven());
    expect((await ledger(sources.engine, sources.stores, now)).readiness[0]?.tone).toBe('good');
  });

  test('without a schedule is known all the same', () => {
    const { next, troubles, proven } = ready([drill('2020-11-07T02:01:00Z')], { plan: undefined });
    expect([next, troubles, proven?.run]).toEqual([undefined, [], 'orders-2020-11-07']);
  });
});
