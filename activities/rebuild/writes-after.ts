import { join } from 'node:path';
import { formatNumberOf } from '../../evidence/format.ts';
import type { Member } from '../../plan/schema.ts';
import { waldump } from '../backups/waldump.ts';
import { loadPermit, permitDataDirectory } from '../permit.ts';
import type { Found } from '../shapes.ts';

type Ask = { member: Member; timeline: number; from: string };

/** `Transaction/COMMIT    12 ( 40.00) ...`, in the statistics of pg_waldump. */
const counted = /^Transaction\/COMMIT(?:_PREPARED)?\s+(\d+)/;

/** Counts what a server has committed on its own timeline since a position, in the WAL that it still has. Reads only. */
export async function writesAfter(ask: Ask): Promise<Found & { transactions: number; upTo: string; whole: boolean }> {
  const { member, timeline, from } = ask;
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  let transactions = 0;
  const { said } = await waldump(
    permit,
    join(member.dataDirectory, 'pg_wal'),
    [`--timeline=${timeline}`, `--start=${from}`, '--rmgr=Transaction', '--stats=record'],
    (line) => {
      transactions += Number(counted.exec(line)?.[1] ?? 0);
    },
  );
  // Its end is where a record would begin and none does.
  const upTo = /invalid record length at ([0-9A-F]+\/[0-9A-F]+)/i.exec(said)?.[1];
  const whole = upTo !== undefined && !/could not (find|open)/.test(said);
  return {
    transactions,
    upTo: upTo ?? from,
    whole,
    found: whole
      ? `${formatNumberOf(transactions, 'transaction')} of ${member.host} alone, from ${from} to ${upTo} on timeline ${timeline}`
      : `${member.host} has not all of its WAL after ${from} any more: at least ${formatNumberOf(transactions, 'transaction')} of its own`,
  };
}
