/** What a segment says of itself, and whether that is what its name and the timelines say. */
import type { Lsn, Repository } from './archive.ts';
import { formatLsn, lsnDistance, parseLsn } from './lsn.ts';
import { parseSegment, segmentAt, segmentNumberAt, segmentStart } from './segments.ts';
import { pathTo } from './timelines.ts';

/** The long header that begins each segment. */
export interface FirstPage {
  /** Of the first record: in the segment of a fork still the older one. */
  timeline: number;
  address: Lsn;
  systemIdentifier: string;
  segmentBytes: number;
}

/** The first record of a timeline, as pg_waldump reads it. */
export interface Promotion {
  lsn: Lsn;
  timeline: number;
  from: number;
  /** UTC, where the record tells it. */
  at?: string;
}

export interface ContentFault {
  kind: 'foreign-segment' | 'misplaced-segment' | 'other-branch' | 'fork-differs' | 'segment-size' | 'damaged-segment';
  segment: string;
  seen: string;
}

export type Known = Pick<Repository, 'segmentBytes' | 'systemIdentifier' | 'timelines'>;

/** Bytes of it that are read. */
export const firstPageBytes = 40;
const longHeader = 0x0002;

/**
 * @returns `undefined` for what is no WAL
 * @see PostgreSQL source, XLogLongPageHeaderData in src/include/access/xlog_internal.h
 */
export function readFirstPage(bytes: Uint8Array): FirstPage | undefined {
  if (bytes.byteLength < firstPageBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // WAL has the byte order of the server; the page magic of all releases since 8.3 is 0xD0.. or 0xD1...
  const little = [true, false].find((order) => [0xd0, 0xd1].includes(view.getUint16(0, order) >> 8));
  if (little === undefined || (view.getUint16(2, little) & longHeader) === 0) return undefined;
  return {
    timeline: view.getUint32(4, little),
    address: formatLsn(view.getBigUint64(8, little)),
    systemIdentifier: view.getBigUint64(24, little).toString(),
    segmentBytes: view.getUint32(32, little),
  };
}

/** What a segment's first page shows to be wrong. */
export function judgeFirstPage(known: Known, segment: string, page: FirstPage | undefined): ContentFault | undefined {
  const fault = (kind: ContentFault['kind'], seen: string): ContentFault => ({ kind, segment, seen });
  if (page === undefined) return fault('damaged-segment', `${segment} does not begin with a page of WAL`);
  if (page.systemIdentifier !== known.systemIdentifier)
    return fault(
      'foreign-segment',
      `${segment} was written by another cluster (system identifier ${page.systemIdentifier}, the backups' is ${known.systemIdentifier})`,
    );
  if (page.segmentBytes !== known.segmentBytes)
    return fault(
      'segment-size',
      `${segment} was written with segments of ${page.segmentBytes} bytes, expected ${known.segmentBytes}`,
    );
  const start = segmentStart(segment, known.segmentBytes);
  if (page.address !== start)
    return fault('misplaced-segment', `${segment} holds the WAL from ${page.address}, expected ${start}`);
  const expected = timelinesAt(known, parseSegment(segment, known.segmentBytes).timeline, start);
  if (expected.length > 0 && !expected.includes(page.timeline))
    return fault(
      'other-branch',
      `${segment} was written on timeline ${page.timeline}, where its history has timeline ${expected.join(' or ')}: it is of another branch`,
    );
  return undefined;
}

/** The timelines on which the first record of a page at this position can have been written; none when the history is not known. */
function timelinesAt(known: Known, timeline: number, lsn: Lsn): number[] {
  if (timeline > 1 && !known.timelines.some(({ id, hasHistory }) => id === timeline && hasHistory)) return [];
  return pathTo(known, timeline)
    .filter(({ from, until }) => lsnDistance(from, lsn) >= 0 && (until === undefined || lsnDistance(lsn, until) >= 0))
    .map((stretch) => stretch.timeline);
}

/** Where the archive should hold the first record of a timeline. */
export function forkSegment(known: Known, timeline: number): { segment: string; lsn: Lsn } | undefined {
  const lsn = known.timelines.find(({ id }) => id === timeline)?.forkLsn;
  return lsn === undefined ? undefined : { segment: segmentAt(lsn, timeline, known.segmentBytes), lsn };
}

/**
 * Whether a timeline begins where its history says: of two servers that were both promoted to one number, the archive may hold
 * the history of one and the WAL of the other.
 *
 * @param records the first few at the fork, oldest first: the promotion is the first of them, or follows what is written right before it
 * @see PostgreSQL source, PerformRecoveryXLogAction in src/backend/access/transam/xlog.c
 */
export function judgeFork(
  known: Known,
  timeline: number,
  records: readonly { lsn: Lsn; what: string; promotion?: Promotion }[],
): ContentFault | undefined {
  const info = known.timelines.find(({ id }) => id === timeline);
  const fork = forkSegment(known, timeline);
  if (info === undefined || fork === undefined) return undefined;
  const first = records[0];
  const place = records.findIndex((record) => record.promotion?.timeline === timeline);
  const promotion = records[place]?.promotion;
  const atOnce = records.slice(0, Math.max(0, place)).every(({ what }) => beforePromotion.includes(what));
  // A fork at the border of a page is told without the page's header.
  const begins = first !== undefined && lsnDistance(fork.lsn, first.lsn) <= headerAt(fork.lsn, known.segmentBytes);
  if (begins && atOnce && promotion?.from === info.parent) return undefined;
  const seen =
    promotion === undefined
      ? `holds no promotion to timeline ${timeline} there`
      : `holds the promotion to timeline ${timeline} at ${promotion.lsn}, from timeline ${promotion.from}`;
  return {
    kind: 'fork-differs',
    segment: fork.segment,
    seen: `the history says that timeline ${timeline} left timeline ${info.parent} at ${fork.lsn}, but ${fork.segment} ${seen}: they are of two servers`,
  };
}

/** Of a crash in mid-record, and of a changed setting: the new timeline's own, before its promotion is told. */
const beforePromotion: readonly string[] = ['OVERWRITE_CONTRECORD', 'FPW_CHANGE'];

const pageBytes = 8192n;

/** Bytes that a page begins with, before its first record; 0 inside of a page. */
export function headerAt(lsn: Lsn, segmentBytes: number): number {
  const at = parseLsn(lsn);
  if (at % pageBytes !== 0n) return 0;
  return at === BigInt(segmentNumberAt(lsn, segmentBytes)) * BigInt(segmentBytes) ? firstPageBytes : 24;
}
