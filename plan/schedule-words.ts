/**
 * Schedules in words: `first Saturday 02:00 UTC`. Cron cannot say "first Saturday", and says nothing of the zone it means.
 * Workflows use this: plain functions only.
 */
import { closest, distance } from 'fastest-levenshtein';
import { durationMs } from './duration.ts';
import { readTime, readZone, type WallTime } from './wall-time.ts';

export const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
type Weekday = (typeof weekdays)[number];
const nths = ['first', 'second', 'third', 'fourth', 'last'] as const;
export type Nth = (typeof nths)[number];

type Recurrence =
  | { kind: 'daily' }
  /** Monday to Friday. */
  | { kind: 'weekdays' }
  | { kind: 'weekly'; weekday: Weekday }
  | { kind: 'monthly'; day: number | 'last' }
  | { kind: 'nth'; nth: Nth; weekday: Weekday };

/** Intervals are counted from midnight UTC, 1 January 1970: `every 6h` is 00:00, 06:00, 12:00 and 18:00 UTC. */
export type Schedule = { kind: 'every'; intervalMs: number } | (Recurrence & WallTime);
export type OnDays = Exclude<Schedule, { kind: 'every' }>;

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const shortest = 5 * minute;
const longest = 7 * day;
/** No zone moves its clocks by more (Antarctica/Troll does by two hours). */
const clockChange = 2 * hour;

const forms =
  'daily 02:00 UTC, weekdays 04:00 UTC, weekly Sunday 03:00 UTC, first Saturday 02:00 UTC, last Friday 23:30 Europe/Berlin, monthly 1st 02:00 UTC, monthly last day 02:00 UTC, every 6h';

/** The schedule that the words mean, or what is wrong with them and what to write instead. */
export function parseSchedule(text: string): { schedule: Schedule } | { problem: string } {
  const words = text.trim().split(/\s+/);
  if (words[0]?.toLowerCase() === 'every') return parseEvery(text, words.slice(1));
  if (/^[\d*/,@-]/.test(text.trim()) && !/[a-z]{3}/i.test(text.replace(/@/, '')))
    return wrong(text, `write it in words, such as ${forms}`);
  const at = words.findIndex((word) => /^\d{1,2}[:.]\d|^\d{1,2}(am|pm)$|^\d{4}$/i.test(word));
  if (at === -1) return wrong(text, unknownStart(words) ?? `it names no time: write one of ${forms}`);
  const recurrence = parseRecurrence(words.slice(0, at));
  if ('problem' in recurrence) return wrong(text, recurrence.problem);
  const time = readTime(words[at] ?? '');
  if ('problem' in time) return wrong(text, time.problem);
  const zone = readZone(words.slice(at + 1), words.slice(0, at + 1).join(' '));
  if ('problem' in zone) return wrong(text, zone.problem);
  return { schedule: { ...recurrence, ...time, ...zone } };
}

function wrong(text: string, problem: string): { problem: string } {
  const oneLine = text.slice(0, 80).replace(/\s+/g, ' ');
  return { problem: `"${oneLine}" is not a schedule: ${problem}` };
}

function parseEvery(text: string, rest: string[]): { schedule: Schedule } | { problem: string } {
  const named = rest.length > 0 && nearestOf(rest[0] ?? '', weekdays);
  if (named) return wrong(text, `write weekly ${named} and a time, such as weekly ${named} 02:00 UTC`);
  if (/^day$/i.test(rest[0] ?? '')) return wrong(text, 'write daily and a time, such as daily 02:00 UTC');
  const intervalMs = durationMs(rest.join(' '));
  if (intervalMs === undefined)
    return wrong(text, 'after "every" write a number and a unit, such as every 30m or every 6h');
  if (intervalMs < shortest || intervalMs > longest)
    return wrong(text, 'an interval is at least 5m and at most 7d; for longer ones write weekly or monthly');
  return { schedule: { kind: 'every', intervalMs } };
}

