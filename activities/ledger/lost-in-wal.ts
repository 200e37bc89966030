/** Where there is no room for a copy of the old database: what the archived WAL says of the time after the target. */
import { formatNumberOf } from '../../evidence/format.ts';
import type { LedgerCounts } from '../../evidence/ledger.ts';
import { LostInWal } from '../../recovery/ledger/lost-in-wal.ts';
import type { RowCounts } from '../../recovery/search/suspects.ts';
import { namesOf } from '../../recovery/segments.ts';
import { fetchOwn } from '../backups/fetch-own.ts';
import { inReadingRoom } from '../backups/reading-room.ts';
import { readStretch } from '../backups/wal-stream.ts';
import type { LedgerHostReads } from '../contract-of-ledger.ts';
import { beating } from '../heartbeat.ts';
import { socketOf } from '../postgres/live-member.ts';
import { relationsIn } from '../postgres/relations.ts';
import { withSession } from '../postgres/session.ts';

type Ask = Parameters<LedgerHostReads['lostInWal']>[0];

/** Of the tables with the most rows; the others are told together. */
const mostTables = 100;

export async function lostInWal(ask: Ask): ReturnType<LedgerHostReads['lostInWal']> {
  const lost = new LostInWal(ask.after);
  await read(ask, lost);
  const counts = together(await named(ask, lost.counts));
  const gone =
    lost.filesGone === 0 ? '' : `; ${formatNumberOf(lost.filesGone, 'file')} of tables dropped, emptied or rewritten`;
  return {
    transactions: lost.transactions,
    counts,
    found: `${formatNumberOf(lost.transactions, 'transaction')} committed after ${ask.after}${gone}`,
    expected: 'a count of what the recovered database does not have',
  };
}

/** Memory and room stay the same however much WAL it is. */
async function read(ask: Ask, lost: LostInWal): Promise<void> {
  const { known, serverVersion } = ask;
  const { segmentBytes } = known;
  const names = ask.segments.flatMap((range) => namesOf(range, segmentBytes));
  let count = 0;
  await inReadingRoom(ask, async (places, permit) => {
    const stretch = { names, segmentBytes, serverVersion, fetch: fetchOwn(ask) };
    const words = () => `segment ${count} of ${names.length}, ${formatNumberOf(lost.transactions, 'transaction')}`;
    await beating(
      () => ({ line: words() }),
      () =>
        readStretch(
          stretch,
          places.wal,
          permit,
          ({ record, lsn }) => {
            if (record !== undefined) lost.add(record, lsn);
          },
          (segments) => {
            count = segments;
          },
        ),
    );
  });
}

/** By the recovered server's catalog; what was made or rewritten after the target has only a number there. */
async function named({ member, database }: Ask, counts: RowCounts[]): Promise<LedgerCounts[]> {
  const { place } = await socketOf(member);
  const files = counts.map(({ file }) => file);
  const relations = await withSession(place, database, 'ledger', (client) =>
    relationsIn(client, { files, oids: [], databases: [] }, { sizes: false }),
  );
  return counts.flatMap(({ file, ...rows }) => {
    const relation = relations.find((one) => one.file === file);
    // What is too long for a row lies in a table of its own, which nobody knows by name.
    if (relation !== undefined && !relation.isTable) return [];
    return [{ table: relation?.name ?? `file ${file}, which the recovered catalog does not know`, ...rows }];
  });
}

function together(counts: LedgerCounts[]): LedgerCounts[] {
  const rest = counts.slice(mostTables);
  if (rest.length === 0) return counts;
  const sum = (of: 'inserted' | 'updated' | 'deleted') => rest.reduce((total, one) => total + one[of], 0);
  const others = {
    table: `${rest.length} other tables`,
    inserted: sum('inserted'),
    updated: sum('updated'),
    deleted: sum('deleted'),
  };
  return [...counts.slice(0, mostTables), others];
}
