import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { type Client, DatabaseError } from 'pg';
import type { Member } from '../../plan/schema.ts';
import type { Anchor, TableFingerprint } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import type { Found } from '../shapes.ts';
import { beginSnapshot, describeTables, fingerprintTables } from './fingerprint.ts';
import { socketOf } from './live-member.ts';
import { close, connect, one, type Row, type SocketPlace, withSession } from './session.ts';
import { endWatchdogs, startWatchdog, watchdogsOf } from './watchdog.ts';

/** A standby further behind than this is no reference for now. Milliseconds. */
const mostLagMs = 300_000;
/** The startup process notes the wish to pause at its next record or wait. */
const pauseWithinMs = 15_000;

/** SQLSTATE of a statement that was cancelled, or ran out of its time. */
const queryCancelled = '57014';

/**
 * `behind`: replay lags what the primary has, as far as it has said; then the age of the last replayed commit says by how much.
 * Commits and messages are stamped by the primary: the standby's own clock, which may be wrong, has no say in it.
 */
const question = `
  select pg_is_in_recovery()::text as standby, receiver.status as receiver, receiver.received_tli::text as timeline,
    case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as pause,
    (greatest(receiver.latest_end_lsn, pg_last_wal_receive_lsn()) > pg_last_wal_replay_lsn())::text as behind,
    round(extract(epoch from receiver.last_msg_send_time - pg_last_xact_replay_timestamp()) * 1000)::text as age_ms,
    current_user::text as user
  from (select) always left join pg_stat_wal_receiver receiver on true`;

/** `at` is told by the primary's clock: that is the service's. */
const position = `
  select pg_last_wal_replay_lsn()::text as lsn, pg_get_wal_replay_pause_state() as pause,
    to_char((clock_timestamp() - ahead) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
    to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit_at,
    (select system_identifier::text from pg_control_system()) as system_identifier
  from (select coalesce((select last_msg_receipt_time - last_msg_send_time from pg_stat_wal_receiver limit 1), '0') as ahead) clocks`;

/**
 * Fingerprints of the critical tables at an exact LSN, without a lock: replay on the standby is paused meanwhile, `withinMs` at most.
 * Replay goes on in any case: also after a kill of this worker, by a process that was started before the pause.
 *
 * @throws StandbyUnfit it does not answer or stream, lags too far, or somebody else has paused it
 */
export async function anchorOnStandby(ask: {
  member: Member;
  database: string;
  tables: string[];
  withinMs: number;
}): Promise<Found & { anchor: Anchor }> {
  try {
    return await anchorThere(ask);
  } catch (error) {
    // Whoever wants an anchor has another place for it: a standby that is gone is not waited for.
    if (!(error instanceof ApplicationFailure) || error.type !== 'DatabaseUnreachable') throw error;
    throw failure('StandbyUnfit', `${ask.member.host} cannot be asked: ${error.message}`, error);
  }
}

async function anchorThere(ask: Parameters<typeof anchorOnStandby>[0]): Promise<Found & { anchor: Anchor }> {
  const { host, dataDirectory } = ask.member;
  const { place, permit } = await socketOf(ask.member);
  const progress = { table: '' };
  return withSession(
    place,
    ask.database,
    'anchor',
    async (client) => {
      await resumeForgotten(client, place, dataDirectory);
      const state = await one(client, question);
      refuseUnfit(state, host);
      await startWatchdog({ dataDirectory, place, permit, user: state.user ?? 'postgres', withinMs: ask.withinMs });
      try {
        const anchor = await anchorWhilePaused(client, ask, Number(state.timeline), progress);
        return {
          anchor,
          found: `anchor at ${anchor.lsn} on timeline ${anchor.timeline}: ${describeTables(anchor.tables)}`,
          expected: 'fingerprints at one LSN, replay going on afterwards',
        };
      } finally {
        await resume(client, place, dataDirectory);
      }
    },
    () => ({ reading: progress.table, paused: host }),
  );
}

/** A pause that a killed attempt has left behind. One that Lifeboat has not made is left alone. */
async function resumeForgotten(client: Client, place: SocketPlace, dataDirectory: string): Promise<void> {
  if ((await watchdogsOf(dataDirectory)).length > 0) await resume(client, place, dataDirectory);
}

