/** Which snapshot of a restic repository brings files back. Pure. */
import { moment } from './moment.ts';

/** Of `restic snapshots`, as far as it matters here. */
export interface Snapshot {
  /** All 64 digits. */
  id: string;
  /** ISO 8601, UTC: when it was begun. */
  time: string;
  paths: string[];
  host: string;
  tags: string[];
}

/** Set on snapshots in which files are missing that could not be read. */
export const incompleteTag = 'lifeboat-incomplete';

const idForm = /^[0-9a-f]{8,64}$/;

/** What is wrong with a wish, as the end of the sentence "it ..."; `undefined` when it can be used. */
export function wrongSnapshot(value: unknown): string | undefined {
  if (typeof value === 'string' && idForm.test(value)) return undefined;
  const why = moment(value);
  if (why === undefined || (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value))) return why;
  return 'must be the id of a snapshot, with eight digits or more, or a time with its offset, such as 2026-11-21T14:00:00Z';
}

export interface Wish {
  /** Of the component: exactly these, in any order. */
  paths: readonly string[];
  host: string;
  /** An id, or a moment with its offset; the newest when absent. */
  wanted?: string | undefined;
}

/**
 * The snapshot that is meant. One with other paths brings back something else, or leaves something out; one in which files are missing is
 * taken only by its id.
 *
 * @returns in words why there is none, when there is none
 */
export function chooseSnapshot(all: readonly Snapshot[], { paths, host, wanted }: Wish): Snapshot | { none: string } {
  const byId = wanted !== undefined && idForm.test(wanted);
  const named = byId ? all.filter(({ id }) => id.startsWith(wanted)) : all;
  if (byId && named.length !== 1)
    return {
      none: named.length === 0 ? `no snapshot is called ${wanted}` : `${named.length} snapshots begin with ${wanted}`,
    };
  const fitting = named.filter((one) => one.host === host && samePaths(one.paths, paths));
  if (fitting.length === 0)
    return { none: `${inWords(named)}, and ${byId ? 'it is not' : 'none is'} of ${paths.join(', ')} on host ${host}` };
  const whole = byId ? fitting : fitting.filter(({ tags }) => !tags.includes(incompleteTag));
  if (whole.length === 0)
    return { none: `in all ${fitting.length} snapshots files are missing that could not be read` };
  const until = wanted === undefined || byId ? Number.POSITIVE_INFINITY : Date.parse(wanted);
  const newest = whole
    .filter(({ time }) => Date.parse(time) <= until)
    .reduce<Snapshot | undefined>((best, one) => (best === undefined || later(one, best) ? one : best), undefined);
  if (newest !== undefined) return newest;
  const oldest = whole.reduce((best, one) => (later(best, one) ? one : best));
  return { none: `the oldest snapshot is of ${oldest.time}, which is after ${wanted}` };
}

function later(one: Snapshot, other: Snapshot): boolean {
  return Date.parse(one.time) > Date.parse(other.time);
}

function samePaths(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.toSorted().join('\n') === other.toSorted().join('\n');
}

function inWords(all: readonly Snapshot[]): string {
  if (all.length === 0) return 'the repository holds no snapshot';
  return `the repository holds ${all.length === 1 ? 'one snapshot' : `${all.length} snapshots`}`;
}

/** The first eight digits, as restic itself shows it. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
