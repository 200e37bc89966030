/** Reads archived WAL for its commits. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatLsn, parseLsn } from '../../recovery/lsn.ts';
import { parseSegment, segmentName } from '../../recovery/segments.ts';
import { currentActivity } from '../current-activity.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { damage, damaged, waldump } from './waldump.ts';

interface Commit {
  /** Where its record starts: a recovery that includes it stops right after it. */
  lsn: string;
  at: string;
  /** 32 bits. */
  transaction: number;
}

export interface CommitSearch {
  /** Fetches a segment from the archive; `false` when the archive proves that it is not there. */
  fetch(segment: string, to: string): Promise<boolean>;
  lastSegment: string;
  firstSegment: string;
  segmentBytes: number;
}

/**
 * Reads the segments from the last one back until one holds a commit; `directory` is empty, and may hold two of them at a time.
 *
 * @throws ArchiveGap @throws BackupCorrupt @throws TargetOutsideWindow there is no commit
 */
export async function searchBack(
  search: CommitSearch,
  directory: string,
  permit: Permit,
  progress: { segment: string },
): Promise<Commit & { segment: string }> {
  const { segmentBytes, firstSegment } = search;
  const first = parseSegment(firstSegment, segmentBytes);
  const last = parseSegment(search.lastSegment, segmentBytes);
  let after: string | undefined;
  let timeline = last.timeline;
  for (let number = last.number; number >= first.number; number -= 1) {
    currentActivity()?.cancellationSignal.throwIfAborted();
    // Before a fork, the WAL lies on an older timeline, under its name.
    const found = await fetchOn(search, directory, number, timeline, first.timeline);
    progress.segment = found.segment;
    if (found.timeline !== timeline) after = undefined;
    timeline = found.timeline;
    const commit = await lastCommit(permit, directory, found.segment, after);
    if (commit !== undefined) return { ...commit, segment: found.segment };
    // A record that begins here and ends in the next segment needs both.
    if (after !== undefined) await rm(join(directory, after), { force: true });
    after = found.segment;
  }
  throw failure(
    'TargetOutsideWindow',
    `no commit lies in the archive between ${firstSegment} and ${search.lastSegment}: the service has written nothing since the backup. Start a pulse, or wait for a write.`,
  );
}

async function fetchOn(
  { fetch, segmentBytes }: CommitSearch,
  directory: string,
  number: number,
  newest: number,
  oldest: number,
): Promise<{ segment: string; timeline: number }> {
  for (let timeline = newest; timeline >= Math.max(1, oldest); timeline -= 1) {
    const segment = segmentName({ timeline, number }, segmentBytes);
    if (await fetch(segment, join(directory, segment))) return { segment, timeline };
  }
  const segment = segmentName({ timeline: newest, number }, segmentBytes);
  throw failure(
    'ArchiveGap',
    `segment ${segment} is not in the archive, though its listing says so. Run the assessment again; see whether something deletes from the repository.`,
  );
}

/** `... tx: 736, lsn: 0/0C000110, prev 0/0C0000D8, desc: COMMIT 2026-11-21 13:59:57.123456 UTC; ...`; of a prepared one, its own number. */
const commitRecord =
  /tx: +(\d+), lsn: ([0-9A-F]+\/[0-9A-F]+), .*desc: COMMIT(?:_PREPARED (\d+):)? (\d{4}-\d\d-\d\d) ([\d:.]+) UTC/;
/** Streams the records, which can be many; keeps the last. */
async function lastCommit(
  permit: Permit,
  directory: string,
  segment: string,
  after: string | undefined,
): Promise<Commit | undefined> {
  const words = ['--rmgr=Transaction', segment, ...(after === undefined ? [] : [after])];
  let newest: Commit | undefined;
  const { said } = await waldump(permit, directory, words, (line) => {
    const [, own, lsn, prepared, day, time] = commitRecord.exec(line) ?? [];
    if (lsn !== undefined)
      newest = { lsn: formatLsn(parseLsn(lsn)), at: `${day}T${time}Z`, transaction: Number(prepared ?? own) };
  });
  if (damage.test(said)) throw damaged(`segment ${segment}`, said);
  return newest;
}
