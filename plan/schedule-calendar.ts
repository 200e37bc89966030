/** Schedules as Temporal's calendars. A calendar matches when all of its fields do, so months of different length need one each. */
import type { Nth, OnDays, Schedule } from './schedule-words.ts';

interface Range<T> {
  start: T;
  end: T;
  step?: number;
}

type Month =
  | 'JANUARY'
  | 'FEBRUARY'
  | 'MARCH'
  | 'APRIL'
  | 'MAY'
  | 'JUNE'
  | 'JULY'
  | 'AUGUST'
  | 'SEPTEMBER'
  | 'OCTOBER'
  | 'NOVEMBER'
  | 'DECEMBER';

/** The part of Temporal's CalendarSpec that is used here. */
export interface Calendar {
  hour: number;
  minute: number;
  dayOfWeek?: DayOfWeek | Range<DayOfWeek>;
  dayOfMonth?: Range<number>;
  month?: Month[];
  year?: Range<number>[];
  comment: string;
}

type DayOfWeek = 'MONDAY' | 'TUESDAY' | 'WEDNESDAY' | 'THURSDAY' | 'FRIDAY' | 'SATURDAY' | 'SUNDAY';

/** What Temporal's ScheduleSpec needs to know. */
export type ScheduleSpec = { intervals: { every: number }[] } | { calendars: Calendar[]; timezone: string };

const days = {
  Monday: 'MONDAY',
  Tuesday: 'TUESDAY',
  Wednesday: 'WEDNESDAY',
  Thursday: 'THURSDAY',
  Friday: 'FRIDAY',
  Saturday: 'SATURDAY',
  Sunday: 'SUNDAY',
} as const;

/** Temporal knows the years 2000 to 2100; of these, 2100 is no leap year and lies beyond. */
const monthLengths: { length: number; months: Month[]; years?: Range<number>[]; comment: string }[] = [
  {
    length: 31,
    months: ['JANUARY', 'MARCH', 'MAY', 'JULY', 'AUGUST', 'OCTOBER', 'DECEMBER'],
    comment: 'months of 31 days',
  },
  { length: 30, months: ['APRIL', 'JUNE', 'SEPTEMBER', 'NOVEMBER'], comment: 'months of 30 days' },
  {
    length: 28,
    months: ['FEBRUARY'],
    years: [2025, 2026, 2027].map((start) => ({ start, end: start + 72, step: 4 })),
    comment: 'February',
  },
  { length: 29, months: ['FEBRUARY'], years: [{ start: 2024, end: 2096, step: 4 }], comment: 'February, leap years' },
];

export function scheduleSpec(schedule: Schedule): ScheduleSpec {
  if (schedule.kind === 'every') return { intervals: [{ every: schedule.intervalMs }] };
  return { calendars: calendars(schedule), timezone: schedule.zone };
}

function calendars(schedule: OnDays): Calendar[] {
  const { hour, minute } = schedule;
  const at = { hour, minute };
  switch (schedule.kind) {
    case 'daily':
      return [{ ...at, comment: 'every day' }];
    case 'weekdays':
      return [{ ...at, dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' }, comment: 'Monday to Friday' }];
    case 'weekly':
      return [{ ...at, dayOfWeek: days[schedule.weekday], comment: `every ${schedule.weekday}` }];
    case 'monthly':
      if (schedule.day === 'last') return endOfMonth(1).map((last) => ({ ...at, ...last }));
      return [{ ...at, dayOfMonth: { start: schedule.day, end: schedule.day }, comment: `day ${schedule.day}` }];
    case 'nth': {
      const dayOfWeek = days[schedule.weekday];
      if (schedule.nth === 'last') return endOfMonth(7).map((week) => ({ ...at, dayOfWeek, ...week }));
      const comment = `${schedule.nth} ${schedule.weekday}`;
      return [{ ...at, dayOfWeek, dayOfMonth: weekOfMonth(schedule.nth), comment }];
    }
  }
}

function weekOfMonth(nth: Exclude<Nth, 'last'>): Range<number> {
  const start = { first: 1, second: 8, third: 15, fourth: 22 }[nth];
  return { start, end: start + 6 };
}

/** The last `count` days of each month. */
function endOfMonth(count: number): Pick<Calendar, 'dayOfMonth' | 'month' | 'year' | 'comment'>[] {
  return monthLengths.map(({ length, months, years, comment }) => ({
    dayOfMonth: { start: length - count + 1, end: length },
    month: months,
    ...(years && { year: years }),
    comment,
  }));
}
