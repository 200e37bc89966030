/** Archived WAL, record by record: fetched, seen to be of this cluster and branch, read, and gone again. */
import { judgeFirstPage, type Known, readFirstPage } from '../../recovery/content.ts';
import type { Line } from '../../recovery/search/records.ts';
import { namesOf } from '../../recovery/segments.ts';
import type { HostReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import { backupKind } from './kind.ts';
import { firstBytes } from './read-segments.ts';
import { inReadingRoom } from './reading-room.ts';
import { readStretch } from './wal-stream.ts';

type Ask = Omit<Parameters<HostReads['searchWal']>[0], 'from' | 'to' | 'leastRows'>;

interface Reading {
  /** Answers `false` when it has seen enough. */
  onRecord: (line: Line) => unknown;
  /** For people: so many of all segments. */
  words: (read: number, of: number) => string;
}

/**
 * Memory and room stay the same however much WAL it is.
 *
 * @throws ArchiveGap @throws BackupCorrupt @throws ArchiveUnsound a segment is of another cluster or branch @throws ArchiveUnreachable
 */
export async function readArchived(ask: Ask, { onRecord, words }: Reading): Promise<{ read: number }> {
  const { known, serverVersion } = ask;
  const { segmentBytes } = known;
  const names = ask.segments.flatMap((range) => namesOf(range, segmentBytes));
  const outage = new Outage('ArchiveUnreachable', ask);
  const kind = backupKind(ask.backups);
  let read = 0;
  await inReadingRoom(ask, async (places, permit) => {
    const stretch = {
      names,
      segmentBytes,
      serverVersion,
      fetch: async (segment: string, to: string) => {
        const there = await outage.waitOut(() => kind.fetchWal(ask.backups, segment, to));
        if (there) await refuseStrange(known, segment, to);
        return there;
      },
    };
    await beating(
      () => ({ line: words(read, names.length) }),
      () =>
        readStretch(stretch, places.wal, permit, onRecord, (count) => {
          read = count;
        }),
    );
  });
  return { read };
}

/** What another cluster has written would be counted, and mean nothing. */
async function refuseStrange(known: Known, segment: string, file: string): Promise<void> {
  const fault = judgeFirstPage(known, segment, readFirstPage(await firstBytes(file)));
  if (fault === undefined) return;
  throw failure(
    fault.kind === 'damaged-segment' ? 'BackupCorrupt' : 'ArchiveUnsound',
    `${fault.seen}; expected WAL of this cluster and this branch. See what else is wrong with the archive: lifeboat archive`,
  );
}
