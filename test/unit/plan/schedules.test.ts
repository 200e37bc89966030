import { readFile } from 'node:fs/promises';
import type { ScheduleSpec as TemporalScheduleSpec } from '@temporalio/client';
import fc from 'fast-check';
import { expect, describe as suite, test } from 'vitest';
import { scheduleSpec } from '../../../plan/schedule-calendar.ts';
import { clockChangeProblem, lastTime, nextTimes } from '../../../plan/schedule-times.ts';
import { describe, maxIntervalMs, parseSchedule, type Schedule } from '../../../plan/schedule-words.ts';
import { calendarMatches } from './temporal-calendar.ts';

const now = new Date('2026-11-21T14:00:00Z');

function parsed(words: string): Schedule {
  const result = parseSchedule(words);
  if ('problem' in result) throw new Error(result.problem);
  return result.schedule;
}

const problemOf = (words: string): string | undefined => {
  const result = parseSchedule(words);
  return 'problem' in result ? result.problem : undefined;
};

const twelve = (words: string): string[] =>
  nextTimes(parsed(words), now, 12).map((time) => `${time.toISOString().slice(0, 16)}Z`);

suite('the next twelve times of a schedule', () => {
  test.each([
    [
      'first Saturday 02:00 UTC',
      '2026-12-05 2027-01-02 2027-02-06 2027-03-06 2027-04-03 2027-05-01 2027-06-05 2027-07-03 2027-08-07 2027-09-04 2027-10-02 2027-11-06',
      '02:00',
    ],
    [
      'third Wednesday 10:30 UTC',
      '2026-12-16 2027-01-20 2027-02-17 2027-03-17 2027-04-21 2027-05-19 2027-06-16 2027-07-21 2027-08-18 2027-09-15 2027-10-20 2027-11-17',
      '10:30',
    ],
    [
      'daily 02:00 UTC',
      '2026-11-22 2026-11-23 2026-11-24 2026-11-25 2026-11-26 2026-11-27 2026-11-28 2026-11-29 2026-11-30 2026-12-01 2026-12-02 2026-12-03',
      '02:00',
    ],
    [
      'weekly Sunday 03:00 UTC',
      '2026-11-22 2026-11-29 2026-12-06 2026-12-13 2026-12-20 2026-12-27 2027-01-03 2027-01-10 2027-01-17 2027-01-24 2027-01-31 2027-02-07',
      '03:00',
    ],
    [
      'weekdays 04:00 UTC',
      '2026-11-23 2026-11-24 2026-11-25 2026-11-26 2026-11-27 2026-11-30 2026-12-01 2026-12-02 2026-12-03 2026-12-04 2026-12-07 2026-12-08',
      '04:00',
    ],
    [
      'monthly 1st 02:00 UTC',
      '2026-12-01 2027-01-01 2027-02-01 2027-03-01 2027-04-01 2027-05-01 2027-06-01 2027-07-01 2027-08-01 2027-09-01 2027-10-01 2027-11-01',
      '02:00',
    ],
    [
      'monthly last day 02:00 UTC',
      '2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31 2027-06-30 2027-07-31 2027-08-31 2027-09-30 2027-10-31',
      '02:00',
    ],
  ])('%s', (words, days, clock) => {
    expect(twelve(words)).toEqual(days.split(' ').map((day) => `${day}T${clock}Z`));
  });

  test('last Friday 23:30 Europe/Berlin, an hour earlier in UTC while it is summer there', () => {
    const winter = '2026-11-27 2026-12-25 2027-01-29 2027-02-26 2027-03-26'.split(' ').map((day) => `${day}T22:30Z`);
    const summer = '2027-04-30 2027-05-28 2027-06-25 2027-07-30 2027-08-27 2027-09-24 2027-10-29'
      .split(' ')
      .map((day) => `${day}T21:30Z`);
    expect(twelve('last Friday 23:30 Europe/Berlin')).toEqual([...winter, ...summer]);
  });

  test('every 6h, counted from midnight UTC', () => {
    expect(twelve('every 6h').slice(0, 4)).toEqual([
      '2026-11-21T18:00Z',
      '2026-11-22T00:00Z',
      '2026-11-22T06:00Z',
      '2026-11-22T12:00Z',
    ]);
    expect(twelve('every 6h')).toHaveLength(12);
  });

  test('the moment itself is not after itself', () => {
    const at = new Date('2026-12-05T02:00:00Z');
    expect(nextTimes(parsed('first Saturday 02:00 UTC'), at, 1)).toEqual([new Date('2027-01-02T02:00:00Z')]);
  });
});

