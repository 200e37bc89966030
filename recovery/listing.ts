/** From the names of the files in an archive to its timelines. What no name explains is reported, never passed over. */
import type { Oddity, Repository, SegmentRange, TimelineInfo } from './archive.ts';
import { parseHistory } from './history.ts';
import { canExist, parseSegment, segmentAt, segmentName } from './segments.ts';

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

/** A damaged bucket can hold a million of them; nobody reads more than this. */
const mostStrangers = 100;

interface Sorted {
  /** `segment -> checksums of the files that hold it`. */
  segments: Map<string, string[]>;
  partials: string[];
  histories: Set<number>;
  oddities: Oddity[];
}

/**
 * @param files a listing of the whole archive of one stanza (pgbackrest repo-ls --recurse)
 * @param histories contents of the history files, by name
 * @param segmentBytes bytes of one WAL segment
 * @param folder `15-1`: the cluster's, as the tool itself knows it; without it the newest one that is listed
 */
export function readArchiveListing(
  files: ArchivedFile[],
  histories: Record<string, string>,
  segmentBytes: number,
  folder = newestFolder(files),
): ArchiveListing {
  const sorted = sortFiles(filesOfCluster(files, folder), folder, segmentBytes);
  const contents = new Map(Object.entries(histories).map(([name, text]) => [baseName(name), text]));
  const numbers = byTimeline(sorted.segments.keys(), segmentBytes);
  const ids = [...new Set([...numbers.keys(), ...sorted.histories])].sort((a, b) => a - b);
  const oddities = [...sorted.oddities, ...storedTwice(sorted.segments)];
  const timelines = ids.map((id): TimelineInfo => {
    const ranges = rangesOf(id, numbers.get(id) ?? [], segmentBytes);
    const read = readHistory(id, contents.get(historyName(id)), sorted.histories.has(id));
    if (read === undefined) return { id, ancestors: [], hasHistory: false, ranges };
    if ('problem' in read) {
      oddities.push({ kind: 'history-corrupt', name: historyName(id), why: `${historyName(id)} ${read.problem}` });
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
  const byWords = (a: Oddity, b: Oddity) => (a.why < b.why ? -1 : 1);
  return {
    timelines,
    oddities: [...oddities, ...strayPartials(sorted.partials, timelines, segmentBytes)].sort(byWords),
  };
}

function readHistory(
  timeline: number,
  text: string | undefined,
  listed: boolean,
): ReturnType<typeof parseHistory> | undefined {
  if (text === undefined) return listed ? { problem: 'is in the archive but could not be read' } : undefined;
  const read = parseHistory(text, timeline);
  return 'problem' in read ? { problem: `is not a timeline history: ${read.problem}` } : read;
}

export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

function sortFiles(files: ArchivedFile[], own: string | undefined, segmentBytes: number): Sorted {
  const sorted: Sorted = { segments: new Map(), partials: [], histories: new Set(), oddities: [] };
  const strangers: Oddity[] = [];
  for (const file of files) {
    const { name } = file;
    const base = baseName(name);
    const { segment, partial, checksum = '' } = stored.exec(base)?.groups ?? {};
    const [, timeline] = history.exec(base) ?? [];
    const strange = strangeness(file, own, segment, segmentBytes);
    if (strange !== undefined) strangers.push(strange);
    else if (timeline !== undefined) sorted.histories.add(Number.parseInt(timeline, 16));
    else if (segment !== undefined && partial !== undefined) sorted.partials.push(segment);
    else if (segment !== undefined) sorted.segments.set(segment, [...(sorted.segments.get(segment) ?? []), checksum]);
  }
  sorted.oddities.push(...strangers.slice(0, mostStrangers));
  const more = strangers.length - mostStrangers;
  if (more > 0) sorted.oddities.push({ kind: 'stranger', name: '', why: `and ${more} more files that are no WAL` });
  return sorted;
}

function strangeness(
  { name, bytes }: ArchivedFile,
  own: string | undefined,
  segment: string | undefined,
  segmentBytes: number,
): Oddity | undefined {
  const base = baseName(name);
  if (segment === undefined && !history.test(base) && !backupLabel.test(base) && !bookkeeping.test(base))
    return { kind: 'stranger', name, why: `${name} is not a file of a WAL archive` };
  if (bytes === 0) return { kind: 'stranger', name, why: `${name} is empty` };
  if (segment !== undefined && !canExist(segment, segmentBytes))
    return { kind: 'segment-size', name, why: `${name} cannot exist with segments of ${segmentBytes} bytes` };
  const folder = folderOf(base);
  if (own !== undefined && folder !== undefined && name !== [own, ...folder, base].join('/'))
    return { kind: 'stranger', name, why: `${name} lies in the wrong folder, where no recovery looks for it` };
  return undefined;
}

/** Below the cluster's folder: segments by the first 16 digits of their names, history files at its top. */
function folderOf(base: string): string[] | undefined {
  if (history.test(base)) return [];
  return /^[0-9A-F]{24}/.test(base) ? [base.slice(0, 16)] : undefined;
}

/**
 * The WAL of the cluster before a major upgrade stays in the stanza until it expires; it is no part of this one. A folder that
 * comes after the cluster's own is nobody's: its files are told as strangers.
 */
function filesOfCluster(files: ArchivedFile[], folder: string | undefined): ArchivedFile[] {
  const own = numberOf(folder);
  if (own === undefined) return files;
  return files.filter(({ name }) => (numberOf(topOf(name)) ?? own) >= own);
}

function newestFolder(files: ArchivedFile[]): string | undefined {
  const folders = [...new Set(files.map(({ name }) => topOf(name)))].filter((one) => numberOf(one) !== undefined);
  return folders.sort((a, b) => (numberOf(b) ?? 0) - (numberOf(a) ?? 0))[0];
}

function topOf(path: string): string | undefined {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined;
}

function numberOf(folder: string | undefined): number | undefined {
  const [, number] = cluster.exec(folder ?? '') ?? [];
  return number === undefined ? undefined : Number(number);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
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

function storedTwice(segments: Map<string, string[]>): Oddity[] {
  return [...segments]
    .filter(([, checksums]) => checksums.length > 1)
    .map(([name, checksums]) => ({
      kind: 'stored-twice',
      name,
      why: `${name} is stored ${checksums.length} times with ${new Set(checksums).size > 1 ? 'different' : 'the same'} content`,
    }));
}

/** A promotion leaves the last, unfinished segment of the old timeline as `.partial`; anywhere else it has no business. */
function strayPartials(partials: string[], timelines: TimelineInfo[], segmentBytes: number): Oddity[] {
  const forks = new Set(
    timelines.flatMap(({ ancestors }) =>
      ancestors.map(({ timeline, forkLsn }) => segmentAt(forkLsn, timeline, segmentBytes)),
    ),
  );
  return [...new Set(partials)]
    .filter((segment) => !forks.has(segment))
    .map((name) => ({ kind: 'stray-partial', name, why: `${name}.partial lies where no timeline was left` }));
}
