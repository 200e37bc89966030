/** Which part of an archive a recovery now would read, and which part is worth reading to judge the rest. */
import type { BackupInfo, Lsn, Repository, SegmentRange } from './archive.ts';
import { chooseBackup } from './choice.ts';
import { heldOf, newestNumber, type Span, segmentsNeeded } from './continuity.ts';
import { isSegmentName, parseSegment, segmentAt, segmentName } from './segments.ts';
import { pathTo } from './timelines.ts';
import type { WantedTarget } from './wanted-target.ts';
import { recoveryWindow } from './window.ts';

/** From the newest backup that can be recovered to the newest segment; all of the way when there is none. */
export function neededNow(repository: Repository, timeline: number): Span[] {
  return neededFrom(
    repository,
    timeline,
    recoveryWindow(repository, [], timeline)
      .reaches.filter(({ to }) => to)
      .at(-1)?.backup,
  );
}

/** From the oldest backup on the way. */
export function neededEver(repository: Repository, timeline: number): Span[] {
  return neededFrom(repository, timeline, recoveryWindow(repository, [], timeline).reaches[0]?.backup);
}

function neededFrom(repository: Repository, timeline: number, backup: BackupInfo | undefined): Span[] {
  const { segmentBytes } = repository;
  const path = pathTo(repository, timeline);
  const first = backup === undefined ? 0 : parseSegment(backup.startWal, segmentBytes).number;
  return segmentsNeeded(path, first, Math.max(first, newestNumber(repository, path) ?? 0), segmentBytes);
}

/**
 * What is read to locate a target. For a moment and a position from the very backup that would be recovered: in older WAL a clock that was set
 * may show a later moment. For all else from the oldest one that can be recovered; what lies before its end is no target.
 */
export function neededToLocate(
  repository: Repository,
  timeline: number,
  wanted: WantedTarget,
): { segments: Pick<SegmentRange, 'first' | 'last'>[]; consistentFrom?: Lsn } {
  const oldest = recoveryWindow(repository, [], timeline).reaches.find(({ to }) => to !== undefined)?.backup;
  const backup =
    (wanted.kind === 'time' || wanted.kind === 'lsn' ? chosenFor(repository, timeline, wanted) : undefined) ?? oldest;
  return {
    segments: heldWithin(repository, neededFrom(repository, timeline, backup)),
    ...(oldest && { consistentFrom: oldest.stopLsn }),
  };
}

function chosenFor(
  repository: Repository,
  timeline: number,
  wanted: Extract<WantedTarget, { kind: 'time' | 'lsn' }>,
): BackupInfo | undefined {
  return chooseBackup(repository, { ...wanted, timeline }).backup;
}

/** Whether a segment, by name, lies in one of the spans. */
export function contains(spans: readonly Span[], name: string, segmentBytes: number): boolean {
  const segment = name.slice(0, 24);
  if (!isSegmentName(segment)) return false;
  const { timeline, number } = parseSegment(segment, segmentBytes);
  return spans.some((span) => span.timeline === timeline && span.first <= number && number <= span.last);
}

/** First and last segment of each span: where a recovery begins, ends, and changes its timeline. */
export function edgesOf(spans: readonly Span[], segmentBytes: number): string[] {
  const edges = spans.flatMap(({ timeline, first, last }) =>
    [first, last].map((number) => segmentName({ timeline, number }, segmentBytes)),
  );
  return [...new Set(edges)];
}

/** Commits are rarely farther apart. */
const mostLookedBack = 64;

/** The unbroken run that ends with this segment, as far back as it is worth looking. */
export function runBefore(repository: Repository, last: string): { first: string; last: string } | undefined {
  const { segmentBytes } = repository;
  const { timeline, number } = parseSegment(last, segmentBytes);
  const run = heldOf(repository, timeline).find((held) => held.first <= number && number <= held.last);
  if (run === undefined) return undefined;
  const first = Math.max(run.first, number - mostLookedBack);
  return { first: segmentName({ timeline, number: first }, segmentBytes), last };
}

/** More are a matter of minutes. */
const mostEdges = 64;

/**
 * Segments that tell most for their reading: where an unbroken run begins and ends, where a timeline begins, and where a backup
 * does. What one server has archived is unbroken, so a stranger stands at an edge or replaces a segment inside of a run; the
 * latter only a reading of the whole finds. Those on the way to `timeline` come first.
 */
export function segmentsWorthReading(repository: Repository, timeline: number): string[] {
  const { segmentBytes, backups, timelines } = repository;
  const onWay = new Set(pathTo(repository, timeline).map((stretch) => stretch.timeline));
  const edges = timelines.flatMap(({ id, forkLsn, ranges }) => [
    ...(forkLsn === undefined ? [] : [segmentAt(forkLsn, id, segmentBytes)]),
    ...ranges.flatMap(({ first, last }) => [last, first]),
  ]);
  const wanted = new Set([...edges, ...backups.flatMap(({ startWal, stopWal }) => [startWal, stopWal])]);
  const readable = [...wanted].filter((name) => canBeRead(repository, name));
  const newestFirst = readable.sort().reverse();
  const of = (name: string) => onWay.has(parseSegment(name, segmentBytes).timeline);
  return [...newestFirst.filter(of), ...newestFirst.filter((name) => !of(name))].slice(0, mostEdges);
}

/** All that the archive holds of these spans. */
export function heldWithin(repository: Repository, spans: readonly Span[]): Pick<SegmentRange, 'first' | 'last'>[] {
  const { segmentBytes } = repository;
  return spans.flatMap(({ timeline, first, last }) =>
    heldOf(repository, timeline)
      .map((held) => ({ first: Math.max(first, held.first), last: Math.min(last, held.last) }))
      .filter((held) => held.first <= held.last)
      .map((held) => ({
        first: segmentName({ timeline, number: held.first }, segmentBytes),
        last: segmentName({ timeline, number: held.last }, segmentBytes),
      })),
  );
}

function canBeRead(repository: Repository, name: string): boolean {
  const { timeline, number } = parseSegment(name, repository.segmentBytes);
  const held = heldOf(repository, timeline).some(({ first, last }) => first <= number && number <= last);
  return held && !repository.oddities.some((odd) => odd.kind === 'stored-twice' && odd.name === name);
}
