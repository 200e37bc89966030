/** Temporal's rule for calendars, written down again from its documentation: a moment matches when every field does. */
import type { Calendar } from '../../../plan/schedule-calendar.ts';

const weekdays = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
const months = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ');

type Field = number | string | { start: number | string; end: number | string; step?: number };

/** Fields that are absent match anything. UTC only. */
export function calendarMatches(calendar: Calendar, at: Date): boolean {
  return (
    matches(calendar.hour, at.getUTCHours()) &&
    matches(calendar.minute, at.getUTCMinutes()) &&
    at.getUTCSeconds() === 0 &&
    matches(calendar.dayOfMonth, at.getUTCDate()) &&
    matches(calendar.dayOfWeek, at.getUTCDay(), weekdays) &&
    matches(calendar.month, at.getUTCMonth(), months) &&
    matches(calendar.year, at.getUTCFullYear())
  );
}

function matches(field: Field | Field[] | undefined, value: number, names: string[] = []): boolean {
  if (field === undefined) return true;
  if (Array.isArray(field)) return field.some((one) => matches(one, value, names));
  const number = (of: number | string): number => (typeof of === 'string' ? names.indexOf(of) : of);
  if (typeof field !== 'object') return number(field) === value;
  const start = number(field.start);
  return value >= start && value <= number(field.end) && (value - start) % (field.step ?? 1) === 0;
}
