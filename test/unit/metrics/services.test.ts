import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { StoredRun } from '../../../activities/evidence/store.ts';
import { loadPlanText } from '../../../plan/load.ts';
import type { Plan } from '../../../plan/schema.ts';
import type { GaugeName, Samples } from '../../../workers/metrics/catalogue.ts';
import { ServicesWatch } from '../../../workers/metrics/services.ts';
import { samplesOf } from '../../../workers/metrics/services-samples.ts';
import { proven } from '../evidence/samples.ts';
import { FakeSources } from '../pages/estate.ts';

const file = 'examples/orders.yaml';
const { plan } = loadPlanText(readFileSync(file, 'utf8'), file);
const now = new Date('2026-11-21T12:00:00Z');

function storedRun(more: Partial<StoredRun> = {}): StoredRun {
  return {
    run: 'orders-1',
    runId: 'one',
    runbook: 'monthly-drill',
    mode: 'drill',
    startedAt: '2026-11-07T02:00:00.000Z',
    endedAt: '2026-11-07T02:10:00.000Z',
    outcome: 'proven',
    flags: [],
    rtoMs: 36_500,
    rpoMs: 1_250,
    location: 's3://evidence/x',
    ...more,
  };
}

const known = (runs: StoredRun[], more: { plan?: Plan; storeUp?: boolean } = {}) => ({
  services: new Map([['orders', { plan, runs, waiting: 0, storeUp: true, readAt: now, ...more }]]),
});

const values = (samples: Samples, name: GaugeName) => samples[name]?.map(({ value }) => value) ?? [];

test('the newest proven drill counts, whatever came after it, with what it measured', () => {
  const samples = samplesOf(
    known([
      storedRun({ outcome: 'not-proven', endedAt: '2026-11-20T02:00:00.000Z', failure: 'NotEqual', rtoMs: 1 }),
      storedRun(),
      storedRun({ endedAt: '2026-10-07T02:10:00.000Z', rtoMs: 99_000 }),
    ]),
    now,
  );
  expect(values(samples, 'lastProvenDrill')).toEqual([Date.parse('2026-11-07T02:10:00Z') / 1000]);
  expect(values(samples, 'lastProvenDrillRto')).toEqual([36.5]);
  expect(values(samples, 'lastProvenDrillRpo')).toEqual([1.25]);
  expect(samples.lastFailure).toEqual([
    {
      labels: { service: 'orders', runbook: 'monthly-drill', type: 'NotEqual' },
      value: Date.parse('2026-11-20T02:00:00Z') / 1000,
    },
  ]);
});

test('what nobody has measured or proven is absent, not zero', () => {
  const samples = samplesOf(known([storedRun({ outcome: 'aborted', rtoMs: undefined, rpoMs: undefined })]), now);
  for (const name of ['lastProvenDrill', 'lastProvenDrillRto', 'lastProvenDrillRpo', 'runsInProgress'] as const)
    expect(values(samples, name)).toEqual([]);
});

test('objectives are the plan’s, for the service, each runbook and each class of data', () => {
  const samples = samplesOf(known([]), now);
  expect(samples.objectiveRto).toEqual([
    { labels: { service: 'orders', runbook: '' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'monthly-drill' }, value: 3600 },
    { labels: { service: 'orders', runbook: 'database-failover' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'region-failover' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'point-in-time-recovery' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'full-restore' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'full-recovery' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'application-recovery' }, value: 4 * 3600 },
    { labels: { service: 'orders', runbook: 'configuration-restore' }, value: 4 * 3600 },
  ]);
  expect(samples.objectiveRpo).toEqual([
    { labels: { service: 'orders', data_class: '' }, value: 300 },
    { labels: { service: 'orders', data_class: 'money' }, value: 60 },
  ]);
  expect(values(samples, 'nextDrill')).toEqual([Date.parse('2026-12-05T02:00:00Z') / 1000]);
  expect(values(samples, 'backupWithin')).toEqual([7.5 * 3600]);
});

