/** The front door of the service: closed while nobody may write, opened to the server that is the primary now. */
import type { FrontDoor, Traffic } from '../../plan/schema.ts';
import { statesOf } from '../cluster/members.ts';
import type { ControlChanges, DoorServer } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { closeDatabase, databaseFailure, openDatabase, placeOf } from '../postgres/front-door.ts';
import type { Found } from '../shapes.ts';
import { haproxy } from './haproxy.ts';
import type { TrafficKind } from './kind.ts';

const kinds: Record<Traffic['kind'], TrafficKind> = { haproxy };

/** Milliseconds; people's writes are stopped meanwhile. */
const patience = { connectMs: 1_500, statementMs: 1_500 };
const opensWithinMs = 20_000;
const refusesWithinMs = 3_000;
const othersWithinMs = 1_500;

/** @throws TrafficUnreachable @throws PlanInvalid */
export async function doorState({ traffic }: { traffic: Traffic }): Promise<Found & { servers: DoorServer[] }> {
  const found = await kinds[traffic.kind].backends(traffic);
  const servers = found.map(({ server, state, serves, checkedOut, sessions }) => ({
    server,
    state,
    serves,
    checked: checkedOut,
    sessions,
  }));
  return {
    servers,
    found: servers.map(({ server, state, sessions }) => `${server} ${state}, ${sessions} sessions`).join('; '),
  };
}

/**
 * Safe to repeat.
 *
 * @throws DoorOpen somebody still comes through
 */
export async function closeDoor({
  traffic,
  frontDoor,
}: {
  traffic: Traffic;
  frontDoor: FrontDoor;
}): Promise<Found & { at: string }> {
  await kinds[traffic.kind].close(traffic);
  const at = new Date().toISOString();
  const refused = await refusal(frontDoor);
  return {
    at,
    found: `no server of ${traffic.backend} takes sessions; a client at ${placeOf(frontDoor)} is refused: ${refused}`,
    expected: 'nobody comes through the front door',
  };
}

async function refusal(door: FrontDoor): Promise<string> {
  const deadline = performance.now() + refusesWithinMs;
  for (;;) {
    try {
      closeDatabase(await openDatabase(door, 'door', patience));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    if (performance.now() > deadline)
      throw failure(
        'DoorOpen',
        `a client still comes through ${placeOf(door)}, though the load balancer says that no server takes sessions. Is it the way that the plan's traffic leads? See database.frontDoor and traffic.`,
      );
    await pause(50);
  }
}

type OpenAsk = Parameters<ControlChanges['openDoor']>[0];

/**
 * Safe to repeat. Asks every other member first.
 *
 * @throws SplitBrain another one says that it is the primary: the door stays as it is
 * @throws DoorOpen it leads elsewhere, or no write comes through in time
 */
export async function openDoor(ask: OpenAsk): Promise<Found & { at: string; lsn: string }> {
  const { traffic, database, to } = ask;
  await onlyOne(ask);
  await kinds[traffic.kind].open(traffic, to);
  const lsn = await firstWrite(ask);
  return {
    at: new Date().toISOString(),
    lsn,
    found: `${traffic.backend} leads to ${to}; a write through ${placeOf(database.frontDoor)} was acknowledged on timeline ${ask.timeline}, at ${lsn}`,
    expected: `an acknowledged write that lands on ${to}`,
  };
}

/** Who does not answer is unknown: that it stands still was proven by its own host. */
async function onlyOne({ database, addresses, to }: OpenAsk): Promise<void> {
  const others = { ...database, members: database.members.filter(({ host }) => host !== to) };
  const silent = pause(othersWithinMs).then(() => []);
  const states = await Promise.race([statesOf(others, addresses), silent]);
  const primary = states.find(({ role }) => role === 'primary');
  if (primary !== undefined)
    throw failure(
      'SplitBrain',
      `${primary.host} says that it is the primary too (timeline ${primary.timeline ?? 'unknown'}), beside ${to}. The front door stays closed: stop one of them, compare what each has written, and only then open it by hand.`,
    );
}

/** Through the door, as the service's own role: a transaction of its own is a write, and leaves nothing behind. */
async function firstWrite(ask: OpenAsk): Promise<string> {
  const door = ask.database.frontDoor;
  const deadline = performance.now() + opensWithinMs;
  for (;;) {
    const tried = await write(ask).catch((error: unknown) => databaseFailure(error, door));
    if (!(tried instanceof Error)) return tried;
    if (performance.now() > deadline)
      throw failure(
        'DoorOpen',
        `no write came through ${placeOf(door)} within ${opensWithinMs / 1000} s: ${tried.message}`,
      );
    await pause(20);
  }
}

async function write({ database, to, timeline, systemIdentifier }: OpenAsk): Promise<string> {
  const client = await openDatabase(database.frontDoor, 'door', patience);
  try {
    await client.query('select pg_current_xact_id()');
    const { rows } = await client.query<{ lsn: string; timeline: number; system: string }>(
      `select pg_current_wal_lsn()::text as lsn, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline,
         (select system_identifier::text from pg_control_system()) as system`,
    );
    const [row] = rows;
    if (row?.system === systemIdentifier && row.timeline === timeline) return row.lsn;
    throw failure(
      'DoorOpen',
      `the front door leads to a server on timeline ${row?.timeline} (cluster ${row?.system}), expected ${to} on timeline ${timeline}.`,
    );
  } finally {
    closeDatabase(client);
  }
}

/** @throws DoorOpen the load balancer's own check does not keep it out */
export async function releaseServer({ traffic, server }: { traffic: Traffic; server: string }): Promise<Found> {
  await kinds[traffic.kind].release(traffic, server);
  return {
    found: `${server} is left to the load balancer's own check again, which keeps it out while it is a standby`,
    expected: 'one server that is given sessions',
  };
}
