/** What a plan may say of schedules, and what becomes of it. */
import { expect, test } from 'vitest';
import { wantedSchedules } from '../../../cli/schedules/wanted.ts';
import { loadPlanText } from '../../../plan/load.ts';
import { orders, ordersWith, problemsOf } from './orders.ts';

const withAnchors = (words: string) =>
  ordersWith(['    archiveTimeout: 30s\n', `    archiveTimeout: 30s\n  anchors: ${words}\n`]);

test('every cadence of a plan becomes a schedule of its own, with all that a run needs', () => {
  const wanted = wantedSchedules(loadPlanText(withAnchors('every 1h'), 'orders.yaml').plan);
  expect(wanted.map(({ id, words, order }) => [id, words, order.type, order.input])).toEqual([
    [
      'lifeboat/orders/monthly-drill',
      'first Saturday 02:00 UTC',
      'monthlyDrill',
      { service: 'orders', mode: 'drill', requestedBy: 'schedule' },
    ],
    [
      'lifeboat/orders/full-backup',
      'daily 02:00 UTC',
      'backup',
      { service: 'orders', mode: 'live', type: 'full', requestedBy: 'schedule' },
    ],
    [
      'lifeboat/orders/incremental-backup',
      'every 6h',
      'backup',
      { service: 'orders', mode: 'live', type: 'incremental', requestedBy: 'schedule' },
    ],
    ['lifeboat/orders/anchor', 'every 1h', 'anchor', { service: 'orders', mode: 'live', requestedBy: 'schedule' }],
  ]);
  expect(new Set(wanted.map(({ order }) => order.prefix)).size).toBe(4);
  expect(wanted.map(({ order }) => order.summary)[1]).toBe('Backup of orders (live)');
});

test('runs begin a little apart, drills on the minute', () => {
  const wanted = wantedSchedules(loadPlanText(orders, 'orders.yaml').plan);
  expect(wanted.map(({ spreadMs }) => spreadMs)).toEqual([0, 60_000, 60_000]);
});

test('what is scheduled may begin an hour late, unless the plan says otherwise', () => {
  const late = (text: string) => loadPlanText(text, 'orders.yaml').plan.schedules.startWithin;
  expect(late(orders)).toBe(3_600_000);
  expect(late(`${orders}schedules: { startWithin: 15m }\n`)).toBe(900_000);
});

test.each([
  [withAnchors('hourly'), 'orders.yaml:39:12 "hourly" is not a schedule'],
  [withAnchors('every 1m'), 'an interval is at least 5m'],
  [`${orders}schedules: { startWithin: 1s }\n`, 'write a time from 10s to 24h'],
  [`${orders}schedules: { startWithin: 2d }\n`, 'what is scheduled cannot begin within 2d'],
  [`${orders}schedules: { startsWithin: 1h }\n`, 'startsWithin'],
])('what cannot be meant is refused: %#', (text, problem) => {
  expect(problemsOf(text).join('\n')).toContain(problem);
});
