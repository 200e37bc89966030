import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import type { Entry, ScheduledName } from '../../../plan/schedule-entries.ts';
import { type KeptAsk, kept, type SeenRun } from '../../../plan/schedule-kept.ts';
import { parseSchedule } from '../../../plan/schedule-words.ts';

const hour = 3_600_000;
const day = 24 * hour;

function entry(name: ScheduledName, words: string): Entry {
  const parsed = parseSchedule(words);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return { name, words, schedule: parsed.schedule };
}

/** The first Saturday of December 2026 was the 5th. */
const due = '2026-12-05T02:00:00.000Z';

function ask(over: Partial<KeptAsk> = {}): KeptAsk {
  return {
    service: 'orders',
    entry: entry('monthly-drill', 'first Saturday 02:00 UTC'),
    runs: [],
    onServer: { paused: false, since: '2026-01-01T00:00:00Z' },
    startWithinMs: hour,
    now: new Date('2026-12-06T09:00:00Z'),
    ...over,
  };
}

const drill = (over: Partial<SeenRun> = {}): SeenRun => ({
  run: 'orders-7f3a',
  runbook: 'monthly-drill',
  mode: 'drill',
  outcome: 'proven',
  startedAt: '2026-12-05T02:00:00.100Z',
  endedAt: '2026-12-05T02:20:00Z',
  ...over,
});

const backup = (type: string, over: Partial<SeenRun> = {}): SeenRun =>
  drill({ run: 'orders-b00b', runbook: 'backup', mode: 'live', type, outcome: 'completed', ...over });

const kinds = (over: Partial<KeptAsk>) => kept(ask(over)).troubles.map(({ kind }) => kind);

describe('a drill that the plan schedules', () => {
  test('was kept when one was proven since its time', () => {
    expect(kept(ask({ runs: [drill()] }))).toMatchObject({ state: 'kept', run: 'orders-7f3a', due, troubles: [] });
  });

  test('was missed when none has run since, and what to do is said', () => {
    const found = kept(ask({ runs: [drill({ startedAt: '2026-11-07T02:00:00Z', endedAt: '2026-11-07T02:20:00Z' })] }));
    expect(found.state).toBe('missed');
    expect(found.next).toBe('2027-01-02T02:00:00.000Z');
    expect(found.troubles).toEqual([
      {
        kind: 'missed',
        message:
          'The monthly drill of 2026-12-05 02:00Z did not run: lifeboat drill orders. What its schedule did: lifeboat schedules list',
      },
    ]);
  });

  test('may still begin for as long as the plan allows, and is missed after that', () => {
    const at = (minutes: number) => kept(ask({ now: new Date(Date.parse(due) + minutes * 60_000) })).state;
    expect([at(0), at(59), at(61)]).toEqual(['due', 'due', 'due']);
    expect(at(63)).toBe('missed');
  });

  test.each(['not-proven', 'aborted', 'failed'])(
    'that ended %s came to nothing, and its report is named',
    (outcome) => {
      const found = kept(ask({ runs: [drill({ outcome })] }));
      expect(found.state).toBe('failed');
      expect(found.troubles[0]?.message).toContain(`orders-7f3a ended ${outcome}`);
      expect(found.troubles[0]?.message).toContain('lifeboat report orders-7f3a');
    },
  );

  test('that came to nothing is made good by a later one that was proven', () => {
    const later = drill({ run: 'orders-1234', startedAt: '2026-12-05T08:00:00Z', endedAt: '2026-12-05T08:20:00Z' });
    expect(kinds({ runs: [drill({ outcome: 'not-proven' }), later] })).toEqual([]);
  });

  test('is not made good by a dry run, nor by a backup', () => {
    expect(kinds({ runs: [drill({ mode: 'dry-run', outcome: 'previewed' }), backup('full')] })).toEqual(['missed']);
  });

  test('is not missed while one goes on, until it has gone on for a day', () => {
    const goesOn = { runbook: 'monthly-drill', mode: 'drill', run: 'orders-7f3a', outcome: 'running', startedAt: due };
    expect(kinds({ runs: [goesOn], now: new Date('2026-12-05T23:00:00Z') })).toEqual([]);
    expect(kinds({ runs: [goesOn] })).toEqual(['stuck']);
  });

  test('is not missed at a time before its schedule was made', () => {
    expect(kept(ask({ onServer: { paused: false, since: '2026-12-05T03:00:00Z' } }))).toMatchObject({
      state: 'new',
      troubles: [],
    });
  });

  test('without a schedule on the server is told, with the time that went by', () => {
    expect(kept(ask({ onServer: 'missing' })).troubles).toEqual([
      {
        kind: 'not-scheduled',
        message:
          'No schedule on the Temporal server starts the monthly drill of orders (next due 2027-01-02 02:00Z, the one of 2026-12-05 02:00Z did not run): lifeboat schedules apply',
      },
    ]);
    expect(kept(ask({ onServer: 'missing', runs: [drill()] })).troubles[0]?.message).not.toContain('did not run');
  });

  test('that is paused is told, with the note that people left', () => {
    const found = kept(ask({ onServer: { paused: true, note: 'moving the store (ana@laptop)' } }));
    expect(found.troubles).toEqual([
      {
        kind: 'paused',
        message:
          'The monthly drill is paused ("moving the store (ana@laptop)"). The one of 2026-12-05 02:00Z did not run. lifeboat schedules resume orders/monthly-drill',
      },
    ]);
  });

  test('is judged by its runs alone while the server does not answer', () => {
    expect(kinds({ onServer: undefined, runs: [drill()] })).toEqual([]);
    expect(kinds({ onServer: undefined })).toEqual(['missed']);
  });
});

