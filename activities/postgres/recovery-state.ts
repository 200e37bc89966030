/** Where a recovery stands, asked of the server. */

import { failure } from '../failure.ts';
import type { EndOfRecovery } from '../shapes.ts';
import { lastLines } from '../tail.ts';
import type { Places } from './scratch.ts';
import { statusOf } from './server.ts';
import { recoveryWords } from './server-log.ts';
import { close, connect, one, placeOfScratch, type Row } from './session.ts';

export interface RecoveryState {
  promoted: boolean;
  /** `not paused`, `pause requested`, `paused`. */
  pause: string;
  lsn: string;
  timeline: number;
  lastCommitAt?: string;
  /** The next transaction id, 64 bits: the difference of two counts the transactions in between. */
  nextTransaction: number;
}

/**
 * Text for a time in UTC with microseconds. The timeline is the one that recovery follows, a number because Lifeboat wrote it.
 */
const question = `
  select pg_is_in_recovery()::text as in_recovery,
    case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else 'not paused' end as pause,
    coalesce(pg_last_wal_replay_lsn(), '0/0')::text as lsn,
    current_setting('recovery_target_timeline') as timeline,
    to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit_at,
    pg_snapshot_xmax(pg_current_snapshot())::text as next_transaction`;

/** `undefined` while it does not answer: it is on its way to consistency, or about to end. */
export async function askRecovery(places: Places): Promise<RecoveryState | undefined> {
  // Its pid file tells when it lets sessions in; to knock before would fill its log with refusals.
  const status = await statusOf(places);
  if (status !== 'standby' && status !== 'ready') return undefined;
  try {
    const client = await connect(placeOfScratch(places), 'postgres', 'replay');
    try {
      return stateOf(await one(client, question));
    } finally {
      close(client);
    }
  } catch {
    return undefined;
  }
}

function stateOf(row: Row): RecoveryState {
  return {
    promoted: row.in_recovery !== 'true',
    pause: row.pause ?? '',
    lsn: row.lsn ?? '0/0',
    timeline: Number(row.timeline),
    nextTransaction: Number(row.next_transaction),
    ...(row.last_commit_at == null ? {} : { lastCommitAt: row.last_commit_at }),
  };
}

/** @throws ReplayFailed its log names no stopping point, or another timeline */
export async function describeEnd(
  places: Places,
  state: RecoveryState,
  host: string,
  logFrom: number,
): Promise<EndOfRecovery> {
  const words = await recoveryWords(places, logFrom);
  if (words.stopping === undefined)
    throw failure(
      'ReplayFailed',
      `the server is paused at ${state.lsn}, but its log names no stopping point, so it has not reached its target. See ${places.serverLog}.`,
    );
  if (words.lastTimeline !== undefined && words.lastTimeline > state.timeline)
    throw failure(
      'ReplayFailed',
      `the server has read WAL of timeline ${words.lastTimeline}, expected timeline ${state.timeline} and its ancestors only.`,
    );
  // After a restart it has replayed no commit yet when it stops; its log still knows the last one.
  const lastCommitAt = state.lastCommitAt ?? words.lastCommitAt;
  return {
    lsn: state.lsn,
    timeline: state.timeline,
    nextTransaction: state.nextTransaction,
    ...(lastCommitAt === undefined ? {} : { lastCommitAt }),
    found: `paused at ${state.lsn} on timeline ${state.timeline}${lastCommitAt === undefined ? '' : `, last commit at ${lastCommitAt}`}; the server says: ${words.stopping}`,
    expected: 'the server paused at its target, by its own words',
    log: { host, path: places.serverLog, lastLines: await lastLines(places.serverLog, 5) },
  };
}