function parseRecurrence(words: string[]): Recurrence | { problem: string } {
  const [first = '', second = '', ...more] = words.map((word) => word.toLowerCase());
  if (first === 'daily' && second === '') return { kind: 'daily' };
  if (first === 'weekdays' && second === '') return { kind: 'weekdays' };
  if (first === 'monthly') return parseMonthly(second, more);
  const nth = nths.find((candidate) => candidate === first);
  if ((first !== 'weekly' && nth === undefined) || more.length > 0)
    return { problem: unknownStart(words) ?? `write one of ${forms}` };
  const weekday = weekdays.find((candidate) => candidate.toLowerCase() === second);
  if (weekday === undefined) return { problem: `after "${first}" comes a weekday${meant(second, weekdays)}` };
  return nth === undefined ? { kind: 'weekly', weekday } : { kind: 'nth', nth, weekday };
}

function parseMonthly(second: string, more: string[]): Recurrence | { problem: string } {
  if (second === 'last' && more.join(' ') === 'day') return { kind: 'monthly', day: 'last' };
  const [, number] = /^(\d{1,2})(?:st|nd|rd|th)$/.exec(second) ?? [];
  if (number === undefined || more.length > 0)
    return { problem: 'after "monthly" write a day such as 1st or 15th, or "last day"' };
  const dayOfMonth = Number(number);
  if (dayOfMonth >= 29 && dayOfMonth <= 31)
    return { problem: `not every month has a day ${dayOfMonth}: write monthly last day, or a day up to 28th` };
  if (dayOfMonth < 1 || dayOfMonth > 28) return { problem: `no month has a day ${dayOfMonth}` };
  return { kind: 'monthly', day: dayOfMonth };
}

function unknownStart(words: string[]): string | undefined {
  const [first = ''] = words;
  if (/^(fifth|5th)$/i.test(first)) return 'not every month has a fifth one: write last';
  const known = ['daily', 'weekdays', 'weekly', 'monthly', 'every', ...nths];
  if (known.includes(first.toLowerCase())) return undefined;
  const near = nearestOf(first, known);
  return `${near ? `did you mean "${near}"? W` : 'w'}rite one of ${forms}`;
}

function nearestOf(word: string, known: readonly string[]): string | undefined {
  const near = known.find((candidate) => candidate.toLowerCase() === word.toLowerCase()) ?? closest(word, [...known]);
  return word !== '' && distance(word.toLowerCase(), near.toLowerCase()) <= 2 ? near : undefined;
}

function meant(word: string, known: readonly string[]): string {
  const near = nearestOf(word, known);
  return near ? `: did you mean "${near}"?` : ` such as ${known[0]}`;
}

/** The schedule as it is read aloud: `on the first Saturday of each month at 02:00 UTC`. */
export function describe(schedule: Schedule): string {
  if (schedule.kind === 'every') return `every ${intervalInWords(schedule.intervalMs)}`;
  const at = `at ${clock(schedule)} ${schedule.zone}`;
  switch (schedule.kind) {
    case 'daily':
      return `every day ${at}`;
    case 'weekdays':
      return `Monday to Friday ${at}`;
    case 'weekly':
      return `every ${schedule.weekday} ${at}`;
    case 'monthly':
      return `on the ${schedule.day === 'last' ? 'last day' : ordinal(schedule.day)} of each month ${at}`;
    case 'nth':
      return `on the ${schedule.nth} ${schedule.weekday} of each month ${at}`;
  }
}

export function clock({ hour: hours, minute: minutes }: Pick<WallTime, 'hour' | 'minute'>): string {
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

function ordinal(number: number): string {
  const suffix = number > 3 && number < 21 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${suffix}`;
}

function intervalInWords(intervalMs: number): string {
  const units = [
    ['day', day],
    ['hour', hour],
    ['minute', minute],
  ] as const;
  const [unit, size] = units.find(([, length]) => intervalMs % length === 0) ?? ['second', 1000];
  const count = intervalMs / size;
  return count === 1 ? unit : `${count} ${unit}s`;
}

/** The longest time from one run to the next, in milliseconds; with a zone, the clocks' change included. */
export function maxIntervalMs(schedule: Schedule): number {
  if (schedule.kind === 'every') return schedule.intervalMs;
  const days = { daily: 1, weekdays: 3, weekly: 7, monthly: 31, nth: 35 }[schedule.kind];
  return days * day + (schedule.zone === 'UTC' ? 0 : clockChange);
}
