/** In which way a standby comes back: the cheapest one that the facts allow, and why each cheaper one was passed over. Pure. */
import type { BackupInfo, Lsn, Repository, TimelineInfo } from './archive.ts';
import { chooseBackup } from './choice.ts';
import { missingOf, type Span, segmentsNeeded, spansFor } from './continuity.ts';
import { compareLsn } from './lsn.ts';
import { namesOf, parseSegment, segmentAt, segmentName, segmentNumberAt } from './segments.ts';
import { soundness } from './soundness.ts';
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

/** What speaks against each way, in sentences; empty: it can be gone. */
export function objections(around: Around): Record<Way, string[]> {
  return {
    reattach: againstReattaching(around),
    rewind: againstRewinding(around),
    restore: againstRestoring(around),
    basebackup: againstCopying(around),
  };
}

function nothingToGoOnWith({ standby, primary }: Around): string[] {
  const { host, directory, past } = standby;
  if (directory === 'gone') return [`the data directory of ${host} is gone`];
  if (past === undefined)
    return [`the data directory of ${host} has no readable pg_control, or not the history of its timeline`];
  if (past.systemIdentifier !== primary.systemIdentifier)
    return [`the data directory of ${host} is of another cluster (${past.systemIdentifier})`];
  return [];
}

function againstReattaching(around: Around): string[] {
  const { standby, primary } = around;
  const { past, host } = standby;
  const nothing = nothingToGoOnWith(around);
  if (past === undefined || nothing.length > 0) return nothing;
  const left = divergence(past, primary);
  if (left !== undefined)
    return [
      `${host} has left the line of ${primary.host} at ${left}: it stands at ${past.reached} on timeline ${past.timeline}`,
    ];
  if (past.as === 'primary' && !past.orderly)
    return [`${host} ended as a primary, and not in order: whether it has writes of its own is not certain`];
  const missing = notToBeHad(around, past.needsFrom);
  if (missing.length > 0) return [missingWords(around, missing)];
  const forks = missingForks(around, past);
  return forks.length === 0
    ? []
    : [
        `${host} would have to change its timeline, and ${forks.join(', ')} is not in the archive: it would go on with the old one past the fork`,
      ];
}

/** The way that the primary's line takes. */
function pathOf({ timeline, ancestors }: Line): Stretch[] {
  return pathTo({ timelines: [{ id: timeline, ancestors, hasHistory: true, ranges: [] }] }, timeline);
}

function repositoryOf({ archive, primary }: Around): Repository {
  if ('repository' in archive) return archive.repository;
  const { segmentBytes, systemIdentifier } = primary;
  return { backups: [], timelines: [], oddities: [], segmentBytes, systemIdentifier };
}

/** Segments that neither the archive nor the primary has. */
function notToBeHad(around: Around, from: Lsn): string[] {
  const { primary } = around;
  const { segmentBytes } = primary;
  const [first, last] = [from, primary.lsn].map((lsn) => segmentNumberAt(lsn, segmentBytes));
  const spans = segmentsNeeded(pathOf(primary), first ?? 0, last ?? 0, segmentBytes);
  return missingOf(repositoryOf(around), spans).filter((name) => !isKept(name, primary));
}

function isKept(name: string, { keepsFrom, segmentBytes }: PrimaryKept): boolean {
  return parseSegment(name, segmentBytes).number >= segmentNumberAt(keepsFrom, segmentBytes);
}

function missingWords({ archive, primary }: Around, missing: string[]): string {
  const first = missing.slice(0, 3).join(', ');
  const why = 'why' in archive ? ` (${archive.why})` : '';
  return `${missing.length} segments that it needs are neither in the archive${why} nor on ${primary.host} any more: ${first}`;
}

/** Without them PostgreSQL goes on with the old timeline's own segments past the fork, and says nothing. */
function missingForks(around: Around, past: Past): string[] {
  const { primary } = around;
  const begun = pathOf(primary).filter(({ timeline }) => timeline > past.timeline);
  const { timelines, segmentBytes } = repositoryOf(around);
  return begun
    .map(({ timeline, from }) => ({ timeline, segment: segmentAt(from, timeline, segmentBytes) }))
    .filter(({ timeline, segment }) => {
      const known = timelines.find(({ id }) => id === timeline);
      return !known?.hasHistory || !known.ranges.some(({ first, last }) => first <= segment && segment <= last);
    })
    .map(({ segment }) => segment);
}

function againstRewinding(around: Around): string[] {
  const { standby, primary } = around;
  const { past, host } = standby;
  const nothing = nothingToGoOnWith(around);
  if (past === undefined || nothing.length > 0) return nothing;
  if (divergence(past, primary) === undefined) return [`${host} has not left the line of ${primary.host}`];
  return [
    ...(standby.runs === 'no' ? [] : [`${host} runs, and pg_rewind can only be rehearsed on a server that is stopped`]),
    ...(past.orderly ? [] : [`${host} was not shut down in order`]),
    ...(past.timeline === primary.timeline
      ? [`both are on timeline ${past.timeline}, with different histories: pg_rewind would see no difference`]
      : []),
    ...(past.checksums || past.walLogHints
      ? []
      : [`${host} has neither page checksums nor wal_log_hints: changed hint bits would be missed`]),
    ...(primary.fullPageWrites ? [] : [`full_page_writes is off on ${primary.host}`]),
    ...(primary.letsRead
      ? []
      : [`the replication role may not read the files of ${primary.host} (docs/standby-rebuild.md has the grants)`]),
  ];
}

function againstRestoring(around: Around): string[] {
  const { archive, primary, place, keepFree } = around;
  if ('why' in archive) return [`the repository cannot be used: ${archive.why}`];
  const { repository } = archive;
  if (repository.systemIdentifier !== primary.systemIdentifier)
    return [`the repository is of another cluster (${repository.systemIdentifier})`];
  const backup = backupFor(repository, primary);
  if (backup === undefined) return [`no backup leads to timeline ${primary.timeline}`];
  const missing = missingOf(repository, spansFor(repository, backup, targetOn(primary)));
  const lost = missing.filter((name) => !isKept(name, primary));
  return [
    ...soundness(repository, primary.timeline, [backup]),
    ...(lost.length === 0 ? [] : [missingWords(around, lost)]),
    ...(backup.tablespaces.length === 0
      ? []
      : [`backup ${backup.label} has tablespaces outside of the data directory`]),
    ...[place.fixed, place.elsewhere].filter((why) => why !== undefined),
    ...(place.elsewhere !== undefined || place.freeBytes >= backup.bytes + keepFree
      ? []
      : ['there is no room for the restored directory beside the data directory']),
  ];
}

const targetOn = ({ lsn, timeline }: PrimaryKept) => ({ kind: 'lsn', lsn, inclusive: false, timeline }) as const;

/** The newest that leads to where the primary writes. */
export function backupFor(repository: Repository, primary: PrimaryKept): BackupInfo | undefined {
  return chooseBackup(repository, targetOn(primary)).backup;
}

function againstCopying({ primary, standby, place, keepFree }: Around): string[] {
  return [
    ...(place.fixed === undefined ? [] : [place.fixed]),
    ...(primary.tablespaces === 0 ? [] : [`${primary.host} has tablespaces outside of its data directory`]),
    ...(standby.freeBytes >= primary.bytes + keepFree
      ? []
      : [`there is no room for a copy of ${primary.host} on the disk of ${standby.host}'s data directory`]),
  ];
}
