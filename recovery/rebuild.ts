/** A standby that is to come back, and the primary that it belongs to: what is known of each, and where they have parted. Pure. */
import type { Lsn, Repository, TimelineInfo } from './archive.ts';
import { type Span, segmentsNeeded } from './continuity.ts';
import { compareLsn } from './lsn.ts';
import { namesOf, parseSegment, segmentName, segmentNumberAt } from './segments.ts';
import { pathTo, type Stretch } from './timelines.ts';

/** From the cheapest to the dearest. */
export const ways = ['reattach', 'rewind', 'restore', 'basebackup'] as const;
export type Way = (typeof ways)[number];

/** A line of descent: the timeline, and where each of its ancestors was left. */
export interface Line {
  timeline: number;
  ancestors: TimelineInfo['ancestors'];
}

/** What pg_control, and where it runs the server itself, say of a data directory. */
export interface Past extends Line {
  systemIdentifier: string;
  /** How far its data have come; of a standby that runs, also what it has only received. */
  reached: Lsn;
  /** From here on it needs WAL of others: what lies between its last checkpoint and this it has itself. */
  needsFrom: Lsn;
  /** What it was last: a primary may have written what nobody else has. */
  as: 'standby' | 'primary';
  /** Runs, or was shut down in order. */
  orderly: boolean;
  checksums: boolean;
  walLogHints: boolean;
  /** Its last checkpoint, by its own control file. */
  left: { lsn: Lsn; timeline: number; systemIdentifier: string };
}

export interface StandbyFound {
  host: string;
  /** `unusable`: there is something, but no data directory with a readable pg_control. */
  directory: 'there' | 'gone' | 'unusable';
  runs: 'no' | 'standby' | 'primary' | 'unknown';
  /** Of one that runs. */
  receiver?: string;
  past?: Past;
  /** server_version_num of the programs there. */
  serverVersion: number;
  /** Free on the disk of the data directory. */
  freeBytes: number;
}

export interface PrimaryKept extends Line {
  host: string;
  lsn: Lsn;
  systemIdentifier: string;
  serverVersion: number;
  segmentBytes: number;
  /** Its pg_wal is unbroken from here on. */
  keepsFrom: Lsn;
  slot?: { active: boolean; lost: boolean; physical: boolean };
  fullPageWrites: boolean;
  /** Whether the replication role may read its files, as pg_rewind does. */
  letsRead: boolean;
  bytes: number;
  /** Beside the two that every cluster has. */
  tablespaces: number;
}

/** Where a directory would be made that takes the standby's place. */
export interface Place {
  /** Why no directory could take its place by a rename. */
  fixed?: string;
  /** Why none could be made below the scratch root. */
  elsewhere?: string;
  /** Free below the scratch root. */
  freeBytes: number;
}

export interface Around {
  standby: StandbyFound;
  primary: PrimaryKept;
  /** Or why it cannot be used. */
  archive: { repository: Repository } | { why: string };
  place: Place;
  /** Stays free on each disk, bytes. */
  keepFree: number;
}

/** Directories beside the data directory that belong to one run; whoever lists them sees whose they are. */
export function besideOf(
  dataDirectory: string,
  what: 'before' | 'rewinding' | 'coming' | 'saved',
  run: string,
): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,80}$/.test(run)) throw new RangeError(`"${run}" cannot be part of a path`);
  return `${dataDirectory}.${what}-${run}`;
}

/** Where the standby left the primary's line; undefined while it is on it. */
export function divergence(past: Line & Pick<Past, 'reached' | 'as'>, primary: Line & { lsn: Lsn }): Lsn | undefined {
  const own = stretches(past, past.reached);
  const wanted = stretches(primary, primary.lsn);
  for (const [index, { timeline, until }] of own.entries()) {
    const other = wanted[index];
    if (other === undefined || other.timeline !== timeline) return own[index - 1]?.until ?? '0/0';
    const ended = index === own.length - 1;
    const difference = compareLsn(until, other.until);
    // A primary's last record begins where it ended: at the fork, it lies behind it already.
    if (ended) return difference > 0 || (difference === 0 && past.as === 'primary') ? other.until : undefined;
    if (difference !== 0 || index === wanted.length - 1) return difference < 0 ? until : other.until;
  }
  return undefined;
}

function stretches({ timeline, ancestors }: Line, end: Lsn): { timeline: number; until: Lsn }[] {
  return [...ancestors.map((one) => ({ timeline: one.timeline, until: one.forkLsn })), { timeline, until: end }];
}

/** Segments of a standby's own line that pg_rewind reads, backward. */
export interface WayBack {
  /** From its end back to the one in which it left the primary's line. */
  own: string[];
  /** Those before, newest first, as far as a common checkpoint is worth looking for. */
  common: string[];
}

/** Checkpoints are farther apart only where nobody writes. */
const mostLookedBack = 64;

export function wayBack(past: Past, from: Lsn, segmentBytes: number): WayBack {
  const [last, fork] = [past.reached, from].map((lsn) => segmentNumberAt(lsn, segmentBytes));
  const first = Math.max(1, (fork ?? 0) - mostLookedBack);
  const names = segmentsNeeded(pathOf(past), first, last ?? 0, segmentBytes)
    .flatMap((span) => namesOf(rangeOf(span, segmentBytes), segmentBytes))
    .reverse();
  const isOwn = (name: string) => parseSegment(name, segmentBytes).number >= (fork ?? 0);
  return { own: names.filter(isOwn), common: names.filter((name) => !isOwn(name)) };
}

function rangeOf({ timeline, first, last }: Span, segmentBytes: number): { first: string; last: string } {
  const name = (number: number) => segmentName({ timeline, number }, segmentBytes);
  return { first: name(first), last: name(last) };
}

/** Timelines of the archive that are newer than the primary's: nobody's, and yet what `latest` would choose. */
export function strays({ archive, primary }: Pick<Around, 'archive' | 'primary'>): number[] {
  if ('why' in archive) return [];
  return archive.repository.timelines.map(({ id }) => id).filter((id) => id > primary.timeline);
}

/** It is the standby of this primary, and nothing has to be done. */
export function isWell({ standby, primary }: Pick<Around, 'standby' | 'primary'>): boolean {
  const { past, runs, receiver } = standby;
  return (
    runs === 'standby' &&
    receiver === 'streaming' &&
    past?.timeline === primary.timeline &&
    primary.slot?.active === true &&
    divergence(past, primary) === undefined
  );
}

/** The way that a line takes, from its oldest ancestor. */
export function pathOf({ timeline, ancestors }: Line): Stretch[] {
  return pathTo({ timelines: [{ id: timeline, ancestors, hasHistory: true, ranges: [] }] }, timeline);
}
