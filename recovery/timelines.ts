/** The tree of timelines: the way to one of them, and what makes the tree impossible. */
import type { Lsn, Repository, TimelineInfo } from './archive.ts';
import { historyName } from './listing.ts';
import { compareLsn } from './lsn.ts';
import { parseSegment, segmentAt, segmentEnd, segmentNumberAt } from './segments.ts';

/** One stretch of the way to a timeline: `timeline` holds the WAL from `from` until `until`, where the next one begins. */
export interface Stretch {
  timeline: number;
  from: Lsn;
  /** Absent for the last one. */
  until?: Lsn;
}

/** The way from the oldest ancestor to `timeline`, as its history file tells it. */
export function pathTo(repository: Repository, timeline: number): Stretch[] {
  const ancestors = repository.timelines.find(({ id }) => id === timeline)?.ancestors ?? [];
  const from = (index: number): Lsn => ancestors[index - 1]?.forkLsn ?? '0/0';
  return [
    ...ancestors.map((ancestor, index) => ({
      timeline: ancestor.timeline,
      from: from(index),
      until: ancestor.forkLsn,
    })),
    { timeline, from: from(ancestors.length) },
  ];
}

/** Whether a position of `timeline` is on the way: not on a branch, and not past the point where the way leaves it. */
export function liesOn(path: Stretch[], position: { timeline: number; lsn: Lsn }): boolean {
  const stretch = path.find(({ timeline }) => timeline === position.timeline);
  if (stretch === undefined) return false;
  return stretch.until === undefined || compareLsn(position.lsn, stretch.until) <= 0;
}

/**
 * The timeline that holds a position on the way. A recovery to a position before the last fork must name this one as its target
 * timeline: PostgreSQL would otherwise write a history in which the new timeline leaves its parent before the parent begins.
 */
export function timelineAt(path: Stretch[], lsn: Lsn): number | undefined {
  return path.find(({ until }) => until === undefined || compareLsn(lsn, until) <= 0)?.timeline;
}

/**
 * Everything that makes the timelines of the archive impossible, or the way to `timeline` unsafe; empty when it is sound.
 * The whole tree counts, not only the way: a promotion picks the next free number by looking for history files.
 */
export function soundness(repository: Repository, timeline: number): string[] {
  const target = repository.timelines.find(({ id }) => id === timeline);
  if (target === undefined) {
    const known = repository.timelines.map(({ id }) => id).join(', ');
    return [`timeline ${timeline} is not in the archive, which holds ${known ? `timeline ${known}` : 'none'}`];
  }
  return [
    ...repository.timelines.flatMap((info) => [
      ...withoutHistory(info),
      ...impossibleFork(repository, info),
      ...contradiction(repository, info),
    ]),
    ...pathTo(repository, timeline).flatMap((_stretch, index, path) =>
      forkSegmentAbsent(repository, path.slice(index)),
    ),
  ];
}

function withoutHistory({ id, hasHistory }: TimelineInfo): string[] {
  if (id === 1 || hasHistory) return [];
  return [`${historyName(id)} is missing, so nobody can tell where timeline ${id} comes from`];
}

function impossibleFork(repository: Repository, info: TimelineInfo): string[] {
  const { segmentBytes } = repository;
  if (info.forkLsn === undefined || info.parent === undefined) return [];
  const problems: string[] = [];
  for (const [index, { timeline, forkLsn }] of info.ancestors.entries()) {
    const before = info.ancestors[index - 1];
    if (before && compareLsn(forkLsn, before.forkLsn) < 0)
      problems.push(
        `timeline ${info.id} says that timeline ${timeline} was left at ${forkLsn}, before it began at ${before.forkLsn}`,
      );
  }
  const fork = segmentNumberAt(info.forkLsn, segmentBytes);
  const first = info.ranges[0];
  if (first && parseSegment(first.first, segmentBytes).number < fork)
    problems.push(
      `timeline ${info.id} begins at ${info.forkLsn} but the archive holds ${first.first} of it: the number was used twice`,
    );
  const reached = repository.timelines.find(({ id }) => id === info.parent)?.ranges.at(-1)?.last;
  // The parent's last segment need not be there: its content up to the fork is also the start of the child's first one.
  if (reached !== undefined && parseSegment(reached, segmentBytes).number < fork - 1)
    problems.push(
      `timeline ${info.id} leaves timeline ${info.parent} at ${info.forkLsn}, which the archive holds only up to ${segmentEnd(reached, segmentBytes)}`,
    );
  return problems;
}

/** A child's history begins with its parent's own. */
function contradiction(repository: Repository, info: TimelineInfo): string[] {
  const parent = repository.timelines.find(({ id }) => id === info.parent);
  if (parent === undefined || (!parent.hasHistory && parent.id !== 1)) return [];
  const tell = (ancestors: TimelineInfo['ancestors']): string =>
    ancestors.map(({ timeline, forkLsn }) => `${timeline} until ${forkLsn}`).join(', ') || 'no ancestor';
  const claimed = tell(info.ancestors.slice(0, -1));
  const told = tell(parent.ancestors);
  if (claimed === told) return [];
  return [
    `timelines ${parent.id} and ${info.id} contradict each other: ${historyName(info.id)} says ${claimed}, ${parent.id === 1 ? 'timeline 1' : historyName(parent.id)} says ${told}`,
  ];
}

/**
 * A history whose first segment has not arrived is a trap: PostgreSQL goes on with the parent's segments past the fork, on the wrong
 * branch, without a word. Once a backup lies on the timeline or after it, retention may have removed that segment rightly.
 * @param way the path from this timeline on
 */
function forkSegmentAbsent(repository: Repository, way: Stretch[]): string[] {
  const info = repository.timelines.find(({ id }) => id === way[0]?.timeline);
  const passed = repository.backups.some((backup) => way.some(({ timeline }) => timeline === backup.timeline));
  if (info?.forkLsn === undefined || passed) return [];
  const segment = segmentAt(info.forkLsn, info.id, repository.segmentBytes);
  if (info.ranges.some(({ first, last }) => first <= segment && segment <= last)) return [];
  return [`${historyName(info.id)} is in the archive, but the timeline's first segment ${segment} is not`];
}
