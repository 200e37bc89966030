import { formatNumberOf } from '../../evidence/format.ts';
import type { PhysicalBackups } from '../../plan/schema.ts';
import type { Repository } from '../../recovery/archive.ts';
import { beating } from '../heartbeat.ts';
import { waitingOut } from '../outage.ts';
import { loadPermit } from '../permit.ts';
import { permittedPlaces } from '../postgres/scratch.ts';
import type { Found, Patience, Scratch } from '../shapes.ts';
import { backupKind } from './kind.ts';
import { segmentSizeOf } from './read-segments.ts';

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
    found: `stanza ${ask.backups.stanza}: ${formatNumberOf(read.backups.length, 'backup')}, ${formatNumberOf(segments, 'WAL segment')} on ${formatNumberOf(read.timelines.length, 'timeline')}${
      read.oddities.length === 0
        ? ''
        : `; odd: ${read.oddities
            .slice(0, 3)
            .map(({ why }) => why)
            .join('; ')}`
    }`,
    expected: 'a repository that answers',
  };
}

/** Some may be damaged. */
const triedForSize = 5;

/**
 * Bytes of a WAL segment, for when the service cannot say: read from one that is archived.
 *
 * @throws NotPermitted @throws ArchiveUnreachable @throws StoreRefused @throws BackupMissing there is no such stanza
 */
export async function segmentSize(ask: {
  backups: PhysicalBackups;
  scratch: Scratch;
  key?: string;
}): Promise<Found & { segmentBytes?: number }> {
  return beating(
    () => ({ listing: ask.backups.stanza }),
    async () => {
      const kind = backupKind(ask.backups);
      const { permit } = await permittedPlaces(ask.scratch);
      await kind.permitted(permit, ask.backups);
      const newestFirst = [...(await kind.checksums(ask.backups)).keys()].sort().reverse();
      for (const segment of newestFirst.slice(0, triedForSize)) {
        const segmentBytes = await segmentSizeOf(ask, segment);
        if (segmentBytes !== undefined) return { segmentBytes, found: `segment ${segment} has ${segmentBytes} bytes` };
      }
      return { found: 'no archived segment tells its size' };
    },
  );
}
