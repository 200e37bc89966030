/** From a person's words to a record in the WAL, and the backup, the segments and the anchor that lead there. */
import type { LocatedTarget } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { FailureType } from '../../../evidence/failures.ts';
import { formatBytes } from '../../../evidence/format.ts';
import type { BackupInfo, RecoveryTarget, Repository } from '../../../recovery/archive.ts';
import { chooseBackup } from '../../../recovery/choice.ts';
import { gaps, segmentCount } from '../../../recovery/continuity.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { heldWithin, neededEver } from '../../../recovery/needed.ts';
import { readWantedTarget, type WantedTarget } from '../../../recovery/wanted-target.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { noYoungTablespace } from '../assess.ts';
import { ownWal } from '../own-archive.ts';
import { anchorBefore } from '../route.ts';
import { numbered, placeOf, type Recovering, type RecoveryRun, type Way } from './recovering.ts';

/** The way to the target that the run was started with. */
export async function wayTo(
  run: RecoveryRun,
  recovering: Recovering,
  said: string,
  wholeUntil: string | undefined,
): Promise<Way> {
  const { repository } = recovering;
  const located = await run.check('The target is found in the WAL', () => locate(run, recovering, said, wholeUntil));
  const { backup, segments } = await run.check('A backup and all WAL lead to the target', async () =>
    leading(run, repository, located.target),
  );
  await noYoungTablespace(run, backup, recovering.service);
  return restOfWay(run, recovering, { said, located, backup, segments }, 1);
}

/** What makes a target one that nothing leads to: another one can be named. */
const nowhere: readonly FailureType[] = ['InputInvalid', 'TargetOutsideWindow', 'ArchiveGap', 'BackupMissing'];

/** The way to another target, or why there is none. @param round 2 for the first that it is moved to, then one more for each */
export async function wayElsewhere(
  run: RecoveryRun,
  recovering: Recovering,
  { said, round, wholeUntil }: { said: string; round: number; wholeUntil: string },
): Promise<Way | { why: string }> {
  const { repository } = recovering;
  const answer = await run.check(`The target is found in the WAL (${round})`, async () => {
    try {
      const located = await locate(run, recovering, said, wholeUntil);
      const { backup, segments, found } = leading(run, repository, located.target);
      return { begun: { said, located, backup, segments }, found: `${located.found}; ${found}` };
    } catch (error) {
      const { type, message } = failureOf(error);
      if (!nowhere.some((one) => one === type)) throw error;
      return { found: `the target stays where it is: ${message}`, why: message };
    }
  });
  return answer.begun === undefined ? { why: answer.why } : restOfWay(run, recovering, answer.begun, round);
}

async function restOfWay(
  run: RecoveryRun,
  recovering: Recovering,
  begun: Omit<Way, 'anchor'>,
  round: number,
): Promise<Way> {
  const { repository } = recovering;
  const { backup, located } = begun;
  const { target } = located;
  const { scratch } = placeOf(run, recovering.primary);
  await ownWal(run, repository, scratch, backup, target, numbered('The WAL is of this cluster and this branch', round));
  const anchor = await anchorBefore(
    run,
    repository,
    { backup, target },
    numbered('An anchor lies between the backup and the target', round),
  );
  return { ...begun, anchor };
}

/** Moved on from where it stands: what was restored stays the same. */
export function onFrom(before: Way, way: Way, repository: Repository): Way {
  const { backup, anchor } = before;
  return { ...way, backup, anchor, segments: segmentCount(repository, backup, way.located.target) };
}

/** Whether a server that is paused at `from` can still be moved to `to`. */
export function liesAhead(from: LocatedTarget['target'], to: LocatedTarget['target']): boolean {
  const order = compareLsn(to.lsn, from.lsn);
  return order > 0 || (order === 0 && (to.inclusive || !from.inclusive));
}

/** Into the evidence, once it is where the run goes. */
export function recordWay(run: RecoveryRun, { located, backup, segments }: Way): void {
  const { lsn, timeline } = located.target;
  const { label, type, stoppedAt, bytes } = backup;
  run.record({
    backup: { label, type, stoppedAt, bytes },
    target: { lsn, timeline, ...(located.at === undefined ? {} : { at: located.at }), chosenBy: 'person' },
  });
  run.measure(
    'segments',
    segments,
    'segments',
    'WAL segments from the start of the backup to the target, all archived',
  );
}

/** @throws InputInvalid nothing that can be gone back to was said */
export function understood(said: string): WantedTarget {
  const target = readWantedTarget(said);
  if ('wrong' in target) throw failure('InputInvalid', `the target ${target.wrong}.`);
  return target;
}

/** @param wholeUntil everything that was committed up to this moment is in the archive */
export async function locate(
  run: Run,
  { primary, serverVersion, timeline, repository }: Recovering,
  said: string,
  wholeUntil: string | undefined,
): Promise<LocatedTarget> {
  const oldest = recoveryWindow(repository, [], timeline).from?.lsn;
  const { segmentBytes, systemIdentifier, timelines } = repository;
  return run.host(primary.host).locateTarget({
    backups: run.plan.backups.physical,
    scratch: placeOf(run, primary).scratch,
    segments: heldWithin(repository, neededEver(repository, timeline)),
    known: { segmentBytes, systemIdentifier, timelines: timelines.map((info) => ({ ...info, ranges: [] })) },
    serverVersion,
    timeline,
    target: understood(said),
    ...(oldest === undefined ? {} : { consistentFrom: oldest }),
    ...(wholeUntil === undefined ? {} : { wholeUntil }),
    outageWithinMs: run.patienceMs(),
  });
}

function leading(
  run: Run,
  repository: Repository,
  target: RecoveryTarget & { kind: 'lsn' },
): Found & { backup: BackupInfo; segments: number } {
  const { backup, passedOver } = chooseBackup(repository, target);
  if (backup === undefined)
    throw failure(
      'TargetOutsideWindow',
      `no backup ends before ${target.lsn}${passedOver.map(({ label, why }) => `; ${label}: ${why}`).join('')}. Choose a later target (lifeboat recovery-window ${run.plan.service}).`,
    );
  const missing = gaps(repository, backup, target);
  const segments = segmentCount(repository, backup, target);
  if (missing.length > 0)
    throw failure(
      'ArchiveGap',
      `${missing.length} of ${segments} WAL segments between backup ${backup.label} and ${target.lsn} are not in the archive: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}. Nothing after the first of them can be recovered from this backup: choose an earlier target, or bring the segments back.`,
    );
  return {
    backup,
    segments,
    found: `backup ${backup.label} (${backup.type}, ${formatBytes(backup.bytes)}, ended ${backup.stoppedAt}), the newest before the target; ${segments} of ${segments} WAL segments, timeline ${target.timeline}`,
    expected: 'a backup that ends before the target, and every segment from there',
  };
}
