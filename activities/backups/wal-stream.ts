/** A long stretch of archived WAL, read record by record: fetched ahead in batches, so that it needs little room however long it is. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lsn } from '../../recovery/archive.ts';
import { formatLsn, parseLsn } from '../../recovery/lsn.ts';
import { batchOf } from '../../recovery/search/batches.ts';
import { type Line, readLine } from '../../recovery/search/records.ts';
import { parseSegment, segmentName, segmentNumberAt, segmentStart } from '../../recovery/segments.ts';
import { currentActivity } from '../current-activity.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { damaged, waldump } from './waldump.ts';

export interface Stretch {
  /** Of segments in the order of the WAL, across timelines, without a gap. */
  names: readonly string[];
  segmentBytes: number;
  /** Fetches one; `false` when the archive proves that it is not there. */
  fetch(segment: string, to: string): Promise<boolean>;
  /** server_version_num of the programs here. */
  serverVersion: number;
  /** Kinds of records that are read, or every record, whatever it says; absent: all that tells of rows, files and transactions. */
  records?: readonly string[] | 'all';
  /** How many are fetched and read at once; absent: as many as is fast. */
  atOnce?: number;
}

/** Fetched side by side: each is a process of its own, that mostly waits for the store. */
const sideBySide = 2;

/** A record that is read begins in one of the last segments of a batch when it goes on in the next batch: none is longer than one of them. */
const kept = 2;

/** Everything that tells of rows, of files and of transactions; of older programs all is printed, and passed over here. */
const managers = ['Heap', 'Heap2', 'Transaction', 'Storage', 'Database', 'Standby', 'XLOG'];
const severalManagersSince = 150_000;

/**
 * @param onRecord answers `false` when it has seen enough
 * @param onBatch called before segments are read: how many of all, the last of them included
 * @throws ArchiveGap @throws BackupCorrupt
 */
export async function readStretch(
  stretch: Stretch,
  directory: string,
  permit: Pick<Permit, 'postgresql'>,
  onRecord: (line: Line) => unknown,
  onBatch: (segments: number) => void = () => undefined,
): Promise<void> {
  const { segmentBytes, names } = stretch;
  const numberOf = (name: string) => parseSegment(name, segmentBytes).number;
  const timeline = Math.max(...names.map((name) => parseSegment(name, segmentBytes).timeline));
  // All under one timeline's name: pg_waldump reads only such a row of files, and a record may go on across a fork.
  const fileOf = (number: number) => segmentName({ timeline, number }, segmentBytes);
  const over = { yet: false };
  const fetch = (batch: readonly string[]) =>
    promised(fetchAll(stretch, batch, (name) => join(directory, fileOf(numberOf(name))), over));
  const { atOnce = batchOf(segmentBytes) } = stretch;
  const firstBatch = Math.min(soonBatch, atOnce);
  let here: number[] = [];
  let seen: Lsn | undefined;
  let from = 0;
  let ahead = fetch(names.slice(0, firstBatch));
  try {
    for (let count = firstBatch; from < names.length; count = atOnce) {
      await ahead.done;
      const batch = names.slice(from, from + count);
      from += batch.length;
      ahead = fetch(names.slice(from, from + atOnce));
      here = [...here, ...batch.map(numberOf)];
      onBatch(from);
      const [first = 0, last = first] = [here[0], here.at(-1)];
      const reading = { first: fileOf(first), last: fileOf(last), seen, stretch };
      const read = await readBatch(reading, directory, permit, onRecord);
      seen = read.last ?? seen;
      if (read.enough) return;
      // A record that begins in the last segments and ends in the next batch is read once more, from where it begins.
      const oldest = Math.max(first, last - kept + 1);
      if (seen === undefined || segmentNumberAt(seen, segmentBytes) < oldest)
        seen = segmentStart(fileOf(oldest), segmentBytes);
      const keepFrom = segmentNumberAt(seen, segmentBytes);
      for (const number of here) if (number < keepFrom) await rm(join(directory, fileOf(number)), { force: true });
      here = here.filter((number) => number >= keepFrom);
    }
  } finally {
    // Nothing may be written any more into a directory that is removed.
    over.yet = true;
    await ahead.done.catch(() => undefined);
  }
}

/** Reading begins soon. */
const soonBatch = 2;

/** Its failure is met where it is awaited, also when that is much later. */
function promised(work: Promise<void>): { done: Promise<void> } {
  work.catch(() => undefined);
  return { done: work };
}

async function fetchAll(
  { fetch }: Stretch,
  names: readonly string[],
  fileOf: (name: string) => string,
  over: { yet: boolean },
): Promise<void> {
  const waiting = [...names];
  const one = async () => {
    for (let name = waiting.shift(); name !== undefined && !over.yet; name = waiting.shift()) {
      currentActivity()?.cancellationSignal.throwIfAborted();
      if (!(await fetch(name, fileOf(name)))) throw gone(name);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: sideBySide }, one));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function gone(segment: string): Error {
  return failure(
    'ArchiveGap',
    `segment ${segment} is not in the archive, though its listing says so. Search again; see whether something deletes from the repository.`,
  );
}

interface Batch {
  /** Names of files. */
  first: string;
  last: string;
  /** The last record that was handed over: it is read again, and not handed over again. Or where none was for long, a segment's start. */
  seen: Lsn | undefined;
  stretch: Stretch;
}

async function readBatch(
  { first, last, seen, stretch }: Batch,
  directory: string,
  permit: Pick<Permit, 'postgresql'>,
  onRecord: (line: Line) => unknown,
): Promise<{ last: Lsn | undefined; enough: boolean }> {
  const { serverVersion, records = managers } = stretch;
  const words = [
    ...(records !== 'all' && serverVersion >= severalManagersSince ? records.map((name) => `--rmgr=${name}`) : []),
    ...(seen === undefined ? [] : [`--start=${seen}`]),
    ...[first, last],
  ];
  const from = seen === undefined ? undefined : parseLsn(seen);
  let behind = from !== undefined;
  let newest: Lsn | undefined;
  const { code, said, stopped } = await waldump(permit, directory, words, (text) => {
    const line = readLine(text);
    if (line === undefined) return;
    if (behind && from !== undefined && parseLsn(line.lsn) <= from) return;
    behind = false;
    newest = line.lsn;
    return line.record === undefined && records !== 'all' ? undefined : onRecord(line);
  });
  // Asked up to the end of a segment, it ends well there, also when a record goes on in the next one.
  if (code !== 0) throw damaged(`the WAL between ${first} and ${last}`, said);
  return { last: newest === undefined ? undefined : formatLsn(parseLsn(newest)), enough: stopped };
}
