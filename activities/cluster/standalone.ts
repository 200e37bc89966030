/** A primary and its standbys without a cluster manager: each is asked over TCP, with the front door's role. */

import type { Database, Member } from '../../plan/schema.ts';
import { compareLsn } from '../../recovery/lsn.ts';
import { withDatabase } from '../postgres/front-door.ts';
import type { MemberState } from '../shapes.ts';
import type { ClusterKind } from './kind.ts';

interface Row {
  standby: boolean;
  lsn: string | null;
  timeline: number | null;
  /** Milliseconds since 1970, by the server's own clock. */
  at: string;
  /** When the newest transaction that was replayed was committed: by the primary's clock, which stamped it. */
  replayed: string | null;
}

/**
 * A standby's timeline: what it receives (hidden from a role without pg_read_all_stats), else that of its last restartpoint,
 * which can be older than what it replays.
 */
const question = `
  select pg_is_in_recovery() as standby,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text else pg_current_wal_lsn()::text end as lsn,
    case when pg_is_in_recovery() then coalesce(
        (select received_tli from pg_stat_wal_receiver limit 1),
        (select timeline_id from pg_control_checkpoint()))
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline,
    round(extract(epoch from clock_timestamp()) * 1000)::text as at,
    round(extract(epoch from pg_last_xact_replay_timestamp()) * 1000)::text as replayed`;

interface Asked {
  state: MemberState;
  at?: number;
  replayedAt?: number;
}

export const standalone: ClusterKind = {
  async members(database, addresses) {
    const asked = await Promise.all(database.members.map((member) => askMember(database, member, addresses)));
    const primary = asked.find((one) => one.state.role === 'primary');
    return asked.map((one) => withLag(one, primary));
  },
};

/** No answer is no answer: `unknown`, never "not primary". */
async function askMember(database: Database, member: Member, addresses: Record<string, string>): Promise<Asked> {
  const { host, port } = member;
  const door = { ...database.frontDoor, host: addresses[host] ?? host, port };
  try {
    const row = await withDatabase(door, 'members', async (client) => (await client.query<Row>(question)).rows[0]);
    return row === undefined ? { state: unknown(host, 'it answered without a row') } : stateOf(host, row);
  } catch (error) {
    return { state: unknown(host, error instanceof Error ? error.message : String(error)) };
  }
}

const unknown = (host: string, why: string): MemberState => ({ host, role: 'unknown', why });

function stateOf(host: string, row: Row): Asked {
  return {
    state: {
      host,
      role: row.standby ? 'standby' : 'primary',
      ...(row.timeline === null ? {} : { timeline: row.timeline }),
      ...(row.lsn === null ? {} : { lsn: row.lsn }),
    },
    at: Number(row.at),
    ...(row.replayed === null ? {} : { replayedAt: Number(row.replayed) }),
  };
}

/**
 * Lag is measured against the primary, its position and its clock: a standby compared with itself says 0 while it is cut off, or follows a dead branch.
 */
function withLag({ state, replayedAt }: Asked, asked: Asked | undefined): MemberState {
  const primary = asked?.state;
  if (state.role !== 'standby') return state;
  if (primary?.lsn === undefined || state.lsn === undefined)
    return { ...state, why: 'its lag is not known: no primary answers to compare it with' };
  if (primary.timeline !== state.timeline)
    return {
      ...state,
      why: `it is on timeline ${state.timeline ?? 'unknown'}, the primary on ${primary.timeline ?? 'unknown'}`,
    };
  if (compareLsn(state.lsn, primary.lsn) >= 0) return { ...state, lagMs: 0 };
  return replayedAt === undefined || asked?.at === undefined
    ? { ...state, why: 'its lag is not known: it has replayed no transaction since its start' }
    : { ...state, lagMs: Math.max(0, asked.at - replayedAt) };
}
