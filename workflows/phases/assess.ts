/** What must be true before a byte is restored. Everything here only reads; nothing is switched or flushed for the occasion. */
import type { Found, HostFacts, NewestCommit, Scratch, ServiceMoment } from '../../activities/contract.ts';
import { formatBytes, formatDuration } from '../../evidence/format.ts';
import { newestBackupWithinMs } from '../../plan/cadence.ts';
import { secretNames } from '../../plan/hosts.ts';
import type { Anchor, BackupInfo, RecoveryTarget, Repository } from '../../recovery/archive.ts';
import { chooseAnchor, chooseBackup } from '../../recovery/choice.ts';
import { gaps, reachOf, segmentCount } from '../../recovery/continuity.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { isSegmentName, segmentStart } from '../../recovery/segments.ts';
import { soundness } from '../../recovery/timelines.ts';
import { recoveryWindow } from '../../recovery/window.ts';
import { failure, failureOf } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** From which backup to which target, and how many segments lie between. */
export interface Route {
  backup: BackupInfo;
  target: RecoveryTarget;
  segments: number;
}

/** T0, the drill's first moment on the database's clock, and what was archived then: read in one query. */
export function pretendDisaster(run: Run): Promise<ServiceMoment> {
  return run.check('The service answers through its front door', async () => {
    const service = await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
    run.record({ incidentAt: service.at });
    return service;
  });
}

/** Everything that a restore will stand on answers: store, archive, host. */
export async function assessSurroundings(run: Run, scratch: Scratch, service: ServiceMoment): Promise<Repository> {
  const { plan } = run;
  await run.check('No live recovery is going on', () => run.control.noLiveRun({ service: plan.service }));
  await run.check('The secrets of the plan resolve', () => run.control.resolveSecrets({ names: secretNames(plan) }));
  await run.check('The evidence store answers', () => run.control.storeAnswers({ store: plan.evidence }));
  await run.check('The drill host is ready', async () =>
    sameVersions(
      service,
      await run.host(scratch.host).hostFacts({
        backups: plan.backups.physical,
        scratch,
        smoke: plan.application.smoke.command,
        extensions: service.extensions,
      }),
    ),
  );
  return run.check('The WAL archive answers', () =>
    run.host(scratch.host).repository({ backups: plan.backups.physical, segmentBytes: service.segmentBytes }),
  );
}

function sameVersions(service: ServiceMoment, host: HostFacts): HostFacts {
  const major = (version: number) => Math.floor(version / 10_000);
  if (major(service.serverVersion) !== major(host.serverVersion))
    throw failure(
      'VersionMismatch',
      `the service runs PostgreSQL ${major(service.serverVersion)}, the drill host has ${major(host.serverVersion)}. Install the same major version there.`,
    );
  const { provider, version } = service.collation;
  if (provider === 'libc' && version !== undefined && host.libc !== undefined && version !== host.libc)
    throw failure(
      'VersionMismatch',
      `the database's indexes were sorted with C library ${version}, the drill host has ${host.libc}: text indexes could be wrong there. Use a host with the same version.`,
    );
  return host;
}

