import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { formatNumberOf } from '../../evidence/format.ts';
import { backupKind } from '../backups/kind.ts';
import { inReadingRoom } from '../backups/reading-room.ts';
import { waldump } from '../backups/waldump.ts';
import type { RebuildHostReads } from '../contract.ts';
import { loadPermit, type Permit, permitDataDirectory } from '../permit.ts';
import type { Found } from '../shapes.ts';
import { refuseStrange } from './rewind.ts';

type Ask = Parameters<RebuildHostReads['writesAfter']>[0];

/** `Transaction/COMMIT    12 ( 40.00) ...`, in the statistics of pg_waldump. */
const counted = /^Transaction\/COMMIT(?:_PREPARED)?\s+(\d+)/;

/** More are not fetched to count what is in them. */
const mostFetched = 64;

/**
 * Counts what a server has committed on its own timeline since a position: in the WAL that it still has, and with what it has archived of it.
 * Reads only.
 */
export async function writesAfter(ask: Ask): Promise<Found & { transactions: number; whole: boolean }> {
  const { member, backups, own } = ask;
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  refuseStrange(own);
  const wal = join(member.dataDirectory, 'pg_wal');
  const here = new Set(await readdir(wal));
  const missing = own.filter((name) => !here.has(name));
  if (missing.length === 0 || missing.length > mostFetched || backups === undefined) return count(ask, permit, wal);
  return inReadingRoom({ ...ask, backups }, async (places) => {
    for (const name of own)
      if (here.has(name)) await symlink(join(wal, name), join(places.wal, name));
      else await backupKind(backups).fetchWal(backups, name, join(places.wal, name));
    return count(ask, permit, places.wal);
  });
}

async function count({ member, timeline, from }: Ask, permit: Permit, directory: string) {
  let transactions = 0;
  const words = [`--timeline=${timeline}`, `--start=${from}`, '--rmgr=Transaction', '--stats=record'];
  const { said } = await waldump(permit, directory, words, (line) => {
    transactions += Number(counted.exec(line)?.[1] ?? 0);
  });
  const whole = !/could not (find|open|locate)/.test(said);
  const some = `${whole ? '' : 'at least '}${formatNumberOf(transactions, 'transaction')}`;
  return {
    transactions,
    whole,
    found: `${some} of ${member.host} alone since ${from} on timeline ${timeline}${whole ? '' : '; not all of its WAL is there any more'}`,
  };
}