test('of runs with the same end, only the newest is shown', () => {
  const samples = samplesOf(known([storedRun(), storedRun({ endedAt: '2026-10-07T02:10:00.000Z' })]), now);
  expect(samples.lastRunEnd).toEqual([
    {
      labels: { service: 'orders', runbook: 'monthly-drill', mode: 'drill', outcome: 'proven' },
      value: Date.parse('2026-11-07T02:10:00Z') / 1000,
    },
  ]);
});

/** Watches a Temporal and stores in memory. */
function watched() {
  const sources = new FakeSources();
  const watch = new ServicesWatch({ engine: sources.engine, stores: sources.stores, waiting: async () => 2 });
  const look = async () => {
    const trouble = await watch.look().then(
      () => '',
      (error: Error) => error.message,
    );
    return { trouble, samples: samplesOf(watch.known, now) };
  };
  return { sources, look };
}

test('a run in progress is shown with its start and its phase, and since when it is in it', async () => {
  const { sources, look } = watched();
  const evidence = { ...proven(), outcome: 'running' as const };
  const begun = '2026-11-21T11:58:00.000Z';
  sources.know(
    {
      ...evidence,
      endedAt: undefined,
      phases: [
        { name: 'assessment', budgetMs: 1, peopleMs: 0, retriesMs: 0, startedAt: begun, endedAt: begun },
        { name: 'database', budgetMs: 1, peopleMs: 0, retriesMs: 0, startedAt: begun },
      ],
    },
    { startedAt: '2026-11-21T11:55:00.000Z' },
  );
  const { trouble, samples } = await look();
  expect(trouble).toBe('');
  const labels = { service: 'orders', runbook: 'monthly-drill' };
  expect(samples.runsInProgress).toEqual([{ labels: { ...labels, mode: 'drill' }, value: 1 }]);
  expect(samples.runStarted).toEqual([
    { labels: { ...labels, mode: 'drill' }, value: Date.parse('2026-11-21T11:55:00Z') / 1000 },
  ]);
  expect(samples.phaseStarted).toEqual([{ labels: { ...labels, phase: 'database' }, value: Date.parse(begun) / 1000 }]);
});

test('a service at rest shows that nothing goes on', async () => {
  const { samples } = await watched().look();
  expect(samples.runsInProgress).toEqual([{ labels: { service: 'orders', runbook: '', mode: '' }, value: 0 }]);
  expect(values(samples, 'evidenceWaiting')).toEqual([2]);
  expect(values(samples, 'temporalUp')).toEqual([1]);
});

test('while Temporal is silent runs in progress are not known, and the stores are still read', async () => {
  const { sources, look } = watched();
  await look();
  sources.engineDown = true;
  const { trouble, samples } = await look();
  expect(trouble).toBe('Temporal does not answer.');
  expect(values(samples, 'temporalUp')).toEqual([0]);
  expect(samples.runsInProgress).toBeUndefined();
  expect(values(samples, 'evidenceStoreUp')).toEqual([1]);
});

test('while a store is silent its last word stands, and it is said that it is silent', async () => {
  const { sources, look } = watched();
  sources.stored.push(proven());
  const before = (await look()).samples;
  expect(values(before, 'lastProvenDrill')).toHaveLength(1);
  sources.storeDown = true;
  const { trouble, samples } = await look();
  expect(trouble).toBe('connection refused');
  expect(values(samples, 'evidenceStoreUp')).toEqual([0]);
  expect(samples.lastProvenDrill).toEqual(before.lastProvenDrill);
  expect(samples.evidenceStoreRead).toEqual(before.evidenceStoreRead);
});

test('a store that has never answered leaves results unknown', async () => {
  const { sources, look } = watched();
  sources.storeDown = true;
  const { samples } = await look();
  expect(values(samples, 'evidenceStoreUp')).toEqual([0]);
  for (const name of ['lastProvenDrill', 'evidenceStoreRead', 'evidenceWaiting', 'lastRunEnd'] as const)
    expect(values(samples, name)).toEqual([]);
});