/** The newest backup is complete and young enough. */
function youngBackup(run: Run, repository: Repository, service: ServiceMoment): Promise<BackupInfo & Found> {
  return run.check('The newest backup is complete and young enough', async () => {
    const newest = [...repository.backups]
      .filter((one) => !one.error)
      .sort((a, b) => (a.stoppedAt < b.stoppedAt ? 1 : -1))[0];
    if (newest === undefined)
      throw failure(
        'BackupMissing',
        `stanza ${run.plan.backups.physical.stanza} holds no complete backup. Take one: lifeboat backup ${run.plan.service}`,
      );
    const age = Date.parse(service.at) - Date.parse(newest.stoppedAt);
    const within = newestBackupWithinMs(run.plan);
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

/** The timelines lead without contradiction to the one that the service writes on. */
export function soundArchive(run: Run, repository: Repository, timeline: number): Promise<Found> {
  return run.check('The timelines in the archive are sound', async () => {
    const problems = soundness(repository, timeline);
    if (problems.length > 0)
      throw failure('ArchiveUnsound', `${problems.join('; ')}. Do not restore from it before this is understood.`);
    const others = repository.timelines.filter((one) => one.id !== timeline).map((one) => one.id);
    const beside = others.length > 0 ? `, reached soundly; also present: ${others.join(', ')}` : ', and no other';
    const odd = repository.oddities.length > 0 ? `. To look at: ${repository.oddities.slice(0, 3).join('; ')}` : '';
    return {
      found: `timeline ${timeline}${beside}${odd}`,
      expected: `one sound line of descent to timeline ${timeline}`,
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
  const { segments } = await run.check('Every WAL segment from the backup to T0 is in the archive', async () => {
    const upTo: RecoveryTarget = {
      kind: 'lsn',
      lsn: segmentStart(last, repository.segmentBytes),
      inclusive: true,
      timeline,
    };
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
  const end = await run.check('The newest commit in the archive is known', async () => {
    const commit = await newestCommit(run, scratch, service, backup, last).catch(noneYet);
    // Before its own end a backup is not consistent; nothing was committed in between, so nothing more is lost by going there.
    if (commit === undefined || compareLsn(commit.lsn, backup.stopLsn) < 0)
      return {
        lsn: backup.stopLsn,
        at: backup.stoppedAt,
        found: `no commit since the end of backup ${backup.label} is in the archive yet: its end at ${backup.stopLsn} is the newest point`,
      };
    return commit;
  });
  run.record({ target: { lsn: end.lsn, timeline, at: end.at, chosenBy: 'archive' } });
  return { backup, segments, target: { kind: 'lsn', lsn: end.lsn, inclusive: true, timeline } };
}

function noneYet(error: unknown): undefined {
  if (failureOf(error).type !== 'TargetOutsideWindow') throw error;
}

/** What the archiver had confirmed at T0; where it cannot say, the newest segment that the listing shows. */
function newestArchived(repository: Repository, service: ServiceMoment): string {
  // A backup's own file is archived after the segment that it is named after.
  const confirmed = service.lastArchivedWal?.slice(0, 24);
  if (confirmed !== undefined && isSegmentName(confirmed)) return confirmed;
  const listed = repository.timelines.find(({ id }) => id === service.timeline)?.ranges.at(-1)?.last;
  if (listed === undefined)
    throw failure(
      'ArchiveGap',
      `the archive holds no segment of timeline ${service.timeline}, on which the service writes. See whether archiving works: select * from pg_stat_archiver.`,
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
  const { backup } = await run.check('The target lies inside the recovery window', async () => {
    const chosen = chooseBackup(repository, target).backup;
    const reach = reachOf(repository, chosen ?? newest, service.timeline);
    const commit = reach && (await newestCommit(run, scratch, service, chosen ?? newest, reach.segment));
    const oldest = recoveryWindow(repository, [], service.timeline).from?.at;
    const window = oldest && commit ? `${oldest} to ${commit.at}` : 'empty';
    if (chosen === undefined || commit === undefined || Date.parse(at) >= Date.parse(commit.at))
      throw failure(
        'TargetOutsideWindow',
        `${at} cannot be recovered: the window is ${window}. Choose a moment inside it (lifeboat recovery-window ${run.plan.service}).`,
      );
    return {
      backup: chosen,
      found: `${at} lies in the window ${window}; backup ${chosen.label} is the newest before it`,
      expected: 'a backup that ends before the target, and a commit after it',
    };
  });
  run.record({ target: { lsn: 'by time', timeline: service.timeline, at, chosenBy: 'person' } });
  return { backup, target, segments: segmentCount(repository, backup, target) };
}

function newestCommit(
  run: Run,
  scratch: Scratch,
  service: ServiceMoment,
  backup: BackupInfo,
  lastSegment: string,
): Promise<NewestCommit> {
  return run.host(scratch.host).newestCommit({
    backups: run.plan.backups.physical,
    scratch,
    timeline: service.timeline,
    firstSegment: backup.stopWal,
    lastSegment,
    segmentBytes: service.segmentBytes,
  });
}

/** The last anchor before the target; without one, equality cannot be claimed. */
export function anchorBefore(run: Run, repository: Repository, { backup, target }: Route): Promise<Anchor | undefined> {
  return run
    .check('An anchor lies between the backup and the target', async () => {
      const { anchors } = await run.control.listAnchors({ store: run.plan.evidence, service: run.plan.service });
      const anchor = chooseAnchor(repository, anchors, backup, target);
      return {
        anchor,
        expected: 'fingerprints of the critical tables, taken between the end of the backup and the target',
        found:
          anchor === undefined
            ? `none of ${anchors.length}: that the data are equal will not be proven. Take one: lifeboat backup ${run.plan.service}`
            : `${anchor.tables.length} tables at ${anchor.lsn}, ${anchor.at}, ${anchor.source}`,
      };
    })
    .then(({ anchor }) => anchor);
}

/** A tablespace made after the backup would be replayed onto the directory of the live one, on this host. */
export function noYoungTablespace(run: Run, backup: BackupInfo, service: ServiceMoment): Promise<Found> {
  return run.check('No tablespace is younger than the backup', async () => {
    const known = new Set(backup.tablespaces.map((one) => one.oid));
    const young = service.tablespaces.filter((one) => !known.has(one.oid));
    if (young.length > 0)
      throw failure(
        'TablespaceUnsafe',
        `${young.map((one) => one.location).join(', ')} was made after backup ${backup.label}: replaying that here would relink to the live directory and destroy it. Take a new backup: lifeboat backup ${run.plan.service}`,
      );
    return { found: `${service.tablespaces.length} tablespaces, all in the backup` };
  });
}

/** Room for the data and all the WAL, and what the plan wants to stay free. */
export function roomForRestore(run: Run, scratch: Scratch, backup: BackupInfo, walBytes: number): Promise<Found> {
  return run.check('There is room on the drill host', () =>
    run
      .host(scratch.host)
      .roomFor({ scratch, bytes: backup.bytes + walBytes, keepFree: run.plan.drills.monthly.keepFree }),
  );
}
