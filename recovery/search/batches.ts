/** How much of a long stretch of WAL lies on the disk while it is read. */

const batchBytes = 128 * 1024 * 1024;
const mostInBatch = 64;

/** Segments that are fetched at once: while they are read, as many are on their way. */
export function batchOf(segmentBytes: number): number {
  return Math.max(1, Math.min(mostInBatch, Math.floor(batchBytes / segmentBytes)));
}

/** The batch that is read, the end of the one before, and the next one; bytes. */
export function roomToRead(segmentBytes: number): number {
  return (2 * batchOf(segmentBytes) + 2) * segmentBytes;
}
