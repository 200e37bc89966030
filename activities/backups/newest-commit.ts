/** The newest commit that the archive holds: the farthest point that a recovery can be told to reach. */
import type { HostReads } from '../contract.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import type { NewestCommit } from '../shapes.ts';
import { searchBack } from './commits.ts';
import { backupKind } from './kind.ts';
import { inReadingRoom } from './reading-room.ts';

/**
 * The last commit record that lies wholly inside the archived segments, from `lastSegment` back to `firstSegment`. (The end of the last
 * segment is no target: the server would look for a record after it, and die.)
 *
 * @throws ArchiveGap a segment is not there @throws BackupCorrupt a segment is damaged @throws TargetOutsideWindow there is no commit
 */
export async function newestCommit(ask: Parameters<HostReads['newestCommit']>[0]): Promise<NewestCommit> {
  const progress = { segment: ask.lastSegment };
  // One budget of waiting for all the segments that are fetched.
  const outage = new Outage('ArchiveUnreachable', ask);
  const fetch = (segment: string, to: string) =>
    outage.waitOut(() => backupKind(ask.backups).fetchWal(ask.backups, segment, to));
  const commit = await inReadingRoom(ask, (places, permit) =>
    beating(
      () => ({ reading: progress.segment }),
      () => searchBack({ ...ask, fetch }, places.wal, permit, progress),
    ),
  );
  return {
    ...commit,
    found: `the newest commit in the archive is at ${commit.lsn}, of ${commit.at}, in segment ${commit.segment}`,
    expected: 'a commit record that lies wholly inside the archive',
  };
}
