import { formatNumberOf } from '../../evidence/format.ts';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Repository } from '../../recovery/archive.ts';
import type { Found, Patience } from '../contract.ts';
import { beating } from '../heartbeat.ts';
import { waitingOut } from '../outage.ts';
import { loadPermit } from '../permit.ts';
import { backupKind } from './kind.ts';

/**
 * Backups, timelines and segments that the repository holds, by its own listing.
 *
 * @throws ArchiveUnreachable @throws StoreRefused @throws BackupMissing there is no such stanza
 */
export async function repository(
  ask: { backups: PhysicalBackups; segmentBytes: number } & Patience,
): Promise<Repository & Found> {
  const kind = backupKind(ask.backups);
  await kind.permitted(await loadPermit(), ask.backups);
  const read = await beating(
    () => ({ listing: ask.backups.stanza }),
    () =>
      waitingOut('ArchiveUnreachable', ask, async (outage) => {
        await kind.answers(ask.backups, outage);
        return kind.repository(ask.backups, ask.segmentBytes);
      }),
  );
  const segments = read.timelines.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
  return {
    ...read,
    found: `stanza ${ask.backups.stanza}: ${formatNumberOf(read.backups.length, 'backup')}, ${formatNumberOf(segments, 'WAL segment')} on ${formatNumberOf(read.timelines.length, 'timeline')}${read.oddities.length === 0 ? '' : `; odd: ${read.oddities.slice(0, 3).join('; ')}`}`,
    expected: 'a repository that answers',
  };
}
