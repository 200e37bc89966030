/** What Lifeboat has on the live servers of a host: sessions, and a standby whose replay it has paused. */
import type { Client } from 'pg';
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { all, one, withSession } from '../postgres/session.ts';
import { endWatchdogs, watchdogsOf } from '../postgres/watchdog.ts';
import type { LeftoverFound } from '../shapes.ts';

/** The pulse is a process of its own, not of a run. */
const sessions = `
  select pid::text, application_name as name, coalesce(state, 'unknown') as state,
    to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since
  from pg_stat_activity
  where application_name like 'lifeboat-%' and application_name not like 'lifeboat-pulse%' and pid <> pg_backend_pid()`;

const replay = `
  select case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else 'not paused' end as pause,
    coalesce(pg_last_wal_replay_lsn()::text, '0/0') as lsn,
    to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as started`;

/** A server that is down has neither sessions nor a replay that could be paused. */
export async function leftOnServer(member: Member): Promise<{ found: LeftoverFound[] }> {
  const server = await socketOf(member).catch(() => undefined);
  if (server === undefined) return { found: [] };
  return withSession(server.place, 'postgres', 'sweep', async (client) => ({
    found: [...(await sessionsOn(client, member.host)), ...(await pausedReplay(client, member))],
  })).catch(() => ({ found: [] }));
}

async function sessionsOn(client: Client, host: string): Promise<LeftoverFound[]> {
  return (await all(client, sessions)).map(({ pid, name, state, since }) => ({
    host,
    kind: 'session' as const,
    what: `session ${name} (pid ${pid}, ${state}) on the server of ${host}`,
    pid: Number(pid),
    identity: `${pid} ${since}`,
    ...(since == null ? {} : { since }),
  }));
}

async function pausedReplay(client: Client, { host, dataDirectory }: Member): Promise<LeftoverFound[]> {
  const { pause, lsn, started } = await one(client, replay);
  if (pause === 'not paused') return [];
  const watched = (await watchdogsOf(dataDirectory)).length > 0;
  return [
    {
      host,
      kind: 'paused-replay',
      what: `replay on standby ${host} is paused at ${lsn}`,
      identity: `${lsn} ${started}`,
      ...(watched ? { note: 'Lifeboat has paused it, and a process of it would resume it in time' } : {}),
      watched,
    },
  ];
}

/** @throws Moved another session has its number by now */
export async function endSession(member: Member, left: LeftoverFound): Promise<void> {
  const { place } = await socketOf(member);
  await withSession(place, 'postgres', 'sweep', async (client) => {
    const now = (await sessionsOn(client, member.host)).find(({ pid }) => pid === left.pid);
    if (now === undefined) return;
    if (now.identity !== left.identity) throw moved(left, now.what);
    await client.query('select pg_terminate_backend($1, 5000)', [left.pid]);
  });
}

/** @throws Moved it went on meanwhile, and was paused again elsewhere */
export async function resumeReplay(member: Member, left: LeftoverFound): Promise<void> {
  const { place } = await socketOf(member);
  await withSession(place, 'postgres', 'sweep', async (client) => {
    const [now] = await pausedReplay(client, member);
    if (now !== undefined && now.identity !== left.identity) throw moved(left, now.what);
    await client.query('select pg_wal_replay_resume() where pg_is_in_recovery()');
    const { pause } = await one(client, replay);
    if (pause !== 'not paused')
      throw failure(
        'LitterFound',
        `${left.what}, and says "${pause}" after it was told to go on; expected it to go on.`,
      );
  });
  await endWatchdogs(member.dataDirectory);
}

function moved(left: LeftoverFound, now: string): Error {
  return failure(
    'Moved',
    `${left.what} was shown, and now there is ${now}. Nothing more was removed on ${left.host}: look again (lifeboat sweep).`,
  );
}
