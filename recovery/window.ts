/** From when to when a service can be recovered, and what is missing in between. */
import type { Anchor, BackupInfo, Lsn, Repository } from './archive.ts';
import { chooseAnchor } from './choice.ts';
import { missingOf, newestNumber, reachOf, segmentsNeeded } from './continuity.ts';
import { compareLsn } from './lsn.ts';
import { parseSegment } from './segments.ts';
import { liesOn, pathTo } from './timelines.ts';

/** What one backup can be rolled forward to. */
interface Reach {
  backup: BackupInfo;
  from: { at: string; lsn: Lsn };
  /** End of the last segment without a gap; absent when the backup cannot be recovered at all. */
  to?: { segment: string; lsn: Lsn };
}

export interface RecoveryWindow {
  timeline: number;
  /** The oldest consistent point. */
  from?: { at: string; lsn: Lsn; label: string };
  /** The newest point that can be reached; commits in it are found by reading the segment. */
  to?: { segment: string; lsn: Lsn };
  /** Oldest first; only backups on the way to `timeline` and without an error. */
  reaches: Reach[];
  /** Missing segments between the oldest backup and the newest segment, by name, at most 1,000. */
  gaps: string[];
  /** Anchors that some recovery can be proven with, oldest first. */
  anchors: Anchor[];
}

/** @param timeline the one that the service is on; without it the archive's newest */
export function recoveryWindow(
  repository: Repository,
  anchors: Anchor[],
  timeline = Math.max(1, ...repository.timelines.map(({ id }) => id)),
): RecoveryWindow {
  const path = pathTo(repository, timeline);
  const reaches = repository.backups
    .filter(({ error, timeline: taken, stopLsn }) => !error && liesOn(path, { timeline: taken, lsn: stopLsn }))
    .sort((a, b) => compareLsn(a.stopLsn, b.stopLsn))
    .map((backup): Reach => {
      const to = reachOf(repository, backup, timeline);
      return { backup, from: { at: backup.stoppedAt, lsn: backup.stopLsn }, ...(to && { to }) };
    });
  const usable = reaches.filter(({ to }) => to !== undefined);
  const oldest = usable[0];
  const ends = usable.flatMap(({ to }) => (to ? [to] : [])).sort((a, b) => compareLsn(a.lsn, b.lsn));
  const newest = ends.at(-1);
  return {
    timeline,
    ...(oldest && { from: { ...oldest.from, label: oldest.backup.label } }),
    ...(newest && { to: newest }),
    reaches,
    gaps: gapsBetween(repository, timeline, reaches),
    anchors: provable(repository, anchors, timeline, usable),
  };
}

function gapsBetween(repository: Repository, timeline: number, reaches: Reach[]): string[] {
  const path = pathTo(repository, timeline);
  const oldest = reaches[0];
  const newest = newestNumber(repository, path);
  if (oldest === undefined || newest === undefined) return [];
  const first = parseSegment(oldest.backup.startWal, repository.segmentBytes).number;
  return missingOf(repository, segmentsNeeded(path, first, newest, repository.segmentBytes));
}

function provable(repository: Repository, anchors: Anchor[], timeline: number, reaches: Reach[]): Anchor[] {
  return anchors
    .filter((anchor) =>
      reaches.some(
        ({ backup, to }) =>
          to !== undefined &&
          chooseAnchor(repository, [anchor], backup, { kind: 'lsn', lsn: to.lsn, inclusive: false, timeline }) !==
            undefined,
      ),
    )
    .sort((a, b) => compareLsn(a.lsn, b.lsn));
}
