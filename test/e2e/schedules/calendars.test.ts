/** Words, as Temporal understands the calendars that are made of them: years of times, against a calendar counted by hand. */
import { optionalDateToTs, tsToDate } from '@temporalio/common/lib/time.js';
import { DateTime, IANAZone } from 'luxon';
import { expect, test } from 'vitest';
import { scheduleSpec } from '../../../plan/schedule-calendar.ts';
import { nextTimes } from '../../../plan/schedule-times.ts';
import { parseSchedule } from '../../../plan/schedule-words.ts';
import { useTemporal } from './rig.ts';

const temporal = useTemporal();
const from = Date.UTC(2026, 10, 21);
const years = 6;
const day = 86_400_000;

type OnDate = (date: DateTime) => boolean;

const sameMonth = (date: DateTime, days: number) => date.plus({ days }).month === date.month;
/** The nth of its weekday: another way to count than Lifeboat's. */
const nth =
  (weekday: number, n: number): OnDate =>
  (date) =>
    date.weekday === weekday && !sameMonth(date, -7 * n) && (n === 1 || sameMonth(date, -7 * (n - 1)));
const last =
  (weekday: number): OnDate =>
  (date) =>
    date.weekday === weekday && !sameMonth(date, 7);
const always: OnDate = () => true;

const cases: [words: string, onDate: OnDate][] = [
  ['first Saturday 02:00 UTC', nth(6, 1)],
  ['third Wednesday 10:30 UTC', nth(3, 3)],
  ['fourth Monday 00:00 Asia/Kolkata', nth(1, 4)],
  ['last Friday 23:30 Europe/Berlin', last(5)],
  // Clocks change in Berlin on the last Sundays of March and October, at this very time.
  ['last Sunday 02:30 Europe/Berlin', last(7)],
  ['daily 02:30 Europe/Berlin', always],
  ['daily 02:00 Europe/Berlin', always],
  ['daily 03:00 Europe/Berlin', always],
  ['weekly Sunday 01:30 America/New_York', ({ weekday }) => weekday === 7],
  ['daily 02:15 America/New_York', always],
  ['daily 01:30 Europe/London', always],
  ['daily 00:30 Atlantic/Azores', always],
  ['daily 02:30 Australia/Sydney', always],
  // Clocks go by half an hour there.
  ['daily 01:45 Australia/Lord_Howe', always],
  ['weekdays 04:00 UTC', ({ weekday }) => weekday <= 5],
  ['monthly 28th 02:00 UTC', (date) => date.day === 28],
  ['monthly last day 02:00 UTC', (date) => !sameMonth(date, 1)],
  ['monthly last day 23:59 Pacific/Auckland', (date) => !sameMonth(date, 1)],
];

/**
 * Every moment at which a clock of the zone shows this time on such a date. Of two on one day the server takes the second, and
 * west of Greenwich both.
 */
function counted(words: string, onDate: OnDate): string[] {
  const [, hour, minute, zone = ''] = / (\d\d):(\d\d) (\S+)$/.exec(words) ?? [];
  const rules = IANAZone.create(zone);
  const found = new Set<number>();
  for (let at = from - 2 * day; at < from + (years * 365 + 3) * day; at += day) {
    const date = DateTime.fromMillis(at, { zone: 'utc' }).startOf('day');
    if (!onDate(date)) continue;
    const wall = date.toMillis() + (Number(hour) * 60 + Number(minute)) * 60_000;
    // Whatever offset holds a day before or after may be the one that holds then.
    const moments = [wall - day, wall + day]
      .map((near) => wall - rules.offset(near) * 60_000)
      .filter((moment) => moment + rules.offset(moment) * 60_000 === wall)
      .sort((a, b) => a - b);
    const [first = 0] = moments;
    for (const moment of rules.offset(first) > 0 ? moments.slice(-1) : moments) found.add(moment);
  }
  return [...found]
    .filter((at) => at > from && at < from + years * 365 * day)
    .sort((a, b) => a - b)
    .map(iso);
}

