/** Moments as people write them, and to the microsecond, as PostgreSQL keeps them. Pure. */

const withOffset = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;

/** What is wrong with a moment, as the end of the sentence "it ..."; `undefined` when it can be used. */
export function moment(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a time such as 2026-11-21T14:00:00Z';
  if (withOffset.test(value) && !Number.isNaN(Date.parse(value)))
    return onCalendar(value) ? undefined : `names a day that the calendar does not have ("${value}")`;
  if (/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(value))
    return `is a time without an offset ("${value}"): write ${value.replace(' ', 'T')}Z, or with +02:00`;
  return 'must be a time with its offset, such as 2026-11-21T14:00:00Z';
}

/** JavaScript reads the 31st of February as the 3rd of March: another moment than anybody meant. */
function onCalendar(value: string): boolean {
  const day = value.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** Microseconds since 1970: an exact number until the year 2255. @throws RangeError no time */
export function microseconds(at: string): number {
  const [, whole, fraction = '', offset] = /^(.+?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(at) ?? [];
  const milliseconds = Date.parse(`${whole}${offset}`);
  if (Number.isNaN(milliseconds)) throw new RangeError(`"${at}" is not a time with an offset`);
  return milliseconds * 1_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/** The same moment in UTC, with as many digits as it needs: `2026-11-21T14:00:00Z`, `2026-11-21T14:00:00.123456Z`. */
export function inUtc(at: string): string {
  const micros = microseconds(at);
  const ofSecond = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  const second = new Date((micros - ofSecond) / 1_000).toISOString().replace(/\.\d{3}Z$/, '');
  const fraction = String(ofSecond).padStart(6, '0').replace(/0+$/, '');
  return fraction === '' ? `${second}Z` : `${second}.${fraction}Z`;
}
