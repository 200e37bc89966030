/** Which backup a recovery starts from, where it ends, and what lies between. */
import type { Found, NewestCommit, Scratch, ServiceMoment } from '../../activities/shapes.ts';
import { formatBytes, formatDuration } from '../../evidence/format.ts';
import { newestBackupWithinMs } from '../../plan/cadence.ts';
import type { Anchor, BackupInfo, RecoveryTarget, Repository } from '../../recovery/archive.ts';
import { chooseAnchor, chooseBackup } from '../../recovery/choice.ts';
import { clocksMayDifferMs } from '../../recovery/clocks.ts';
import { gaps, reachOf, segmentCount } from '../../recovery/continuity.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { runBefore } from '../../recovery/needed.ts';
import { isSegmentName, segmentStart, timelineOf } from '../../recovery/segments.ts';
import { recoveryWindow } from '../../recovery/window.ts';
import { failure, failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';
import { ownCommit, ownWal } from './own-archive.ts';

/** From which backup to which target, and how many segments lie between. */
export interface Route {
  backup: BackupInfo;
  target: RecoveryTarget;
  segments: number;
}

/** The newest backup is complete and young enough. */
function youngBackup(run: Run, repository: Repository, service: ServiceMoment): Promise<BackupInfo & Found> {
  return run.check('The newest backup is complete and young enough', async () => {
    const { lsn, timeline } = service;
    // By position, not by the stamps: the clock that they are of may have been set meanwhile.
    const { backup: newest, passedOver } = chooseBackup(repository, { kind: 'lsn', lsn, inclusive: true, timeline });
    if (newest === undefined)
      throw failure(
        'BackupMissing',
        `stanza ${run.plan.backups.physical.stanza} holds no backup that can be used${passedOver.map(({ label, why }) => `; ${label}: ${why}`).join('')}. Take one: lifeboat backup ${run.plan.service}`,
      );
    const age = Date.parse(service.at) - Date.parse(newest.stoppedAt);
    const within = newestBackupWithinMs(run.plan);
    if (age < -clocksMayDifferMs)
      throw failure(
        'ClockSkewed',
        `backup ${newest.label} is stamped ${formatDuration(-age)} after this moment on the database's clock, so its age is not known: the database's clock, which stamps it, is or was wrong. Correct it, then take a new one: lifeboat backup ${run.plan.service}`,
      );
    if (age > within)
      throw failure(
        'BackupTooOld',
        `the newest backup ${newest.label} is ${formatDuration(age)} old, the plan allows ${formatDuration(within)}. See why backups stopped, then: lifeboat backup ${run.plan.service}`,
      );
    return {
      ...newest,
      found: `backup ${newest.label} complete, ${formatDuration(Math.max(0, age))} old, ${formatBytes(newest.bytes)}`,
      expected: `a complete backup at most ${formatDuration(within)} old`,
    };
  });
}

/** Target: the newest point that the archive was proven to hold at T0. */
export async function newestTarget(
  run: Run,
  repository: Repository,
  service: ServiceMoment,
  scratch: Scratch,
): Promise<Route> {
  const { timeline } = service;
  const backup = await youngBackup(run, repository, service);
  const last = newestArchived(repository, service);
  const upTo: RecoveryTarget = {
    kind: 'lsn',
    lsn: segmentStart(last, repository.segmentBytes),
    inclusive: true,
    timeline,
  };
  const { segments } = await run.check('Every WAL segment from the backup to T0 is in the archive', async () => {
    const missing = gaps(repository, backup, upTo);
    const needed = segmentCount(repository, backup, upTo);
    const expected = `every segment from ${backup.startWal} to ${last}`;
    if (missing.length > 0)
      throw failure(
        'ArchiveGap',
        `${missing.length} of ${needed} WAL segments between backup ${backup.label} and T0 are not in the archive: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}; expected ${expected}. Nothing after the first of them can be recovered from this backup: take a new one (lifeboat backup ${run.plan.service}), and find out what removed it.`,
      );
    return { segments: needed, found: `${needed} of ${needed} WAL segments, timeline ${timeline}, no gap`, expected };
  });
  await ownWal(run, repository, scratch, backup, upTo);
  const seen: { commit?: NewestCommit } = {};
  const end = await run.check('The newest commit in the archive is known', async () => {
    const commit = await newestCommit(run, scratch, service, { first: backup.stopWal, last }).catch(noneYet);
    const before = commit === undefined ? runBefore(repository, backup.stopWal) : undefined;
    const older = before && (await newestCommit(run, scratch, service, before).catch(noneYet));
    Object.assign(seen, { commit: commit ?? older });
    // Before its own end a backup is not consistent; nothing was committed in between, so nothing more is lost by going there.
    if (commit === undefined || compareLsn(commit.lsn, backup.stopLsn) < 0)
      return {
        lsn: backup.stopLsn,
        at: backup.stoppedAt,
        found: `no commit since the end of backup ${backup.label} is in the archive yet: its end at ${backup.stopLsn} is the newest point`,
      };
    return commit;
  });
  await ownCommit(run, seen.commit);
  run.record({ target: { lsn: end.lsn, timeline, at: end.at, chosenBy: 'archive' } });
  return { backup, segments, target: { kind: 'lsn', lsn: end.lsn, inclusive: true, timeline } };
}

function noneYet(error: unknown): undefined {
  if (failureOf(error).type !== 'TargetOutsideWindow') throw error;
}

/** What the archiver had confirmed at T0; where it cannot say, the newest segment that the listing shows. */
function newestArchived(repository: Repository, { timeline, lastArchivedWal, archiver }: ServiceMoment): string {
  // A backup's own file is archived after the segment that it is named after.
  const confirmed = lastArchivedWal?.slice(0, 24);
  if (confirmed !== undefined && isSegmentName(confirmed) && timelineOf(confirmed) === timeline) return confirmed;
  // A new primary archives its history first: what lies there of its timeline before its own first segment is not its own.
  const before = confirmed ?? archiver?.last;
  if (before !== undefined)
    throw failure(
      'ArchiveGap',
      `the service has not archived any segment of timeline ${timeline} yet, on which it writes; the last was ${before}${archiver?.failing === undefined ? '' : `, and it fails with ${archiver.failing}`}. Expected one within archive_timeout of a promotion: see select * from pg_stat_archiver, then drill again.`,
    );
  const listed = repository.timelines.find(({ id }) => id === timeline)?.ranges.at(-1)?.last;
  if (listed === undefined)
    throw failure(
      'ArchiveGap',
      `the archive holds no segment of timeline ${timeline}, on which the service writes. See whether archiving works: select * from pg_stat_archiver.`,
    );
  return listed;
}

/** Target: a moment that a person chose; the archive must hold a commit after it. */
export async function chosenTarget(
  run: Run,
  repository: Repository,
  service: ServiceMoment,
  scratch: Scratch,
  at: string,
): Promise<Route> {
  const target: RecoveryTarget = { kind: 'time', at, timeline: service.timeline };
  const newest = await youngBackup(run, repository, service);
  const { backup, commit } = await run.check('The target lies inside the recovery window', async () => {
    const chosen = chooseBackup(repository, target).backup;
    const reach = reachOf(repository, chosen ?? newest, service.timeline);
    const from = chosen ?? newest;
    const upTo = reach && { first: from.stopWal, last: reach.segment };
    const commit = upTo && (await newestCommit(run, scratch, service, upTo).catch(noneYet));
    const oldest = recoveryWindow(repository, [], service.timeline).from?.at;
    const window = oldest && reach ? `${oldest} to ${commit?.at ?? from.stoppedAt}` : 'empty';
    if (chosen === undefined || commit === undefined || Date.parse(at) >= Date.parse(commit.at))
      throw failure(
        'TargetOutsideWindow',
        `${at} cannot be recovered: the window is ${window}. Choose a moment inside it (lifeboat recovery-window ${run.plan.service}).`,
      );
    return {
      backup: chosen,
      commit,
      found: `${at} lies in the window ${window}; backup ${chosen.label} is the newest before it`,
      expected: 'a backup that ends before the target, and a commit after it',
    };
  });
  await ownWal(run, repository, scratch, backup, target);
  await ownCommit(run, commit);
  run.record({ target: { lsn: 'by time', timeline: service.timeline, at, chosenBy: 'person' } });
  return { backup, target, segments: segmentCount(repository, backup, target) };
}

function newestCommit(
  run: Run,
  scratch: Scratch,
  service: ServiceMoment,
  { first, last }: { first: string; last: string },
): Promise<NewestCommit> {
  return run.host(scratch.host).newestCommit({
    backups: run.plan.backups.physical,
    scratch,
    timeline: service.timeline,
    firstSegment: first,
    lastSegment: last,
    segmentBytes: service.segmentBytes,
    outageWithinMs: run.patienceMs(),
  });
}

/** The last anchor before the target; without one, equality cannot be claimed. */
export function anchorBefore(
  run: Run,
  repository: Repository,
  { backup, target }: Pick<Route, 'backup' | 'target'>,
  name = 'An anchor lies between the backup and the target',
): Promise<Anchor | undefined> {
  return run
    .check(name, async () => {
      const { anchors } = await run.control.listAnchors({
        store: run.plan.evidence,
        service: run.plan.service,
        outageWithinMs: run.patienceMs(),
      });
      const anchor = chooseAnchor(repository, anchors, backup, target);
      return {
        anchor,
        expected: 'fingerprints of the critical tables, taken between the end of the backup and the target',
        found:
          anchor === undefined
            ? `${whyNone(anchors, target)}, so that the data are equal will not be proven`
            : `${anchor.tables.length} tables at ${anchor.lsn}, ${anchor.at}, ${anchor.source}`,
      };
    })
    .then(({ anchor }) => anchor);
}

function whyNone(anchors: Anchor[], target: RecoveryTarget): string {
  const newest = anchors[0];
  if (newest === undefined) return 'none was ever taken (each lifeboat backup takes one)';
  const ahead = target.kind === 'lsn' && compareLsn(newest.lsn, target.lsn) > 0;
  return ahead
    ? `the newest, at ${newest.lsn}, lies after the target ${target.lsn}: its WAL was not archived yet`
    : `none of ${anchors.length} lies on the way (each lifeboat backup takes one)`;
}