const iso = (at: number) => new Date(at).toISOString();

/** The server's own list; it gives a thousand times at most, so it is asked for one year after the other. */
async function listed(id: string): Promise<string[]> {
  const { client } = temporal();
  const times: string[] = [];
  for (let year = 0; year < years; year += 1) {
    const edge = (count: number) => optionalDateToTs(new Date(from + count * 365 * day)) ?? null;
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      namespace: 'default',
      scheduleId: id,
      startTime: edge(year),
      endTime: edge(year + 1),
    });
    times.push(...(startTime ?? []).map((time) => tsToDate(time).toISOString()));
  }
  return [...new Set(times)].filter((time) => time !== iso(from) && time !== iso(from + years * 365 * day));
}

async function onServer(words: string): Promise<{ id: string; next: string[] }> {
  const parsed = parseSchedule(words);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const id = `words/${words}`;
  const handle = await temporal().client.schedule.create({
    scheduleId: id,
    spec: scheduleSpec(parsed.schedule),
    action: { type: 'startWorkflow', workflowType: 'anchor', taskQueue: 'nobody' },
    state: { paused: true },
  });
  return { id, next: (await handle.describe()).info.nextActionTimes.map((time) => time.toISOString()) };
}

test.each(cases)('%s, for six years', async (words, onDate) => {
  const { id } = await onServer(words);
  const expected = counted(words, onDate);
  expect(expected.length).toBeGreaterThanOrEqual(years * 11);
  expect(await listed(id)).toEqual(expected);
  const parsed = parseSchedule(words);
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(nextTimes(parsed.schedule, new Date(from), expected.length).map((time) => time.toISOString())).toEqual(
    expected,
  );
});

test.each(['every 6h', 'every 5m', 'every 7d', 'every 90m'])('%s is counted from midnight UTC, 1970', async (words) => {
  const parsed = parseSchedule(words);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const now = new Date();
  const { next } = await onServer(words);
  const own = nextTimes(parsed.schedule, now, next.length + 1).map((time) => time.toISOString());
  // One of them may have passed while the server was asked.
  expect(next.length).toBeGreaterThan(4);
  expect([own.slice(0, next.length), own.slice(1)]).toContainEqual(next);
});

test('the next times that the server names of a schedule are those of its words, the leap day of 2028 among them', async () => {
  const { next } = await onServer('monthly last day 02:00 Europe/Berlin');
  const own = counted('monthly last day 02:00 Europe/Berlin', (date) => !sameMonth(date, 1));
  expect(own.filter((time) => Date.parse(time) > Date.now()).slice(0, next.length)).toEqual(next);
  expect(own.filter((time) => time.startsWith('2028-02'))).toEqual(['2028-02-29T01:00:00.000Z']);
});

test.each([
  ['daily 02:45 Europe/Berlin', '2027-03-28', '2027-10-31', ['2027-10-31T01:45:00.000Z']],
  ['daily 01:10 America/New_York', undefined, '2027-11-07', ['2027-11-07T05:10:00.000Z', '2027-11-07T06:10:00.000Z']],
])('%s: left out when the clocks skip it; when it comes twice, as it is told', async (words, skipped, back, twice) => {
  const times = await listed((await onServer(words)).id);
  const zone = words.slice(words.lastIndexOf(' ') + 1);
  const on = (date: string) => times.filter((time) => DateTime.fromISO(time, { zone }).toISODate() === date);
  if (skipped !== undefined) expect(on(skipped)).toEqual([]);
  expect(on(back)).toEqual(twice);
});

test('where clocks go by half an hour, a time that they skip is half an hour later, here and on the server', async () => {
  const words = 'daily 02:15 Australia/Lord_Howe';
  const at = '2027-10-02T15:45:00.000Z';
  expect(await listed((await onServer(words)).id)).toContain(at);
  const parsed = parseSchedule(words);
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(nextTimes(parsed.schedule, new Date('2027-10-02T12:00:00Z'), 1)).toEqual([new Date(at)]);
});
