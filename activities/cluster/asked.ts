/** Small questions to a live server of this host. */
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';

export interface Standing {
  standby: boolean;
  timeline: number;
  systemIdentifier: string;
  lsn: string;
}

/**
 * What a standby replays: what it receives, else what its control file knows of. That of its last restartpoint alone would be the old one
 * for minutes after its primary was changed.
 */
export const timelineOfStandby = `coalesce((select received_tli from pg_stat_wal_receiver limit 1),
  greatest((select min_recovery_end_timeline from pg_control_recovery()), (select timeline_id from pg_control_checkpoint())))`;

export const standingQuestion = `
  select pg_is_in_recovery()::text as standby,
    (case when pg_is_in_recovery()
      then ${timelineOfStandby}
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end)::text as timeline,
    (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as lsn,
    (select system_identifier::text from pg_control_system()) as system_identifier`;

/** @throws DatabaseUnreachable it does not run, or lets nobody in */
export async function standingOf(member: Member): Promise<Standing> {
  const { place } = await socketOf(member);
  const row = await withSession(place, 'postgres', 'standing', (client) => one(client, standingQuestion));
  return {
    standby: row.standby === 'true',
    timeline: Number(row.timeline),
    systemIdentifier: row.system_identifier ?? '',
    lsn: row.lsn ?? '0/0',
  };
}

/** Transactions that wait for their second phase: `'order-17' in orders, of billing`. @throws DatabaseUnreachable */
export async function preparedOn(member: Member): Promise<string[]> {
  const { place } = await socketOf(member);
  const row = await withSession(place, 'postgres', 'prepared', (client) =>
    one(
      client,
      `select coalesce(jsonb_agg(format('%L in %s, of %s', gid, database, owner) order by prepared), '[]')::text as waiting from pg_prepared_xacts`,
    ),
  );
  return JSON.parse(row.waiting ?? '[]') as string[];
}

/** @throws SplitBrain */
export function refusePrimary(host: string, { standby, timeline }: Standing, why: string): void {
  if (!standby)
    throw failure(
      'SplitBrain',
      `the server on ${host} says that it is a primary (timeline ${timeline}), ${why}. Two servers may hold writes that the other lacks: leave the front door closed, stop one of them, and compare them before anything goes on.`,
    );
}
