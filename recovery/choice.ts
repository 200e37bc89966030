/** Which backup a recovery starts from, and which anchor proves it on the way. */
import type { Anchor, BackupInfo, RecoveryTarget, Repository } from './archive.ts';
import { compareLsn } from './lsn.ts';
import { liesOn, pathTo, type Stretch } from './timelines.ts';

export interface BackupChoice {
  /** Absent when none will do. */
  backup?: BackupInfo;
  /** Newer or unusable ones, each with the reason, newest first. */
  passedOver: { label: string; why: string }[];
}

const second = 1000;
/** Commit times are not in the order of commits: a transaction that took its time first may commit last. */
const commitTimesMayDifferMs = 5 * second;

/**
 * The newest backup that was taken without an error, ended before the target, and lies on the way to the target's timeline.
 * PostgreSQL itself does not reliably refuse a target before a backup's end: a time target in the past stops just after
 * consistency as if all were well.
 */
export function chooseBackup(repository: Repository, target: RecoveryTarget): BackupChoice {
  const path = pathTo(repository, target.timeline);
  const passedOver: BackupChoice['passedOver'] = [];
  const newestFirst = [...repository.backups].sort(
    // Positions before stamps: the clock that they are of may have been set meanwhile.
    (a, b) => compareLsn(b.stopLsn, a.stopLsn) || Date.parse(b.stoppedAt) - Date.parse(a.stoppedAt),
  );
  for (const backup of newestFirst) {
    const why = unusable(backup, target, path);
    if (why === undefined) return { backup, passedOver };
    passedOver.push({ label: backup.label, why });
  }
  return { passedOver };
}

function unusable(backup: BackupInfo, target: RecoveryTarget, path: Stretch[]): string | undefined {
  if (backup.error) return 'an error or damaged pages were found while it was taken';
  if (!liesOn(path, { timeline: backup.timeline, lsn: backup.stopLsn }))
    return `it ended at ${backup.stopLsn} on timeline ${backup.timeline}, which does not lead to timeline ${target.timeline}`;
  if (target.kind === 'lsn' && compareLsn(backup.stopLsn, target.lsn) > 0)
    return `it ended at ${backup.stopLsn}, after the target ${target.lsn}`;
  // A backup's end is told in whole seconds.
  if (target.kind === 'time' && Date.parse(backup.stoppedAt) + second > Date.parse(target.at))
    return `it ended at ${backup.stoppedAt}, not before the target ${target.at}`;
  return undefined;
}

/** The newest anchor that the recovery of `backup` to `target` passes; `undefined` when it passes none. */
export function chooseAnchor(
  repository: Repository,
  anchors: Anchor[],
  backup: BackupInfo,
  target: RecoveryTarget,
): Anchor | undefined {
  const path = pathTo(repository, target.timeline);
  return anchors
    .filter((anchor) => anchor.systemIdentifier === repository.systemIdentifier)
    .filter((anchor) => liesOn(path, anchor) && compareLsn(backup.stopLsn, anchor.lsn) <= 0)
    .filter((anchor) => comesBefore(anchor, target))
    .sort((a, b) => compareLsn(b.lsn, a.lsn) || Date.parse(b.at) - Date.parse(a.at))[0];
}

function comesBefore(anchor: Anchor, target: RecoveryTarget): boolean {
  if (target.kind === 'lsn') return compareLsn(anchor.lsn, target.lsn) <= 0;
  return Date.parse(anchor.lastCommitAt ?? anchor.at) + commitTimesMayDifferMs <= Date.parse(target.at);
}
