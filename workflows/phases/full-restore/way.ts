/** How far the archive alone leads: to the last commit that lies wholly in it, or to where a person has said. */
import type { LocatedTarget } from '../../../activities/contract.ts';
import type { NewestCommit } from '../../../activities/shapes.ts';
import type { BackupInfo, RecoveryTarget, Repository } from '../../../recovery/archive.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { segmentLastByte } from '../../../recovery/segments.ts';
import { pathTo, timelineAt } from '../../../recovery/timelines.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { heldOnPath } from '../find/window.ts';
import { placeOf, type Servers, type Way } from '../recovery/recovering.ts';
import { leading, locate, restOfWay } from '../recovery/way.ts';
import type { RestoreRun } from './restore-run.ts';

const newestSaid = 'the newest commit that the archive holds';

type Stood = Servers & { repository: Repository };
type Begun = Omit<Way, 'anchor'>;

export async function wayBack(run: RestoreRun, stood: Stood): Promise<Way> {
  const said = run.input.target;
  const begun = said === undefined ? await toNewest(run, stood) : await toChosen(run, stood, said);
  await inOnePiece(run, begun.backup);
  return restOfWay(run, stood, begun, 1);
}

async function toChosen(run: RestoreRun, stood: Stood, said: string): Promise<Begun> {
  const { repository } = stood;
  const located = await run.check('The target is found in the WAL', () => locate(run, stood, said, undefined));
  const { backup, segments } = await run.check('A backup and all WAL lead to the target', async () =>
    leading(run, repository, located.target),
  );
  return { said, located, backup, segments };
}

/** Every segment up to the last one of the newest timeline is wanted: what lies behind a gap would be given up in silence. */
async function toNewest(run: RestoreRun, stood: Stood): Promise<Begun> {
  const { repository, timeline } = stood;
  const path = pathTo(repository, timeline);
  const { backup, last } = await run.check('A backup and all WAL lead to the newest segment', async () => {
    const last = heldOnPath({ repository, timeline }).at(-1)?.last ?? '';
    // A backup may end in that very segment, and nothing be archived after it yet.
    const lsn = segmentLastByte(last, repository.segmentBytes);
    return { last, ...leading(run, repository, { kind: 'lsn', lsn, inclusive: true, timeline }) };
  });
  const located = await run.check('The newest commit in the archive is known', async () => {
    const commit = await newestCommit(run, stood, { first: backup.stopWal, last });
    return reaching(commit, backup, (lsn) => timelineAt(path, lsn) ?? timeline);
  });
  const { segments } = leading(run, repository, located.target);
  return { said: newestSaid, located, backup, segments };
}

/** Before its own end a backup is not consistent; nothing was committed in between, so nothing more is lost by going there. */
function reaching(
  commit: NewestCommit | undefined,
  backup: BackupInfo,
  timelineOf: (lsn: string) => number,
): LocatedTarget {
  const to = (lsn: string): RecoveryTarget & { kind: 'lsn' } => ({
    kind: 'lsn',
    lsn,
    inclusive: true,
    timeline: timelineOf(lsn),
  });
  const after = { transactions: 0 };
  if (commit === undefined || compareLsn(commit.lsn, backup.stopLsn) < 0)
    return {
      target: to(backup.stopLsn),
      at: backup.stoppedAt,
      after,
      found: `no commit since the end of backup ${backup.label} is in the archive: its end at ${backup.stopLsn} is the newest point`,
    };
  const { lsn, at, transaction, found } = commit;
  return { target: to(lsn), at, after, ...(transaction === undefined ? {} : { transaction }), found };
}

async function newestCommit(
  run: RestoreRun,
  { primary, timeline, repository }: Stood,
  { first, last }: { first: string; last: string },
): Promise<NewestCommit | undefined> {
  try {
    return await run.host(primary.host).newestCommit({
      backups: run.plan.backups.physical,
      scratch: placeOf(run, primary).scratch,
      timeline,
      firstSegment: first,
      lastSegment: last,
      segmentBytes: repository.segmentBytes,
      outageWithinMs: run.patienceMs(),
    });
  } catch (error) {
    if (failureOf(error).type !== 'TargetOutsideWindow') throw error;
    return undefined;
  }
}

/** A rename moves a data directory, and none of its tablespaces. */
async function inOnePiece(run: RestoreRun, backup: BackupInfo): Promise<void> {
  await run.check('The backup is of one piece', async () => {
    const { tablespaces } = backup;
    if (tablespaces.length > 0)
      throw failure(
        'NotReplaceable',
        `backup ${backup.label} holds ${tablespaces.length} tablespaces (${tablespaces.map(({ location }) => location).join(', ')}), which no rename would bring to their places. Restore it by hand: pgbackrest --stanza=${run.plan.backups.physical.stanza} --set=${backup.label} restore.`,
      );
    return { found: 'no tablespace lies outside of the data directory', expected: 'all data in one directory' };
  });
}
