/** Reads archived WAL for the transactions that look like a disaster. */
import { formatClock, formatCount, formatNumberOf } from '../../evidence/format.ts';
import type { Line } from '../../recovery/search/records.ts';
import { Tally } from '../../recovery/search/tally.ts';
import { namesOf } from '../../recovery/segments.ts';
import type { HostReads } from '../contract.ts';
import { beating } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import type { WalSearched } from '../shapes.ts';
import { fetchOwn } from './fetch-own.ts';
import { inReadingRoom } from './reading-room.ts';
import { readStretch, type Stretch } from './wal-stream.ts';

/** Times of commits are not in their order: one that took its time first may commit last. */
const timesMayDifferMs = 5_000;

/**
 * Everything that was committed between two moments, counted; memory and room stay the same however much WAL that is.
 *
 * @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnsound a segment is of another cluster or branch @throws ArchiveUnreachable
 */
export async function searchWal(ask: Parameters<HostReads['searchWal']>[0]): Promise<WalSearched> {
  const { known, serverVersion } = ask;
  const { segmentBytes } = known;
  const names = ask.segments.flatMap((range) => namesOf(range, segmentBytes));
  const tally = new Tally({ fromMs: Date.parse(ask.from), toMs: Date.parse(ask.to), leastRows: ask.leastRows });
  let read = 0;
  const started = performance.now();
  await inReadingRoom(ask, async (places, permit) => {
    const stretch = { names, segmentBytes, serverVersion, fetch: fetchOwn(ask) };
    await beating(
      () => ({ line: progressWords(read, names.length, tally) }),
      () =>
        countStretch(stretch, places.wal, permit, tally, (count) => {
          read = count;
        }),
    );
  });
  const { suspects, leftOut } = tally.result;
  return {
    suspects,
    leftOut,
    read,
    transactions: tally.commits,
    tookMs: Math.round(performance.now() - started),
    ...(tally.last === undefined ? {} : { upTo: tally.last }),
    found: `${formatNumberOf(read, 'segment')} read, ${formatNumberOf(tally.commits, 'transaction')} committed in that time; ${formatCount(suspects.length)} of them are looked at closer`,
    expected: 'all WAL of that time',
  };
}

/** Reads until it is past the tally's time. @throws as readStretch does */
export function countStretch(
  stretch: Stretch,
  directory: string,
  permit: Pick<Permit, 'postgresql'>,
  tally: Tally,
  onBatch?: (segments: number) => void,
): Promise<void> {
  const pastMs = tally.toMs + timesMayDifferMs;
  const count = ({ record, lsn }: Line) => {
    if (record === undefined) return;
    tally.add(record, lsn);
    if (record.what === 'end' && Date.parse(record.end.at) > pastMs) return false;
  };
  return readStretch(stretch, directory, permit, count, onBatch);
}

/** `segment 37 of 120, 14:02:11Z, 3 findings` */
function progressWords(read: number, of: number, { last, findings }: Tally): string {
  const at = last === undefined ? '' : `, ${formatClock(last)}Z`;
  return `segment ${read} of ${of}${at}, ${formatNumberOf(findings, 'finding')}`;
}