describe('a backup or an anchor that the plan schedules', () => {
  const now = new Date('2026-12-05T09:00:00Z');
  const made = (name: ScheduledName, run: SeenRun) =>
    kept(ask({ entry: entry(name, 'daily 02:00 UTC'), runs: [run], now })).state;

  test.each([
    ['full-backup', 'full', 'kept'],
    ['full-backup', 'differential', 'missed'],
    ['differential-backup', 'full', 'kept'],
    ['differential-backup', 'differential', 'kept'],
    ['differential-backup', 'incremental', 'missed'],
    ['incremental-backup', 'full', 'kept'],
    ['incremental-backup', 'incremental', 'kept'],
    ['anchor', 'incremental', 'kept'],
  ] as const)('the %s is by a backup of type %s: %s', (name, type, state) => {
    expect(made(name, backup(type))).toBe(state);
  });

  test('an anchor is kept by an anchor of its own, a backup is not', () => {
    const run = drill({ runbook: 'anchor', mode: 'live', outcome: 'completed' });
    expect(made('anchor', run)).toBe('kept');
    expect(made('incremental-backup', run)).toBe('missed');
  });

  test('the message names the command for what is missing', () => {
    const of = (name: ScheduledName) =>
      kept(ask({ entry: entry(name, 'daily 02:00 UTC'), now })).troubles[0]?.message ?? '';
    expect(of('differential-backup')).toContain('lifeboat backup orders --type differential');
    expect(of('anchor')).toContain('lifeboat anchor orders');
  });
});

describe('any schedule at any time', () => {
  const recurrence = fc.constantFrom(
    'daily',
    'weekdays',
    'weekly Sunday',
    'monthly last day',
    'last Friday',
    'first Saturday',
  );
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
  const clock = fc
    .tuple(fc.nat(23), fc.nat(59))
    .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const words = fc.tuple(recurrence, clock, zone).map((parts) => parts.join(' '));
  const moments = fc.date({ min: new Date('2024-01-01'), max: new Date('2034-01-01'), noInvalidDate: true });

  test('is kept by a good run after its newest time, and missed without one as soon as it may no longer begin', () => {
    fc.assert(
      fc.property(words, moments, fc.nat(60 * day), fc.nat(1000), (text, now, ago, promille) => {
        const asked = ask({ entry: entry('monthly-drill', text), now, onServer: { paused: false } });
        const { due: newest } = kept(asked);
        const dueMs = Date.parse(newest);
        const since = dueMs + ((now.getTime() - dueMs) * promille) / 1000;
        const run = (at: number) =>
          drill({ startedAt: new Date(at).toISOString(), endedAt: new Date(at).toISOString() });
        expect(kept({ ...asked, runs: [run(Math.ceil(since))] }).troubles).toEqual([]);
        const late = now.getTime() - dueMs > hour + 2 * 60_000;
        expect(kept({ ...asked, runs: [run(dueMs - 1 - ago)] }).state).toBe(late ? 'missed' : 'due');
      }),
      { numRuns: 60 },
    );
  });

  test('has its newest time on the wall clock that the words name', () => {
    fc.assert(
      // Not where clocks go by half an hour: there a time that is skipped comes half an hour later.
      fc.property(
        fc.tuple(
          clock,
          zone.filter((one) => !one.endsWith('Howe')),
        ),
        moments,
        ([time, where], now) => {
          const at = DateTime.fromISO(kept(ask({ entry: entry('anchor', `daily ${time} ${where}`), now })).due, {
            zone: where,
          });
          expect(at.toFormat('HH:mm')).toBe(time);
          expect(at.toMillis()).toBeLessThanOrEqual(now.getTime());
          // A day, and another where the clocks skip the time.
          expect(now.getTime() - at.toMillis()).toBeLessThan(2 * day + 2 * hour);
        },
      ),
      { numRuns: 60 },
    );
  });
});
