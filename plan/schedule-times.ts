/** When a schedule fires. Counts as Temporal does, also where clocks are changed. */
import { DateTime, IANAZone } from 'luxon';
import { clock, maxIntervalMs, type OnDays, type Schedule, weekdays } from './schedule-words.ts';

const day = 24 * 60 * 60 * 1000;

/** The next `count` times after `from`. */
export function nextTimes(schedule: Schedule, from: Date, count: number): Date[] {
  const times: Date[] = [];
  for (const time of timesAfter(schedule, from)) {
    if (times.length >= count) break;
    times.push(time);
  }
  return times;
}

/** The newest time that is not after `now`. */
export function lastTime(schedule: Schedule, now: Date): Date {
  // Twice the longest pause: clocks may skip one of its times.
  const from = new Date(now.getTime() - 2 * maxIntervalMs(schedule) - day);
  let last = from;
  for (const time of timesAfter(schedule, from)) {
    if (time.getTime() > now.getTime()) break;
    last = time;
  }
  return last;
}

function* timesAfter(schedule: Schedule, from: Date): Generator<Date> {
  if (schedule.kind === 'every') {
    for (let turn = Math.floor(from.getTime() / schedule.intervalMs) + 1; ; turn += 1)
      yield new Date(turn * schedule.intervalMs);
  }
  for (const date of dates(schedule, from))
    for (const time of onDate(schedule, date)) if (time.toMillis() > from.getTime()) yield time.toJSDate();
}

/** Days of the schedule, from the day of `from` in the schedule's zone; as dates of the calendar, free of clocks. */
function* dates(schedule: OnDays, from: Date): Generator<DateTime> {
  const local = DateTime.fromJSDate(from, { zone: schedule.zone });
  let date = DateTime.utc(local.year, local.month, local.day);
  for (; ; date = date.plus({ days: 1 })) if (matches(schedule, date)) yield date;
}

function matches(schedule: OnDays, date: DateTime): boolean {
  const weekday = weekdays[date.weekday - 1];
  const lastDay = date.endOf('month').day;
  switch (schedule.kind) {
    case 'daily':
      return true;
    case 'weekdays':
      return date.weekday <= 5;
    case 'weekly':
      return weekday === schedule.weekday;
    case 'monthly':
      return date.day === (schedule.day === 'last' ? lastDay : schedule.day);
    case 'nth': {
      if (weekday !== schedule.weekday) return false;
      if (schedule.nth === 'last') return date.day > lastDay - 7;
      return Math.ceil(date.day / 7) === { first: 1, second: 2, third: 3, fourth: 4 }[schedule.nth];
    }
  }
}

/**
 * As Temporal's server finds them (service/worker/scheduler/calendar.go, and Go's time.Date below it): none when the clocks skip the hour;
 * when a time comes twice, the second one, and west of Greenwich the first one too.
 */
function onDate({ hour, minute, zone }: OnDays, date: DateTime): DateTime[] {
  const rules = IANAZone.create(zone);
  const clockAt = (at: number) => at + rules.offset(at) * 60_000;
  const wall = Date.UTC(date.year, date.month - 1, date.day, hour, minute);
  const guess = wall - rules.offset(wall) * 60_000;
  const found = wall - rules.offset(guess) * 60_000;
  if (new Date(clockAt(found)).getUTCHours() !== hour) return [];
  const again = found + 60 * 60_000;
  return (clockAt(again) === wall ? [found, again] : [found]).map((at) => DateTime.fromMillis(at, { zone }));
}

/**
 * Says when a run would be left out, or come twice, because the clocks of the zone are changed at that time: 02:30 in Berlin does not
 * exist on one Sunday of the year, and whoever wrote it would find the backup of that day missing.
 */
export function clockChangeProblem(schedule: Schedule, from: Date): string | undefined {
  if (schedule.kind === 'every' || schedule.zone === 'UTC') return undefined;
  const changes = daysOfChange(schedule.zone, from);
  const change = firstChange(schedule, changes);
  if (change === undefined) return undefined;
  const later = Array.from({ length: 23 }, (_, index) => ({ ...schedule, hour: (schedule.hour + index + 1) % 24 }));
  const safe = later.find((candidate) => firstChange(candidate, changes) === undefined);
  const what = change.count === 0 ? 'does not exist' : 'comes twice';
  return `${clock(schedule)} ${what} in ${schedule.zone} on ${change.date}, when clocks change: write ${safe ? `${clock(safe)} ${schedule.zone}, or ` : ''}a time in UTC`;
}

function firstChange(schedule: OnDays, changes: DateTime[]): { date: string; count: number } | undefined {
  for (const date of changes) {
    const count = matches(schedule, date) ? onDate(schedule, date).length : 1;
    if (count !== 1) return { date: date.toISODate() ?? '', count };
  }
  return undefined;
}

/** Dates on which the clocks of a zone may change, as far as anybody plans: ten years. */
function daysOfChange(zone: string, from: Date): DateTime[] {
  const rules = IANAZone.create(zone);
  const dates: DateTime[] = [];
  for (let passed = 0; passed < 3653; passed += 1) {
    const at = from.getTime() + passed * day;
    if (rules.offset(at) === rules.offset(at + day)) continue;
    for (const time of [at, at + day]) {
      const local = DateTime.fromMillis(time, { zone });
      dates.push(DateTime.utc(local.year, local.month, local.day));
    }
  }
  return dates;
}
