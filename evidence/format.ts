/** Numbers as people read them. Pure, and the same in every locale and on every machine. */
import prettyBytes from 'pretty-bytes';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

// What is no number or no time is not repeated: it could be anything.
const unknown = 'unknown';

/** `0.4 s`, `19 s`, `4 min 12 s`, `1 h 5 min`, `3 d 4 h`: never more than two units, rounded to the smaller one. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return unknown;
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return '0 s';
  if (ms < 50) return '< 0.1 s';
  if (ms < 9_950) return `${Number((ms / second).toFixed(1))} s`;
  if (ms < minute - second / 2) return `${Math.round(ms / second)} s`;
  if (ms < hour - second / 2) return twoUnits(ms, minute, 'min', second, 's');
  if (ms < 2 * day - minute / 2) return twoUnits(ms, hour, 'h', minute, 'min');
  return twoUnits(ms, day, 'd', hour, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rounded = Math.round(ms / small) * small;
  const rest = (rounded % large) / small;
  const whole = `${Math.floor(rounded / large)} ${largeName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

/** `1.1 GB`, in powers of 1000, as disks are sold. */
export function formatBytes(bytes: number): string {
  return Number.isFinite(bytes) ? prettyBytes(bytes, { maximumFractionDigits: 1 }) : unknown;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return unknown;
  const [whole = '0', fraction] = String(count).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `44 segments`, `1 segment`. */
export function formatNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:02:11`, UTC. */
export function formatClock(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? unknown : new Date(time).toISOString().slice(11, 19);
}

/** `21 Nov 2026`, UTC. */
export function formatDate(at: string): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return unknown;
  const date = new Date(time);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** `21 Nov 2026, 14:02:11Z` */
export function formatMoment(at: string): string {
  return Number.isNaN(Date.parse(at)) ? unknown : `${formatDate(at)}, ${formatClock(at)}Z`;
}
