/** Segments for a reading of the archive: waited for while the store is away, and looked at whether they are the cluster's own. */
import type { PhysicalBackups } from '../../plan/schema.ts';
import { judgeFirstPage, type Known, readFirstPage } from '../../recovery/content.ts';
import { failure } from '../failure.ts';
import { Outage } from '../outage.ts';
import type { Patience } from '../shapes.ts';
import { backupKind } from './kind.ts';
import { firstBytes } from './read-segments.ts';

/** Fetches one; `false` when the archive proves that it is not there. All of them together have one budget of waiting. */
export function fetchOwn(
  ask: { backups: PhysicalBackups; known: Known } & Patience,
): (segment: string, to: string) => Promise<boolean> {
  const outage = new Outage('ArchiveUnreachable', ask);
  const kind = backupKind(ask.backups);
  return async (segment, to) => {
    const there = await outage.waitOut(() => kind.fetchWal(ask.backups, segment, to));
    if (there) await refuseStrange(ask.known, segment, to);
    return there;
  };
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
