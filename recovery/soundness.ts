/** What makes a tree of timelines impossible, or the way to one of them unsafe. */
import type { BackupInfo, Lsn, Repository, TimelineInfo } from './archive.ts';
import { historyName } from './listing.ts';
import { compareLsn } from './lsn.ts';
import { parseSegment, segmentAt, segmentEnd, segmentNumberAt } from './segments.ts';
import { liesOn, pathTo } from './timelines.ts';

export interface Flaw {
  kind:
    | 'timeline-unknown'
    | 'no-history'
    | 'history-corrupt'
    | 'impossible-fork'
    | 'number-used-twice'
    | 'histories-contradict'
    | 'fork-segment-missing';
  timeline: number;
  seen: string;
  /** Whether a recovery meets it: on its way; behind the backup that it starts from; or on another branch. */
  touches: 'way' | 'behind' | 'aside';
}

/** A flaw, and from which timeline of the way on a backup leaves it behind. */
type Found = Omit<Flaw, 'touches' | 'timeline'> & { behindFrom: 'itself' | 'child' | 'never' };

/**
 * Every flaw of the archive's timelines, seen from a recovery to `timeline`.
 *
 * @param backups those that the recovery may start from; all usable ones when it is not chosen yet
 */
export function flaws(repository: Repository, timeline: number, backups = repository.backups): Flaw[] {
  const target = repository.timelines.find(({ id }) => id === timeline);
  const unknown: Flaw[] = target === undefined ? [unknownTimeline(repository, timeline)] : [];
  const way = pathTo(repository, timeline);
  const order = new Map(way.map((stretch, index) => [stretch.timeline, index]));
  const starts = backups
    .filter((backup) => isUsable(backup) && liesOn(way, { timeline: backup.timeline, lsn: backup.stopLsn }))
    .map((backup) => order.get(backup.timeline) ?? 0);
  const newest = Math.max(-1, ...starts);
  const touches = (id: number, behindFrom: Found['behindFrom']): Flaw['touches'] => {
    const place = order.get(id);
    if (place === undefined) return 'aside';
    // The server reads the history of the timeline that it is told to reach, wherever it starts.
    if (behindFrom === 'never' && id === timeline) return 'way';
    return newest >= (behindFrom === 'child' ? place + 1 : place) ? 'behind' : 'way';
  };
  const found = repository.timelines.flatMap((info) =>
    [
      ...withoutHistory(repository, info),
      ...impossibleFork(repository, info),
      ...usedTwice(repository, info),
      ...contradiction(repository, info),
      ...forkSegmentMissing(repository, info, way[(order.get(info.id) ?? way.length) + 1]?.from),
    ].map(({ behindFrom, ...flaw }) => ({ ...flaw, timeline: info.id, touches: touches(info.id, behindFrom) })),
  );
  // Off the way, and behind a backup, retention may have removed a first segment rightly.
  return [
    ...unknown,
    ...found.filter(({ kind, touches: where }) => kind !== 'fork-segment-missing' || where === 'way'),
  ];
}

/** What makes a recovery to `timeline` unsafe; empty when nothing does. */
export function soundness(repository: Repository, timeline: number, backups?: BackupInfo[]): string[] {
  return flaws(repository, timeline, backups)
    .filter(({ touches }) => touches === 'way')
    .map(({ seen }) => seen);
}

function isUsable({ error }: BackupInfo): boolean {
  return !error;
}

function unknownTimeline({ timelines }: Repository, timeline: number): Flaw {
  const known = timelines.map(({ id }) => id).join(', ');
  const seen = `timeline ${timeline} is not in the archive, which holds ${known ? `timeline ${known}` : 'none'}`;
  return { kind: 'timeline-unknown', timeline, seen, touches: 'way' };
}

function withoutHistory({ oddities }: Repository, { id, hasHistory }: TimelineInfo): Found[] {
  if (id === 1 || hasHistory) return [];
  const corrupt = oddities.find(({ kind, name }) => kind === 'history-corrupt' && name === historyName(id));
  if (corrupt !== undefined) return [{ kind: 'history-corrupt', seen: corrupt.why, behindFrom: 'never' }];
  const seen = `${historyName(id)} is missing, so nobody can tell where timeline ${id} comes from`;
  return [{ kind: 'no-history', seen, behindFrom: 'never' }];
}

