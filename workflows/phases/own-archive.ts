/** Whether the archive is the service's own, and sound: a recovery from another one would end well, and be wrong. */
import type { Found, NewestCommit, Scratch, ServiceMoment } from '../../activities/shapes.ts';
import type { BackupInfo, RecoveryTarget, Repository } from '../../recovery/archive.ts';
import type { ContentFault } from '../../recovery/content.ts';
import { spansFor } from '../../recovery/continuity.ts';
import { contradictions } from '../../recovery/diagnosis.ts';
import { contains, edgesOf } from '../../recovery/needed.ts';
import { flaws, soundness } from '../../recovery/soundness.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

/** The repository is of the service's cluster, and its timelines lead without contradiction to the one that it writes on. */
export function soundArchive(run: Run, repository: Repository, service: ServiceMoment): Promise<Found> {
  return run.check(soundCheck, async () =>
    judged(run, repository, service.timeline, await notItsOwn(run, repository, service)),
  );
}

/** Where no server is left that could say which archive is its own. */
export function soundByItself(run: Run, repository: Repository, timeline: number): Promise<Found> {
  return run.check(soundCheck, async () => judged(run, repository, timeline, []));
}

const soundCheck = 'The timelines in the archive are sound';

function judged(run: Run, repository: Repository, timeline: number, contradicting: string[]): Found {
  const problems = [...contradicting, ...soundness(repository, timeline)];
  if (problems.length > 0) throw unsound(run, problems);
  const others = repository.timelines.filter((one) => one.id !== timeline).map((one) => one.id);
  const beside = others.length > 0 ? `, reached soundly; also present: ${others.join(', ')}` : ', and no other';
  const odd = [
    ...flaws(repository, timeline).map(({ seen }) => seen),
    ...repository.oddities.filter(({ kind }) => kind !== 'history-corrupt').map(({ why }) => why),
  ];
  const toSee =
    odd.length > 0 ? `. To look at (lifeboat archive ${run.plan.service}): ${odd.slice(0, 3).join('; ')}` : '';
  return {
    found: `timeline ${timeline}${beside}${toSee}`,
    expected: `one sound line of descent to timeline ${timeline}`,
  };
}

/** What was archived after the service was asked looks as if another server had archived it: then it is asked again. */
async function notItsOwn(run: Run, repository: Repository, service: ServiceMoment): Promise<string[]> {
  const found = (now: ServiceMoment) =>
    contradictions(repository, now).filter(({ kind }) => kind !== 'archiving-fails');
  if (found(service).length === 0) return [];
  const later = await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
  return found(later).map(({ seen }) => seen);
}

function unsound(run: Run, problems: string[]): Error {
  return failure(
    'ArchiveUnsound',
    `${problems.join('; ')}. Do not restore from it before this is understood: lifeboat archive ${run.plan.service}`,
  );
}

/**
 * The way from this backup to the target is sound, and the segments where it begins, ends and changes its timeline hold what their
 * names say. All others are read by the recovery itself.
 */
export function ownWal(
  run: Run,
  repository: Repository,
  scratch: Scratch,
  backup: BackupInfo,
  target: RecoveryTarget,
  name = 'The WAL is of this cluster and this branch',
): Promise<Found> {
  return run.check(name, async () => {
    const { segmentBytes, systemIdentifier, timelines, oddities } = repository;
    const spans = spansFor(repository, backup, target);
    const twice = oddities.filter(({ kind, name }) => kind === 'stored-twice' && contains(spans, name, segmentBytes));
    const problems = [...soundness(repository, target.timeline, [backup]), ...twice.map(({ why }) => why)];
    if (problems.length > 0) throw unsound(run, problems);
    const { faults, found } = await run.host(scratch.host).readSegments({
      backups: run.plan.backups.physical,
      scratch,
      segments: edgesOf(spans, segmentBytes).map((name) => ({ first: name, last: name })),
      known: { segmentBytes, systemIdentifier, timelines: timelines.map((info) => ({ ...info, ranges: [] })) },
      wholly: false,
      outageWithinMs: run.patienceMs(),
    });
    if (faults.length > 0) throw notAsNamed(run, faults);
    return { found, expected: 'at its edges and forks, WAL that is what its names say' };
  });
}

function notAsNamed(run: Run, faults: ContentFault[]): Error {
  const words = faults.map(({ seen }) => seen);
  if (faults.some(({ kind }) => kind !== 'damaged-segment')) return unsound(run, words);
  return failure(
    'BackupCorrupt',
    `${words.join('; ')}. Nothing after it can be recovered from this backup: take a new one (lifeboat backup ${run.plan.service} --type full), and find out what damaged it.`,
  );
}

/**
 * The service remembers the newest commit in the archive. Names, histories and system identifiers are the same where two servers were
 * promoted at the same point; what they have committed since is not.
 */
export function ownCommit(run: Run, commit: NewestCommit | undefined): Promise<Found> {
  return run.check("The newest commit in the archive is the service's own", async () => {
    if (commit?.transaction === undefined) return { found: 'no commit in the archive can be compared' };
    return run.control.ownCommit({
      frontDoor: run.plan.database.frontDoor,
      transaction: commit.transaction,
      at: commit.at,
    });
  });
}
