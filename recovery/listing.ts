/** From the names of the files in an archive to its timelines. What no name explains is reported, never passed over. */
import type { Repository, SegmentRange, TimelineInfo } from './archive.ts';
import { parseHistory } from './history.ts';
import { isSegmentName, parseSegment, segmentAt, segmentName } from './segments.ts';

export interface ArchivedFile {
  /** Path below the archive of the stanza, `15-1/0000000100000000/000000010000000000000006-5ea8....zst`, or the bare name. */
  name: string;
  bytes: number;
}

export type ArchiveListing = Pick<Repository, 'timelines' | 'oddities'>;

const stored =
  /^(?<segment>[0-9A-F]{24})(?<partial>\.partial)?(?:-(?<checksum>[0-9a-f]{40}))?(?:\.(?:gz|lz4|zst|bz2|xz))?$/;
const backupLabel = /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/;
const history = /^([0-9A-F]{8})\.history$/;
const bookkeeping = /^archive\.info(\.copy)?$/;
/** `15-1`: server version and the cluster's number in the stanza; a new one begins after a major upgrade. */
const cluster = /^\d+(?:\.\d+)?-(\d+)$/;

interface Sorted {
  /** `segment -> checksums of its copies`. */
  segments: Map<string, Set<string>>;
  partials: string[];
  histories: Set<number>;
  oddities: string[];
}

/**
 * @param files a listing of the whole archive of one stanza (pgbackrest repo-ls --recurse)
 * @param histories contents of the history files, by name
 * @param segmentBytes bytes of one WAL segment
 */
export function readArchiveListing(
  files: ArchivedFile[],
  histories: Record<string, string>,
  segmentBytes: number,
): ArchiveListing {
  const sorted = sortFiles(files, segmentBytes);
  const contents = new Map(Object.entries(histories).map(([name, text]) => [baseName(name), text]));
  const numbers = byTimeline(sorted.segments.keys(), segmentBytes);
  const ids = [...new Set([...numbers.keys(), ...sorted.histories])].sort((a, b) => a - b);
  const oddities = [...sorted.oddities, ...twofold(sorted.segments)];
  const timelines = ids.map((id): TimelineInfo => {
    const ranges = rangesOf(id, numbers.get(id) ?? [], segmentBytes);
    const text = contents.get(historyName(id));
    if (text === undefined) {
      if (sorted.histories.has(id)) oddities.push(`${historyName(id)} is in the archive but could not be read`);
      return { id, ancestors: [], hasHistory: false, ranges };
    }
    const read = parseHistory(text, id);
    if ('problem' in read) {
      oddities.push(`${historyName(id)} is not a timeline history: ${read.problem}`);
      return { id, ancestors: [], hasHistory: false, ranges };
    }
    const left = read.ancestors.at(-1);
    return {
      id,
      ...(left && { parent: left.timeline, forkLsn: left.forkLsn }),
      ancestors: read.ancestors,
      hasHistory: true,
      ranges,
    };
  });
  return { timelines, oddities: [...oddities, ...strayPartials(sorted.partials, timelines, segmentBytes)].sort() };
}

export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

function sortFiles(files: ArchivedFile[], segmentBytes: number): Sorted {
  const sorted: Sorted = { segments: new Map(), partials: [], histories: new Set(), oddities: [] };
  for (const { name, bytes } of ofNewestCluster(files)) {
    const base = baseName(name);
    const { segment, partial, checksum = '' } = stored.exec(base)?.groups ?? {};
    const [, timeline] = history.exec(base) ?? [];
    if (bytes === 0) sorted.oddities.push(`${name} is empty`);
    else if (timeline !== undefined) sorted.histories.add(Number.parseInt(timeline, 16));
    else if (segment !== undefined && !possible(segment, segmentBytes))
      sorted.oddities.push(`${name} cannot exist with segments of ${segmentBytes} bytes`);
    else if (segment !== undefined && partial !== undefined) sorted.partials.push(segment);
    else if (segment !== undefined)
      sorted.segments.set(segment, (sorted.segments.get(segment) ?? new Set<string>()).add(checksum));
    else if (!backupLabel.test(base) && !bookkeeping.test(base))
      sorted.oddities.push(`${name} is not a file of a WAL archive`);
  }
  return sorted;
}

/** The WAL of the cluster before a major upgrade stays in the stanza until it expires; it is no part of this one. */
function ofNewestCluster(files: ArchivedFile[]): ArchivedFile[] {
  const numberOf = ({ name }: ArchivedFile): number | undefined => {
    const parts = name.split('/');
    const [, number] = cluster.exec(parts.length > 1 ? (parts[0] ?? '') : '') ?? [];
    return number === undefined ? undefined : Number(number);
  };
  const newest = files.reduce((highest, file) => Math.max(highest, numberOf(file) ?? 0), 0);
  return files.filter((file) => (numberOf(file) ?? newest) === newest);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function possible(segment: string, segmentBytes: number): boolean {
  try {
    return isSegmentName(segment) && parseSegment(segment, segmentBytes).timeline > 0;
  } catch {
    return false;
  }
}

function byTimeline(segments: Iterable<string>, segmentBytes: number): Map<number, number[]> {
  const numbers = new Map<number, number[]>();
  for (const segment of segments) {
    const { timeline, number } = parseSegment(segment, segmentBytes);
    const known = numbers.get(timeline);
    if (known) known.push(number);
    else numbers.set(timeline, [number]);
  }
  return numbers;
}

function rangesOf(timeline: number, numbers: number[], segmentBytes: number): SegmentRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open && number === open.last + 1) open.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => ({
    first: segmentName({ timeline, number: first }, segmentBytes),
    last: segmentName({ timeline, number: last }, segmentBytes),
    count: last - first + 1,
  }));
}

/** Two contents under one name: two servers have archived on the same timeline, and nobody can tell which is the right one. */
function twofold(segments: Map<string, Set<string>>): string[] {
  return [...segments]
    .filter(([, checksums]) => checksums.size > 1)
    .map(([segment, checksums]) => `${segment} is stored ${checksums.size} times with different content`);
}

/** A promotion leaves the last, unfinished segment of the old timeline as `.partial`; anywhere else it has no business. */
function strayPartials(partials: string[], timelines: TimelineInfo[], segmentBytes: number): string[] {
  const forks = new Set(
    timelines.flatMap(({ ancestors }) =>
      ancestors.map(({ timeline, forkLsn }) => segmentAt(forkLsn, timeline, segmentBytes)),
    ),
  );
  return partials
    .filter((segment) => !forks.has(segment))
    .map((segment) => `${segment}.partial lies where no timeline was left`);
}