function impossibleFork(repository: Repository, info: TimelineInfo): Found[] {
  const { segmentBytes } = repository;
  if (info.forkLsn === undefined || info.parent === undefined) return [];
  const found: Found[] = [];
  for (const [index, { timeline, forkLsn }] of info.ancestors.entries()) {
    const before = info.ancestors[index - 1];
    if (before && compareLsn(forkLsn, before.forkLsn) < 0)
      found.push({
        kind: 'impossible-fork',
        seen: `timeline ${info.id} says that timeline ${timeline} was left at ${forkLsn}, before it began at ${before.forkLsn}`,
        behindFrom: 'never',
      });
  }
  const fork = segmentNumberAt(info.forkLsn, segmentBytes);
  const reached = repository.timelines.find(({ id }) => id === info.parent)?.ranges.at(-1)?.last;
  // The parent's last segment need not be there: its content up to the fork is also the start of the child's first one.
  if (reached !== undefined && parseSegment(reached, segmentBytes).number < fork - 1)
    found.push({
      kind: 'impossible-fork',
      seen: `timeline ${info.id} leaves timeline ${info.parent} at ${info.forkLsn}, which the archive holds only up to ${segmentEnd(reached, segmentBytes)}`,
      behindFrom: 'itself',
    });
  return found;
}

/** Two servers were promoted to the same number: what one has archived lies under the history of the other. */
function usedTwice({ segmentBytes }: Repository, info: TimelineInfo): Found[] {
  const first = info.ranges[0]?.first;
  if (info.forkLsn === undefined || first === undefined) return [];
  if (parseSegment(first, segmentBytes).number >= segmentNumberAt(info.forkLsn, segmentBytes)) return [];
  const seen = `timeline ${info.id} begins at ${info.forkLsn} but the archive holds ${first} of it: the number was used twice`;
  return [{ kind: 'number-used-twice', seen, behindFrom: 'child' }];
}

/** A child's history begins with its parent's own. */
function contradiction(repository: Repository, info: TimelineInfo): Found[] {
  const parent = repository.timelines.find(({ id }) => id === info.parent);
  if (parent === undefined || (!parent.hasHistory && parent.id !== 1)) return [];
  const tell = (ancestors: TimelineInfo['ancestors']): string =>
    ancestors.map(({ timeline, forkLsn }) => `${timeline} until ${forkLsn}`).join(', ') || 'no ancestor';
  const claimed = tell(info.ancestors.slice(0, -1));
  const told = tell(parent.ancestors);
  if (claimed === told) return [];
  const seen = `timelines ${parent.id} and ${info.id} contradict each other: ${historyName(info.id)} says ${claimed}, ${parent.id === 1 ? 'timeline 1' : historyName(parent.id)} says ${told}`;
  return [{ kind: 'histories-contradict', seen, behindFrom: 'itself' }];
}

/**
 * A history whose first segment has not arrived is a trap: PostgreSQL goes on with the parent's segments past the fork, on the wrong
 * branch, without a word.
 *
 * @param leftAt where the way leaves the timeline: in its first segment already, then that is read from the next one
 */
function forkSegmentMissing({ segmentBytes }: Repository, info: TimelineInfo, leftAt: Lsn | undefined): Found[] {
  if (info.forkLsn === undefined) return [];
  const fork = segmentNumberAt(info.forkLsn, segmentBytes);
  if (leftAt !== undefined && segmentNumberAt(leftAt, segmentBytes) === fork) return [];
  const segment = segmentAt(info.forkLsn, info.id, segmentBytes);
  if (info.ranges.some(({ first, last }) => first <= segment && segment <= last)) return [];
  const seen = `${historyName(info.id)} is in the archive, but the timeline's first segment ${segment} is not`;
  return [{ kind: 'fork-segment-missing', seen, behindFrom: 'itself' }];
}
