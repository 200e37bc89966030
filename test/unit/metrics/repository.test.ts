import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadPlanText } from '../../../plan/load.ts';
import type { BackupInfo } from '../../../recovery/archive.ts';
import { watcherOf } from '../../../workers/metrics/repository.ts';
import { samplesOf } from '../../../workers/metrics/repository-samples.ts';

const file = 'examples/orders.yaml';
const { plan } = loadPlanText(readFileSync(file, 'utf8'), file);
const labels = { service: 'orders' };

const backup = (type: BackupInfo['type'], stoppedAt: string, bytes: number) =>
  ({ type, stoppedAt, bytes }) as Partial<BackupInfo> as BackupInfo;

const read = {
  at: new Date('2026-11-21T12:00:01Z'),
  from: '2026-11-01T00:00:00.000Z',
  to: '2026-11-21T11:59:50.500000Z',
  gaps: 0,
  backups: [
    backup('full', '2026-11-01T00:00:00.000Z', 10),
    backup('full', '2026-11-08T00:00:00.000Z', 11),
    backup('incr', '2026-11-08T06:00:00.000Z', 12),
  ],
  // The database is three seconds ahead of this host.
  clock: { ms: Date.parse('2026-11-21T12:00:03Z'), at: 1_000 },
};

test("the lag is told on the database's clock, and goes on growing between two looks", () => {
  const lag = (monotonic: number) => samplesOf({ service: 'orders', up: true, read }, monotonic).archiveLag;
  expect(lag(1_000)).toEqual([{ labels, value: 12.5 }]);
  expect(lag(61_000)).toEqual([{ labels, value: 72.5 }]);
});

test('a commit that is newer than the clock, by a hair, is no negative lag', () => {
  const ahead = { ...read, to: '2026-11-21T12:00:03.100000Z' };
  expect(samplesOf({ service: 'orders', up: true, read: ahead }, 1_000).archiveLag).toEqual([{ labels, value: 0 }]);
});

test('a repository that was never read shows only that it was not', () => {
  expect(samplesOf({ service: 'orders', up: false }, 0)).toEqual({ repositoryUp: [{ labels, value: 0 }] });
  expect(samplesOf({ service: 'orders' }, 0)).toEqual({ repositoryUp: [] });
});

test('one that is silent keeps its window, says that it is silent, and the lag grows', () => {
  const samples = samplesOf({ service: 'orders', up: false, read }, 31_000);
  expect(samples.repositoryUp).toEqual([{ labels, value: 0 }]);
  expect(samples.recoveryWindowStart).toEqual([{ labels, value: Date.parse(read.from) / 1000 }]);
  expect(samples.archiveLag).toEqual([{ labels, value: 42.5 }]);
});

test('nothing that can be recovered is no window, and no lag', () => {
  const { from: _from, ...none } = { ...read, to: undefined, backups: [] };
  const samples = samplesOf({ service: 'orders', up: true, read: none }, 1_000);
  for (const name of ['recoveryWindowStart', 'recoveryWindowEnd', 'archiveLag', 'lastBackup'] as const)
    expect(samples[name]).toEqual([]);
  expect(samples.repositoryUp).toEqual([{ labels, value: 1 }]);
});

test('of each type of backup the newest is shown', () => {
  expect(samplesOf({ service: 'orders', up: true, read }, 1_000).lastBackup).toEqual([
    { labels: { ...labels, type: 'full' }, value: Date.parse('2026-11-08T00:00:00Z') / 1000 },
    { labels: { ...labels, type: 'incr' }, value: Date.parse('2026-11-08T06:00:00Z') / 1000 },
  ]);
});

test('one host looks at a repository: the one of the drills where it has a server, else the first', () => {
  expect(watcherOf(plan)?.host).toBe('db2');
  const elsewhere = { ...plan, drills: { monthly: { ...plan.drills.monthly, host: 'drill1' } } };
  expect(watcherOf(elsewhere)?.host).toBe('db1');
});
