/** What a search stands on: the archive, the host that reads it, the stretch of time. Works while the service itself is down. */
import { isCancellation } from '@temporalio/workflow';
import type { Found, Scratch, ServiceMoment } from '../../../activities/shapes.ts';
import type { Repository, SegmentRange } from '../../../recovery/archive.ts';
import { clocksMayDifferMs } from '../../../recovery/clocks.ts';
import { newestNumber, segmentsNeeded } from '../../../recovery/continuity.ts';
import { heldWithin, runBefore } from '../../../recovery/needed.ts';
import { roomToRead } from '../../../recovery/search/batches.ts';
import { pathTo } from '../../../recovery/timelines.ts';
import type { FindInput } from '../../messages.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { scratchName } from '../scratch-name.ts';

export interface Around {
  scratch: Scratch;
  /** Absent when it does not answer. */
  service?: ServiceMoment;
  repository: Repository;
  /** The one that the service writes on; when it does not answer, the newest in the archive. */
  timeline: number;
  /** Of the programs on the host. */
  serverVersion: number;
}

export interface Window {
  from: string;
  to: string;
  /** In the order of the WAL, without a gap. */
  segments: Pick<SegmentRange, 'first' | 'last'>[];
  notes: string[];
}

/** PostgreSQL's own size, for an archive that holds no segment to tell it. */
export const usualSegmentBytes = 16 * 1024 * 1024;

export async function surroundings(run: Run<FindInput>): Promise<Around> {
  const { plan } = run;
  const { host, directory, keepFree } = plan.drills.monthly;
  const scratch: Scratch = { host, directory: `${directory}/${scratchName()}`, service: plan.service };
  const backups = plan.backups.physical;
  const { service } = await run.check('The service is asked', () => askService(run));
  const { serverVersion } = await run.check('The host that reads the archive is ready', () =>
    run.host(host).hostFacts({ backups, scratch }),
  );
  const segmentBytes =
    service?.segmentBytes ??
    (await run.check('The size of a WAL segment is known', () => run.host(host).segmentSize({ backups, scratch })))
      .segmentBytes ??
    usualSegmentBytes;
  const { found: _words, ...repository } = await run.check('The WAL archive answers', () =>
    run.host(host).repository({ backups, segmentBytes, outageWithinMs: run.patienceMs() }),
  );
  await run.check('There is room to read the WAL', () =>
    run.host(host).roomFor({ scratch, bytes: roomToRead(segmentBytes), keepFree }),
  );
  const timeline = service?.timeline ?? Math.max(1, ...repository.timelines.map(({ id }) => id));
  return { scratch, ...(service && { service }), repository, timeline, serverVersion };
}

/** It may be what is broken: then the archive itself must tell. */
async function askService(run: Run): Promise<Found & { service?: ServiceMoment }> {
  try {
    const service = await run.controlWithin(2).serviceMoment({ frontDoor: run.plan.database.frontDoor });
    return { service, found: service.found };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    if (type !== 'DatabaseUnreachable' && type !== 'NotPrimary') throw error;
    return { found: `it does not answer (${message}): the newest timeline in the archive is searched` };
  }
}

const hourMs = 3_600_000;

/** The moments that were asked for, or the last hour that the archive has; and the segments that hold what was committed then. */
export async function windowOf(run: Run<FindInput>, around: Around): Promise<Window> {
  const { from, to, notes } = await run.check('The time to search is known', () => moments(run, around));
  const { scratch, repository, timeline } = around;
  const { segmentBytes } = repository;
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  const onPath = repository.backups.filter((one) => one.timeline <= timeline);
  const early = onPath.filter(({ stoppedAt }) => Date.parse(stoppedAt) < fromMs - clocksMayDifferMs).at(-1);
  const late = onPath.find(({ startedAt }) => Date.parse(startedAt) > toMs + clocksMayDifferMs);
  const { segments, whole } = await run.check('The segments of that time are known', () =>
    run.host(scratch.host).segmentsBetween({
      backups: run.plan.backups.physical,
      scratch,
      segments: heldOnPath(around),
      segmentBytes,
      from,
      to,
      ...(early && { notAfter: early.stopWal }),
      ...(late && { notBefore: late.startWal }),
      outageWithinMs: run.patienceMs(),
    }),
  );
  const cut = whole
    ? []
    : [`a transaction had begun long before ${segments[0]?.first}: what it did before that segment is not counted`];
  return { from, to, segments, notes: [...notes, ...cut] };
}

/** All segments on the way to a timeline that are in the archive, in the order of the WAL. @throws ArchiveGap there are none */
export function heldOnPath({ repository, timeline }: Pick<Around, 'repository' | 'timeline'>) {
  const path = pathTo(repository, timeline);
  const newest = newestNumber(repository, path);
  if (newest === undefined)
    throw failure(
      'ArchiveGap',
      `the archive holds no WAL segment on the way to timeline ${timeline}. See whether archiving works: select * from pg_stat_archiver.`,
    );
  return heldWithin(repository, segmentsNeeded(path, 0, newest, repository.segmentBytes));
}

async function moments(run: Run<FindInput>, around: Around): Promise<Found & Pick<Window, 'from' | 'to' | 'notes'>> {
  const { from, to } = run.input;
  const now = around.service?.at ?? new Date(Date.now()).toISOString();
  for (const [name, at] of Object.entries({ from, to }))
    if (at !== undefined && Date.parse(at) > Date.parse(now) + clocksMayDifferMs)
      throw failure(
        'InputInvalid',
        `"${name}" (${at}) lies in the future: it is ${now} now. Give a moment that has passed.`,
      );
  const newest = await newestMoment(run, around);
  // A commit's own moment has microseconds: the last one of all must be in it.
  const until = to ?? new Date(Date.parse(newest) + 1).toISOString();
  const since = from ?? notBeforeArchive(around, new Date(Date.parse(until) - hourMs).toISOString());
  if (Date.parse(since) >= Date.parse(until))
    throw failure(
      'InputInvalid',
      `"from" (${since}) is not before "to" (${until}): the archive ends at ${newest}. Give an earlier moment.`,
    );
  const ends = Date.parse(newest) < Date.parse(until);
  return {
    from: since,
    to: until,
    notes: ends
      ? [`the archive ends at ${newest}: what was committed after that is not archived yet, and was not read`]
      : [],
    found: `from ${since} to ${until}; the newest commit in the archive is of ${newest}`,
    expected: 'a stretch of time that has passed',
  };
}

/** An hour is only what is usual: of a younger archive, all since its oldest backup. */
function notBeforeArchive({ repository }: Around, since: string): string {
  const stops = repository.backups.map(({ stoppedAt }) => stoppedAt).sort((a, b) => Date.parse(a) - Date.parse(b));
  const [oldest] = stops;
  return oldest !== undefined && Date.parse(oldest) > Date.parse(since) ? oldest : since;
}

async function newestMoment(run: Run, around: Around): Promise<string> {
  const { scratch, repository, timeline } = around;
  const last = heldOnPath(around).at(-1)?.last ?? '';
  const { at } = await run.host(scratch.host).newestCommit({
    backups: run.plan.backups.physical,
    scratch,
    timeline,
    firstSegment: runBefore(repository, last)?.first ?? last,
    lastSegment: last,
    segmentBytes: repository.segmentBytes,
    outageWithinMs: run.patienceMs(),
  });
  return at;
}
