/** A standby that archives by itself (archive_mode = always), into the store of its own site. */
import { join } from 'node:path';
import { timelineOf } from '../../recovery/segments.ts';
import { backupKind } from '../backups/kind.ts';
import type { SwitchoverHostReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { loadPermit, permitDataDirectory } from '../permit.ts';
import type { Found } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';
import { historyName } from './server-facts.ts';

const lookEveryMs = 500;

/** @throws ArchiveGap not within the time @throws ArchiveUnreachable @throws NotPermitted */
export async function archivedHere(ask: Parameters<SwitchoverHostReads['archivedHere']>[0]): Promise<Found> {
  const { member, backups, segment, withinMs } = ask;
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  const kind = backupKind(backups);
  await kind.permitted(permit, backups);
  const deadline = performance.now() + withinMs;
  for (;;) {
    const archived = await kind.checksums(backups);
    if (archived.has(segment)) break;
    if (performance.now() > deadline)
      throw failure(
        'ArchiveGap',
        `the archive of ${member.host} (${backups.config}) does not hold ${segment} ${withinMs / 1000} s after the primary has ended it: its site could not be recovered by itself. Set archive_mode = always on ${member.host}, and see pg_stat_archiver there.`,
      );
    await pause(lookEveryMs, { waitingFor: segment });
  }
  const history = historyName(timelineOf(segment));
  if (
    timelineOf(segment) > 1 &&
    !(await inTemporary('history', (folder) => kind.fetchWal(backups, history, join(folder, history))))
  )
    throw failure(
      'ArchiveGap',
      `the archive of ${member.host} (${backups.config}) holds ${segment}, and not ${history}: nobody could tell where its timeline begins. Copy it there from the archive of the primary's site (archive-get, archive-push).`,
    );
  return {
    found: `the archive of ${member.host} holds ${segment}, which the primary has just ended, and the history of its timeline`,
    expected: 'what the primary writes, archived by the standby itself',
  };
}
