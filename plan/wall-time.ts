/** The time on a clock on the wall, and where that wall is. A time without its zone is refused: it would mean another one on each host. */
import { closest, distance } from 'fastest-levenshtein';

export interface WallTime {
  hour: number;
  minute: number;
  /** `UTC`, or a name of the IANA time zone database. */
  zone: string;
}

const oneOf = 'write UTC or a zone such as Europe/Berlin';

export function readTime(word: string): Pick<WallTime, 'hour' | 'minute'> | { problem: string } {
  const [, hour, minute] = /^(\d{2}):(\d{2})$/.exec(word) ?? [];
  if (hour === undefined || minute === undefined)
    return { problem: `"${word}" is not a time: write hours and minutes of 24 hours, such as 02:00 or 14:30` };
  if (Number(hour) > 23 || Number(minute) > 59)
    return { problem: `there is no time ${word}: a day goes from 00:00 to 23:59` };
  return { hour: Number(hour), minute: Number(minute) };
}

/** @param before the words that come before the zone, for the sentence that says what to write */
export function readZone(words: string[], before: string): Pick<WallTime, 'zone'> | { problem: string } {
  const [zone, ...more] = words;
  if (zone === undefined) return { problem: `it names no zone: ${oneOf}, as in "${before} UTC"` };
  if (more.length > 0) return { problem: `"${more.join(' ')}" after the zone is not understood: leave it out` };
  if (zone === 'UTC') return { zone };
  const known = Intl.supportedValuesOf('timeZone');
  // Other names of a zone (Europe/Kyiv beside Europe/Kiev) are not in the list. Servers look it up as a file: its case counts.
  if (known.includes(zone) || (/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)+$/.test(zone) && resolves(zone))) return { zone };
  if (/^[+-]|^(utc|gmt)[+-]/i.test(zone)) return { problem: `"${zone}" is an offset, not a zone: ${oneOf}` };
  const names = ['UTC', ...known];
  const near = names.find((name) => name.toLowerCase() === zone.toLowerCase()) ?? closest(zone, names);
  const meant = distance(zone.toLowerCase(), near.toLowerCase()) <= 2 ? `did you mean ${near}?` : oneOf;
  return { problem: `"${zone}" is not a time zone: ${meant}` };
}

function resolves(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
