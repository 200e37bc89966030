/** The tree of timelines: the way to one of them. */
import type { Lsn, Repository } from './archive.ts';
import { compareLsn } from './lsn.ts';

/** One stretch of the way to a timeline: `timeline` holds the WAL from `from` until `until`, where the next one begins. */
export interface Stretch {
  timeline: number;
  from: Lsn;
  /** Absent for the last one. */
  until?: Lsn;
}

/** The way from the oldest ancestor to `timeline`, as its history file tells it. */
export function pathTo(repository: Pick<Repository, 'timelines'>, timeline: number): Stretch[] {
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

/** The timeline on which the record that starts here was written: at a fork, the one that begins there. */
export function timelineOfRecord(path: Stretch[], lsn: Lsn): number {
  const stretch = path.find(({ until }) => until === undefined || compareLsn(lsn, until) < 0);
  return stretch?.timeline ?? Math.max(1, ...path.map(({ timeline }) => timeline));
}
