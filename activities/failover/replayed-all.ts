/** How far a standby comes whose primary is gone for good: where it can be promoted without leaving behind what it has. */
import { compareLsn } from '../../recovery/lsn.ts';
import { pausedReplay } from '../../recovery/switchover.ts';
import { timelineOfStandby } from '../cluster/asked.ts';
import type { FailoverHostReads } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';

// A receiver can hold on to a dead connection for minutes: nothing new for so long is the end. Milliseconds.
const quietMs = 1_000;
const lookEveryMs = 50;

/** The end: all that was received is replayed, nothing more comes. @throws StandbyUnfit @throws NotPrimary @throws DatabaseUnreachable */
export async function replayedAll(
  ask: Parameters<FailoverHostReads['replayedAll']>[0],
): Promise<Found & { lsn: string; timeline: number }> {
  const { member, withinMs } = ask;
  const { place } = await socketOf(member);
  return withSession(place, 'postgres', 'replayed-all', async (client) => {
    const began = performance.now();
    for (let seen = '', since = began; ; ) {
      const row = await one(client, question);
      if (row.standby !== 'true')
        throw failure('Moved', `${member.host} is a primary already, expected a standby. Start again.`);
      const [paused] = pausedReplay({ host: member.host, ...(row.replay != null && { replay: row.replay }) });
      if (paused !== undefined) throw failure('StandbyUnfit', `${paused}.`);
      const now = `${row.received} ${row.replayed}`;
      if (now !== seen) since = performance.now();
      seen = now;
      const { received, replayed } = positionsOf(row);
      // The last record may have come by half: then replay waits for the rest, which nobody has.
      const waits = row.waits === 'true';
      const still = performance.now() - since >= quietMs && row.fetches !== 'true';
      if ((compareLsn(replayed, received) >= 0 || waits) && still)
        return {
          lsn: replayed,
          timeline: Number(row.timeline),
          found: `${member.host} has replayed all that it has received, up to ${replayed} on timeline ${row.timeline}; nothing came for ${quietMs / 1_000} s`,
          expected: 'a standby that has replayed all that it will ever have',
        };
      if (performance.now() - began > withinMs)
        throw failure(
          'StandbyUnfit',
          `${member.host} has received up to ${received} and replayed up to ${replayed}, and did not come to an end within ${withinMs / 1_000} s. What lies between would be late, or its primary still sends: see its log, and whether the primary is really fenced.`,
        );
      await pause(lookEveryMs);
    }
  });
}

/** One that was fed from the archive has received nothing. */
function positionsOf({ received, replayed }: Row): { received: string; replayed: string } {
  return { received: received ?? '0/0', replayed: replayed ?? '0/0' };
}

const question = `
  select pg_is_in_recovery()::text as standby,
    pg_last_wal_receive_lsn()::text as received,
    pg_last_wal_replay_lsn()::text as replayed,
    case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as replay,
    exists (select from pg_stat_activity where backend_type = 'startup'
      and wait_event in ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))::text as waits,
    exists (select from pg_stat_activity where backend_type = 'startup' and wait_event = 'RestoreCommand')::text as fetches,
    (${timelineOfStandby})::text as timeline`;
