/**
 * A standby asks its primary for the history of every timeline between its own and the primary's, and streams nothing before it has them
 * all. PostgreSQL keeps only those of its ancestors: the ones that the old database has passed over are brought from the archive.
 *
 * @see PostgreSQL source, WalRcvFetchTimeLineHistoryFiles in src/backend/replication/walreceiver.c
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import { parseHistory } from '../../recovery/history.ts';
import { backupKind } from '../backups/kind.ts';
import { historyName } from '../cluster/server-facts.ts';
import { writeDurably } from '../cluster/standby-only.ts';
import { beating } from '../heartbeat.ts';
import { waitingOut } from '../outage.ts';
import { exists } from '../postgres/scratch.ts';
import type { Patience } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';

interface Ask extends Patience {
  member: Member;
  backups: PhysicalBackups;
}

/** Into the directory of a stopped server, which is on this timeline. @throws ArchiveUnreachable */
export async function keepHistories(ask: Ask, timeline: number): Promise<void> {
  const wal = join(ask.member.dataDirectory, 'pg_wal');
  const own = parseHistory(await readFile(join(wal, historyName(timeline)), 'utf8'), timeline);
  const left = 'ancestors' in own ? (own.ancestors.at(-1)?.timeline ?? timeline) : timeline;
  for (let passed = left + 1; passed < timeline; passed += 1) {
    const name = historyName(passed);
    if (await exists(join(wal, name))) continue;
    const text = await archivedHistory(ask, passed);
    if (text === undefined) continue;
    // It is archived already, by another server: as PostgreSQL marks what it has from the archive.
    await writeDurably(join(wal, 'archive_status', `${name}.done`), '');
    await writeDurably(join(wal, name), text);
  }
}

/** `undefined` when the archive proves that it does not hold it. An outage is waited out. @throws ArchiveUnreachable */
export async function archivedHistory(ask: Ask, timeline: number): Promise<string | undefined> {
  const name = historyName(timeline);
  return inTemporary('history', (folder) =>
    waitingOut('ArchiveUnreachable', ask, (outage) =>
      beating(
        () => ({ lookingFor: name }),
        async () => {
          const kind = backupKind(ask.backups);
          const file = join(folder, name);
          // The service is down: that the store is away is said soon, and not once the tool has tried for minutes.
          await kind.answers(ask.backups, outage);
          return (await kind.fetchWal(ask.backups, name, file)) ? readFile(file, 'utf8') : undefined;
        },
      ),
    ),
  );
}
