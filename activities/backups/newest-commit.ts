/** The newest commit that the archive holds: the farthest point that a recovery can be told to reach. */
import { readdir, rm } from 'node:fs/promises';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { NewestCommit, Patience, Scratch } from '../contract.ts';
import { beating } from '../heartbeat.ts';
import { Outage } from '../outage.ts';
import { claim, madeBy } from '../postgres/made-by.ts';
import { empty, permittedPlaces } from '../postgres/scratch.ts';
import { searchBack } from './commits.ts';
import { backupKind } from './kind.ts';

interface Ask extends Patience {
  backups: PhysicalBackups;
  scratch: Scratch;
  timeline: number;
  lastSegment: string;
  firstSegment: string;
  segmentBytes: number;
  key?: string;
}

/**
 * The last commit record that lies wholly inside the archived segments, from `lastSegment` back to `firstSegment`. (The end of the last
 * segment is no target: the server would look for a record after it, and die.)
 *
 * @throws ArchiveGap a segment is not there @throws BackupCorrupt a segment is damaged @throws TargetOutsideWindow there is no commit
 */
export async function newestCommit(ask: Ask): Promise<NewestCommit> {
  const { places, permit } = await permittedPlaces(ask.scratch);
  await backupKind(ask.backups).permitted(permit, ask.backups);
  const progress = { segment: ask.lastSegment };
  // One budget of waiting for all the segments that are fetched.
  const outage = new Outage('ArchiveUnreachable', ask);
  const fetch = (segment: string, to: string) =>
    outage.waitOut(() => backupKind(ask.backups).fetchWal(ask.backups, segment, to));
  try {
    // What an execution that a reset discarded has made here stays its own, until a restore takes it over.
    if ((await madeBy(places.directory)) === undefined) await claim(places, ask);
    await empty(places.wal);
    const commit = await beating(
      () => ({ reading: progress.segment }),
      () => searchBack({ ...ask, fetch }, places.wal, permit, progress),
    );
    return {
      ...commit,
      found: `the newest commit in the archive is at ${commit.lsn}, of ${commit.at}, in segment ${commit.segment}`,
      expected: 'a commit record that lies wholly inside the archive',
    };
  } finally {
    // Only read: nothing may stay of it, not even an empty directory. Also when a killed attempt made that.
    const restoring = (await readdir(places.data).catch(() => [])).length > 0;
    await rm(restoring ? places.wal : places.directory, { recursive: true, force: true });
  }
}
