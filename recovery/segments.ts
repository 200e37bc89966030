/**
 * Names of WAL segments: 8 hexadecimal digits each for the timeline, the upper half of the position, and the segment within it.
 * How many segments a 4 GB "log" has depends on their size, so a name means nothing without it.
 * @see PostgreSQL source, src/include/access/xlog_internal.h
 */
import type { Lsn } from './archive.ts';
import { formatLsn, parseLsn } from './lsn.ts';

const pattern = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;
const megabyte = 1024 * 1024;
const log = 2 ** 32;

export interface Segment {
  timeline: number;
  /** Counted from the start of the WAL; the same number exists on every timeline that got so far. */
  number: number;
}

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');

/** PostgreSQL allows powers of two from 1 MB to 1 GB (initdb --wal-segsize). */
function segmentsInLog(segmentBytes: number): number {
  if (segmentBytes < megabyte || segmentBytes > 1024 * megabyte || !Number.isInteger(Math.log2(segmentBytes)))
    throw new RangeError(`${segmentBytes} bytes is not a size of a WAL segment: expected a power of two, 1 MB to 1 GB`);
  return log / segmentBytes;
}

export function isSegmentName(name: string): boolean {
  return pattern.test(name);
}

/** @throws RangeError the name is no segment, or cannot exist at this segment size */
export function parseSegment(name: string, segmentBytes: number): Segment {
  const perLog = segmentsInLog(segmentBytes);
  const [, timeline = '', upper = '', lower = ''] = pattern.exec(name) ?? [];
  const within = Number.parseInt(lower, 16);
  if (timeline === '') throw new RangeError(`"${name}" is not the name of a WAL segment`);
  if (within >= perLog)
    throw new RangeError(`segment ${name} cannot exist with segments of ${segmentBytes / megabyte} MB`);
  return { timeline: Number.parseInt(timeline, 16), number: Number.parseInt(upper, 16) * perLog + within };
}

/** Of another size there are other names, and no timeline has the number 0. */
export function canExist(name: string, segmentBytes: number): boolean {
  try {
    return parseSegment(name, segmentBytes).timeline > 0;
  } catch {
    return false;
  }
}

/** The same at every size. */
export function timelineOf(name: string): number {
  return Number.parseInt(name.slice(0, 8), 16);
}

export function segmentName({ timeline, number }: Segment, segmentBytes: number): string {
  const perLog = segmentsInLog(segmentBytes);
  if (!Number.isInteger(number) || number < 0 || number >= log * perLog)
    throw new RangeError(`${number} is not the number of a WAL segment`);
  return hex(timeline) + hex(Math.floor(number / perLog)) + hex(number % perLog);
}

/** Number of the segment that holds the byte at this position. */
export function segmentNumberAt(lsn: Lsn, segmentBytes: number): number {
  segmentsInLog(segmentBytes);
  return Number(parseLsn(lsn) / BigInt(segmentBytes));
}

/** Name of the segment that holds the byte at this position. */
export function segmentAt(lsn: Lsn, timeline: number, segmentBytes: number): string {
  return segmentName({ timeline, number: segmentNumberAt(lsn, segmentBytes) }, segmentBytes);
}

/** Position of a segment's first byte. */
export function segmentStart(name: string, segmentBytes: number): Lsn {
  return formatLsn(BigInt(parseSegment(name, segmentBytes).number) * BigInt(segmentBytes));
}

/** Position of the first byte after a segment. */
export function segmentEnd(name: string, segmentBytes: number): Lsn {
  return formatLsn(BigInt(parseSegment(name, segmentBytes).number + 1) * BigInt(segmentBytes));
}

/** Position of a segment's last byte. */
export function segmentLastByte(name: string, segmentBytes: number): Lsn {
  return formatLsn(parseLsn(segmentEnd(name, segmentBytes)) - 1n);
}

export function nextSegment(name: string, segmentBytes: number): string {
  const { timeline, number } = parseSegment(name, segmentBytes);
  return segmentName({ timeline, number: number + 1 }, segmentBytes);
}

/** Names of all segments of a range, in order. */
export function namesOf({ first, last }: { first: string; last: string }, segmentBytes: number): string[] {
  const { timeline, number } = parseSegment(first, segmentBytes);
  const count = parseSegment(last, segmentBytes).number - number + 1;
  return Array.from({ length: count }, (_, index) => segmentName({ timeline, number: number + index }, segmentBytes));
}