function refuseUnfit(state: Row, host: string): void {
  const why = unfit(state);
  if (why !== undefined)
    throw failure(
      'StandbyUnfit',
      `${host} ${why}; expected a standby that streams and replays, and is at most ${mostLagMs / 60_000} min behind.`,
    );
}

function unfit({ standby, receiver, pause, behind, age_ms: age }: Row): string | undefined {
  if (standby !== 'true') return 'is not a standby';
  if (receiver !== 'streaming') return `does not stream from its primary (${receiver ?? 'no WAL receiver'})`;
  if (pause !== 'not paused') return `has its replay paused by somebody else ("${pause}"), which is left as it is`;
  if (behind === 'true' && age !== null && Number(age) > mostLagMs)
    return `is ${Math.round(Number(age) / 1000)} s behind`;
  return undefined;
}

async function anchorWhilePaused(
  client: Client,
  ask: { member: Member; tables: string[]; withinMs: number },
  timeline: number,
  progress: { table: string },
): Promise<Anchor> {
  const deadline = performance.now() + ask.withinMs;
  await client.query('select pg_wal_replay_pause()');
  const before = await waitForPause(client, ask.member.host);
  await client.query(`set statement_timeout = ${Math.max(1, Math.ceil(deadline - performance.now()))}`);
  const tables = await read(client, ask, progress);
  const after = await one(client, position);
  if (after.pause !== 'paused' || after.lsn !== before.lsn || before.lsn == null)
    throw failure(
      'StandbyUnfit',
      `replay on ${ask.member.host} went on from ${before.lsn} to ${after.lsn} while its tables were read, so they belong to no one LSN. Expected to be done within ${ask.withinMs / 1000} s.`,
    );
  return {
    lsn: before.lsn,
    timeline,
    at: before.at ?? '',
    ...(before.last_commit_at == null ? {} : { lastCommitAt: before.last_commit_at }),
    systemIdentifier: before.system_identifier ?? '',
    source: `standby ${ask.member.host}, replay paused`,
    tables,
  };
}

async function read(
  client: Client,
  ask: { member: Member; tables: string[]; withinMs: number },
  progress: { table: string },
): Promise<TableFingerprint[]> {
  try {
    await beginSnapshot(client);
    const tables = await fingerprintTables(client, ask.tables, progress);
    await client.query('commit');
    return tables;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== queryCancelled) throw error;
    throw failure(
      'StandbyUnfit',
      `${progress.table} on ${ask.member.host} was not read within the ${ask.withinMs / 1000} s for which replay may be paused; replay goes on. Take the anchor when the standby is less busy.`,
    );
  }
}

async function waitForPause(client: Client, host: string): Promise<Row> {
  const deadline = performance.now() + pauseWithinMs;
  for (;;) {
    const state = await one(client, position);
    if (state.pause === 'paused') return state;
    if (performance.now() > deadline)
      throw failure(
        'StandbyUnfit',
        `replay on ${host} did not pause within ${pauseWithinMs / 1000} s (it says "${state.pause}"): a conflict with a long query may hold it up.`,
      );
    await Context.current().sleep(50);
  }
}

/**
 * Also when the activity was cancelled: the wish to stop the running query may then arrive late and hit this one, so it is asked again.
 * Also when somebody has ended our session: then by another one. The watchdog stays until the server says that replay goes on.
 */
async function resume(client: Client, place: SocketPlace, dataDirectory: string): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const went = await goOn(client).catch(async (error) => {
      if (error instanceof DatabaseError && error.code === queryCancelled) return false;
      return goOnAnew(place);
    });
    if (went) return endWatchdogs(dataDirectory);
  }
}

async function goOnAnew(place: SocketPlace): Promise<boolean> {
  const other = await connect(place, 'postgres', 'resume').catch(() => undefined);
  if (other === undefined) return false;
  try {
    return await goOn(other);
  } catch {
    // The watchdog asks again when its time has come.
    return false;
  } finally {
    close(other);
  }
}

async function goOn(client: Client): Promise<boolean> {
  await client.query('rollback');
  await client.query('select pg_wal_replay_resume() where pg_is_in_recovery()');
  const { pause } = await one(client, 'select pg_get_wal_replay_pause_state() as pause');
  return pause === 'not paused';
}
