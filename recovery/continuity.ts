/** Which segments a recovery reads, and which of them the archive lacks. No tool of PostgreSQL's asks this before it is too late. */
import type { BackupInfo, Lsn, RecoveryTarget, Repository } from './archive.ts';
import { compareLsn } from './lsn.ts';
import { parseSegment, segmentEnd, segmentName, segmentNumberAt } from './segments.ts';
import { liesOn, pathTo, type Stretch } from './timelines.ts';

/** Numbers of segments, first and last included, that are read from one timeline. */
export interface Span {
  timeline: number;
  first: number;
  last: number;
}

/** A backup's clock and the database's may differ a little; a bound in time keeps this distance. */
const clocksMayDifferMs = 60_000;
/** A stranger's name could open a gap of billions; nobody reads more names than this. */
const mostNames = 1000;

/**
 * Segments from number `first` to number `last` along the way. The segment in which a timeline begins is read from the newer timeline:
 * it holds the older one's content up to the fork.
 * @see PostgreSQL source, XLogFileReadAnyTLI in src/backend/access/transam/xlogrecovery.c
 */
export function segmentsNeeded(path: Stretch[], first: number, last: number, segmentBytes: number): Span[] {
  const begins = path.map(({ from }) => segmentNumberAt(from, segmentBytes));
  return path
    .map(({ timeline }, index) => ({
      timeline,
      first: Math.max(first, begins[index] ?? 0),
      // Several timelines may begin in one segment; the newest of them has it.
      last: Math.min(last, ...begins.slice(index + 1).map((begin) => begin - 1)),
    }))
    .filter((span) => span.first <= span.last);
}

/** Names of the segments of these spans that the archive lacks, in order, at most 1,000. */
export function missingOf(repository: Repository, spans: Span[]): string[] {
  const { segmentBytes } = repository;
  const names: string[] = [];
  for (const { timeline, first, last } of spans) {
    const held = heldOf(repository, timeline);
    for (let number = first; number <= last && names.length < mostNames; number += 1) {
      const range = held.find((candidate) => candidate.first <= number && number <= candidate.last);
      if (range) number = range.last;
      else names.push(segmentName({ timeline, number }, segmentBytes));
    }
  }
  return names;
}

/** Segments that the recovery of `backup` to `target` would miss, by name; empty when nothing stands in its way. */
export function gaps(repository: Repository, backup: BackupInfo, target: RecoveryTarget): string[] {
  return missingOf(repository, spansFor(repository, backup, target));
}

/** How many segments the recovery of `backup` to `target` reads. */
export function segmentCount(repository: Repository, backup: BackupInfo, target: RecoveryTarget): number {
  return spansFor(repository, backup, target).reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** The end of the last segment that can be reached from the backup without a gap; `undefined` when not even the backup's own WAL is whole. */
export function reachOf(
  repository: Repository,
  backup: BackupInfo,
  timeline: number,
): { segment: string; lsn: Lsn } | undefined {
  const { segmentBytes } = repository;
  const path = pathTo(repository, timeline);
  const begin = firstNumber(backup, segmentBytes);
  const spans = segmentsNeeded(path, begin, newestNumber(repository, path) ?? begin, segmentBytes);
  const [gap] = missingOf(repository, spans);
  const lastSpan = spans.at(-1);
  if (lastSpan === undefined) return undefined;
  const last = gap === undefined ? lastSpan.last : parseSegment(gap, segmentBytes).number - 1;
  const within = spans.find((span) => span.first <= last && last <= span.last);
  if (within === undefined) return undefined;
  const segment = segmentName({ timeline: within.timeline, number: last }, segmentBytes);
  const lsn = segmentEnd(segment, segmentBytes);
  return compareLsn(lsn, backup.stopLsn) < 0 ? undefined : { segment, lsn };
}

/** What the recovery of `backup` to `target` reads. */
export function spansFor(repository: Repository, backup: BackupInfo, target: RecoveryTarget): Span[] {
  const { segmentBytes } = repository;
  const path = pathTo(repository, target.timeline);
  const begin = firstNumber(backup, segmentBytes);
  const end = Math.max(
    segmentNumberAt(backup.stopLsn, segmentBytes),
    target.kind === 'lsn'
      ? segmentNumberAt(target.lsn, segmentBytes)
      : lastNumberBefore(repository, path, Date.parse(target.at)),
  );
  return segmentsNeeded(path, begin, end, segmentBytes);
}

function firstNumber(backup: BackupInfo, segmentBytes: number): number {
  return Math.min(parseSegment(backup.startWal, segmentBytes).number, segmentNumberAt(backup.startLsn, segmentBytes));
}

/**
 * No name tells the time, but what was written before a moment lies before the start of every backup that began after it.
 * Without such a backup everything up to the newest segment may be needed.
 */
function lastNumberBefore(repository: Repository, path: Stretch[], at: number): number {
  const { segmentBytes } = repository;
  const later = repository.backups
    .filter(({ startedAt }) => Date.parse(startedAt) > at + clocksMayDifferMs)
    .filter(({ timeline, startLsn }) => liesOn(path, { timeline, lsn: startLsn }))
    .map(({ startLsn }) => segmentNumberAt(startLsn, segmentBytes));
  return Math.min(...later, newestNumber(repository, path) ?? 0);
}

/** Newest segment on the way: of its last timeline, or of an ancestor's part of the way while that one has none. */
export function newestNumber(repository: Repository, path: Stretch[]): number | undefined {
  const { segmentBytes } = repository;
  const newest = path.flatMap(({ timeline, until }) => {
    const last = heldOf(repository, timeline).at(-1)?.last;
    if (last === undefined) return [];
    return [until === undefined ? last : Math.min(last, segmentNumberAt(until, segmentBytes))];
  });
  return newest.length === 0 ? undefined : Math.max(...newest);
}

export function heldOf(repository: Repository, timeline: number): Span[] {
  const ranges = repository.timelines.find(({ id }) => id === timeline)?.ranges ?? [];
  return ranges.map(({ first, last }) => ({
    timeline,
    first: parseSegment(first, repository.segmentBytes).number,
    last: parseSegment(last, repository.segmentBytes).number,
  }));
}