const weekday = fc.constantFrom('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday');
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe');
const time = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map(([h, m]) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
const recurrence = fc.oneof(
  fc.constantFrom('daily', 'weekdays', 'monthly last day'),
  weekday.map((day) => `weekly ${day}`),
  fc.integer({ min: 1, max: 28 }).map((day) => `monthly ${day}th`),
  fc.tuple(fc.constantFrom('first', 'second', 'third', 'fourth', 'last'), weekday).map((parts) => parts.join(' ')),
);
const words = fc.tuple(recurrence, time, zone).map((parts) => parts.join(' '));
const start = fc.date({ min: new Date('2024-01-01'), max: new Date('2034-01-01'), noInvalidDate: true });

suite('schedules', () => {
  test('compile to Temporal calendars that match exactly the days that are told, also in a leap year', () => {
    fc.assert(
      fc.property(recurrence, start, (recurring, from) => {
        const schedule = parsed(`${recurring} 02:00 UTC`);
        const spec = scheduleSpec(schedule);
        if (!('calendars' in spec)) throw new Error('no calendars');
        const told = new Set(nextTimes(schedule, from, 5).map((at) => at.getTime()));
        const last = Math.max(...told);
        for (let at = Math.floor(from.getTime() / 3_600_000 + 1) * 3_600_000; at <= last; at += 3_600_000)
          expect(spec.calendars.some((calendar) => calendarMatches(calendar, new Date(at)))).toBe(told.has(at));
      }),
      { numRuns: 40 },
    );
  });

  test('never pause longer than they say', () => {
    fc.assert(
      fc.property(words, start, (text, from) => {
        const schedule = parsed(text);
        fc.pre(clockChangeProblem(schedule, from) === undefined);
        const times = nextTimes(schedule, from, 14).map((at) => at.getTime());
        const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
        expect(Math.max(...pauses)).toBeLessThanOrEqual(maxIntervalMs(schedule));
        expect(Math.min(...pauses)).toBeGreaterThan(0);
      }),
      { numRuns: 40 },
    );
  });

  test('have a newest time, with none between it and now', () => {
    fc.assert(
      fc.property(fc.oneof(words, fc.constantFrom('every 5m', 'every 6h', 'every 7d')), start, (text, now) => {
        const schedule = parsed(text);
        const last = lastTime(schedule, now);
        expect(last.getTime()).toBeLessThanOrEqual(now.getTime());
        expect(nextTimes(schedule, new Date(last.getTime() - 1), 1)).toEqual([last]);
        expect(nextTimes(schedule, last, 1)[0]?.getTime()).toBeGreaterThan(now.getTime());
      }),
      { numRuns: 40 },
    );
  });

  test('are what Temporal takes', () => {
    const specs = ['every 6h', 'last Friday 23:30 Europe/Berlin', 'monthly last day 02:00 UTC'].map((text) =>
      scheduleSpec(parsed(text)),
    ) satisfies TemporalScheduleSpec[];
    expect(specs[0]).toEqual({ intervals: [{ every: 21_600_000 }] });
    expect(specs[1]).toMatchObject({ timezone: 'Europe/Berlin', calendars: { length: 4 } });
  });

  test.each([
    ['first Saturday 02:00 UTC', 'on the first Saturday of each month at 02:00 UTC'],
    ['LAST friday 23:30 Europe/Berlin', 'on the last Friday of each month at 23:30 Europe/Berlin'],
    ['daily 02:00 UTC', 'every day at 02:00 UTC'],
    ['every 6h', 'every 6 hours'],
    ['every 1d', 'every day'],
    ['every 90m', 'every 90 minutes'],
    ['weekly Sunday 03:00 UTC', 'every Sunday at 03:00 UTC'],
    ['weekdays 04:00 UTC', 'Monday to Friday at 04:00 UTC'],
    ['monthly 1st 02:00 UTC', 'on the 1st of each month at 02:00 UTC'],
    ['monthly 12th 02:00 UTC', 'on the 12th of each month at 02:00 UTC'],
    ['monthly 22nd 02:00 UTC', 'on the 22nd of each month at 02:00 UTC'],
    ['monthly last day 02:00 UTC', 'on the last day of each month at 02:00 UTC'],
  ])('%s is read aloud', (text, aloud) => {
    expect(describe(parsed(text))).toBe(aloud);
  });

  test.each([
    ['daily 02:00', 'write UTC or a zone such as Europe/Berlin, as in "daily 02:00 UTC"'],
    ['every day 02:00', 'write daily and a time'],
    ['every Sunday', 'write weekly Sunday and a time'],
    ['every 3s', 'at least 5m'],
    ['every', 'write a number and a unit'],
    ['frist Saturday 02:00 UTC', 'did you mean "first"?'],
    ['first Saterday 02:00 UTC', 'did you mean "Saturday"?'],
    ['fifth Friday 02:00 UTC', 'write last'],
    ['monthly 31st 02:00 UTC', 'write monthly last day'],
    ['monthly 02:00 UTC', 'write a day such as 1st'],
    ['daily 2am UTC', 'such as 02:00'],
    ['daily 24:00 UTC', 'from 00:00 to 23:59'],
    ['daily 02:00 +02:00', 'is an offset, not a zone'],
    ['daily 02:00 CET', 'is not a time zone'],
    ['daily 02:00 europe/berlin', 'did you mean Europe/Berlin?'],
    ['daily 02:00 Europe/Berln', 'did you mean Europe/Berlin?'],
    ['daily 02:00 UTC please', '"please" after the zone'],
    ['0 2 * * 6', 'write it in words'],
    ['', 'is not a schedule'],
  ])('"%s" is refused with what to write instead', (text, instead) => {
    expect(problemOf(text)).toContain(instead);
  });

  test('a time that the clocks skip or repeat is found, and one that they leave alone is not', () => {
    const problem = (text: string): string | undefined => clockChangeProblem(parsed(text), now);
    expect(problem('daily 02:30 Europe/Berlin')).toBe(
      '02:30 does not exist in Europe/Berlin on 2027-03-28, when clocks change: write 03:30 Europe/Berlin, or a time in UTC',
    );
    expect(problem('weekly Sunday 01:30 America/New_York')).toBe(
      '01:30 comes twice in America/New_York on 2027-11-07, when clocks change: write 03:30 America/New_York, or a time in UTC',
    );
    expect(problem('first Saturday 02:30 Europe/Berlin')).toBeUndefined();
    expect(problem('daily 02:30 Asia/Kolkata')).toBeUndefined();
    expect(problem('daily 02:30 UTC')).toBeUndefined();
  });
});

test('the page on schedules is right about every row of its table', async () => {
  const page = await readFile(new URL('../../../docs/schedules.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \| (2027-[^|]+) \|$/gm)];
  expect(rows).toHaveLength(9);
  for (const [, text = '', aloud, times = ''] of rows) {
    const schedule = parsed(text);
    expect(describe(schedule)).toBe(aloud);
    const next = nextTimes(schedule, new Date('2027-03-27T12:00:00Z'), 3);
    expect(next.map((at) => `${at.toISOString().slice(0, 16).replace('T', ' ')}Z`).join(', ')).toBe(times);
  }
});
