import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import type { Lsn } from '../../recovery/archive.ts';
import { parseHistory } from '../../recovery/history.ts';
import { parseSegment, segmentName, segmentNumberAt } from '../../recovery/segments.ts';
import { backupKind } from '../backups/kind.ts';
import { failure } from '../failure.ts';
import { beating, pause } from '../heartbeat.ts';
import { waitingOut } from '../outage.ts';
import { loadPermit } from '../permit.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found, Patience } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';
import { historyName } from './server-facts.ts';

interface Ask extends Patience {
  member: Member;
  backups: PhysicalBackups;
  timeline: number;
  /** Older segments may have expired. */
  since?: Lsn;
  withoutCheckpoint?: true;
}

/** The archiver is given so long before its silence counts as an outage of the archive. */
const usualMs = 20_000;

/**
 * Ends a segment on the primary, and proves by the archive itself that it holds the timeline's history and every segment since its fork.
 *
 * @throws NotPrimary @throws ArchiveUnreachable @throws ArchiveGap a segment of the timeline is missing
 * @throws ArchiveUnsound the archive holds another history of that timeline
 */
export async function archiveReaches(ask: Ask): Promise<Found & { segment: string }> {
  const { backups, member, timeline } = ask;
  await backupKind(backups).permitted(await loadPermit(), backups);
  const { segment, segmentBytes } = await endSegment(ask);
  return beating(
    () => ({ archiving: segment }),
    () =>
      waitingOut('ArchiveUnreachable', ask, async () => {
        await archiverPasses(ask, segment);
        const fork = timeline === 1 ? undefined : await sameHistory(ask);
        const begins = [fork, ask.since].flatMap((lsn) =>
          lsn === undefined ? [] : [segmentNumberAt(lsn, segmentBytes)],
        );
        const first = begins.length === 0 ? parseSegment(segment, segmentBytes).number : Math.max(...begins);
        const archived = await backupKind(backups).checksums(backups);
        const wanted = segmentsBetween(timeline, first, parseSegment(segment, segmentBytes).number, segmentBytes);
        const missing = wanted.filter((name) => !archived.has(name));
        if (missing.length > 0)
          throw failure(
            'ArchiveGap',
            `${missing.length} of ${wanted.length} segments of timeline ${timeline} up to ${segment} are not in the archive: ${missing.slice(0, 3).join(', ')}. Take a full backup, and find out what removed them.`,
          );
        return {
          segment,
          found: `the archive holds ${fork === undefined ? '' : `the history of timeline ${timeline}, and `}all ${wanted.length} segments up to ${segment}, which ${member.host} has just ended`,
          expected: `timeline ${timeline}, without a gap, archived by ${member.host}`,
        };
      }),
  );
}

async function endSegment({ member, withoutCheckpoint }: Ask): Promise<{ segment: string; segmentBytes: number }> {
  const { place } = await socketOf(member);
  const row = await withSession(place, 'postgres', 'end-segment', async (client) => {
    const { standby } = await one(client, 'select pg_is_in_recovery()::text as standby');
    if (standby === 'true') throw failure('NotPrimary', `${member.host} is a standby, expected the primary.`);
    // Its control file, which a backup reads, and what a standby's is made from, is of the old timeline until then. Whoever reads rows after
    // a checkpoint writes their pages whole into the WAL (hint bits, where pages have checksums): counting tables would fill the archive.
    if (withoutCheckpoint === undefined) await client.query('checkpoint');
    // Nothing is switched where nothing was written since the last time.
    await client.query("select pg_logical_emit_message(false, 'lifeboat', 'end of a segment')");
    return one(
      client,
      `select pg_walfile_name(pg_switch_wal()) as segment, pg_size_bytes(current_setting('wal_segment_size'))::text as bytes`,
    );
  });
  return { segment: row.segment ?? '', segmentBytes: Number(row.bytes) };
}

/** What its archiver says; only whether it got so far, not whether it is true. */
async function archiverPasses({ member }: Ask, segment: string): Promise<void> {
  const { place } = await socketOf(member);
  const deadline = performance.now() + usualMs;
  await withSession(place, 'postgres', 'archiver', async (client) => {
    for (;;) {
      const row = await one(
        client,
        `select last_archived_wal as archived, case when last_failed_time > coalesce(last_archived_time, '-infinity')
           then last_failed_wal end as failing from pg_stat_archiver`,
      );
      if (row.archived != null && row.archived.slice(0, 24) >= segment) return;
      if (performance.now() > deadline)
        throw failure(
          'ArchiveUnreachable',
          `${segment} of ${member.host} is not archived${row.failing == null ? '' : `: its archiver fails with ${row.failing}`}; the newest is ${row.archived ?? 'none'}. See the log of ${member.host}, and whether the archive answers.`,
        );
      await pause(100, { waitingFor: segment });
    }
  });
}

/** @returns where the timeline was forked */
async function sameHistory({ backups, member, timeline }: Ask): Promise<string | undefined> {
  const name = historyName(timeline);
  const own = await readFile(join(member.dataDirectory, 'pg_wal', name), 'utf8');
  await inTemporary('history', async (folder) => {
    const file = join(folder, name);
    if (!(await backupKind(backups).fetchWal(backups, name, file)))
      throw failure('ArchiveUnreachable', `${name} is not in the archive yet, though later segments are.`);
    if ((await readFile(file, 'utf8')) !== own)
      throw failure(
        'ArchiveUnsound',
        `the archive holds another ${name} than ${member.host}: two servers took timeline ${timeline}, with different forks. Do not restore from it before this is understood (lifeboat archive).`,
      );
  });
  const history = parseHistory(own, timeline);
  return 'ancestors' in history ? history.ancestors.at(-1)?.forkLsn : undefined;
}

function segmentsBetween(timeline: number, first: number, last: number, segmentBytes: number): string[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_none, index) =>
    segmentName({ timeline, number: first + index }, segmentBytes),
  );
}
