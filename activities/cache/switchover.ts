/** The planned change of a cache's master. `SENTINEL FAILOVER` alone loses what the old master acknowledges meanwhile; here it acknowledges nothing. */
import { setTimeout as wait } from 'node:timers/promises';
import { type CacheMember, noQuorum, standingOf } from '../../recovery/cache.ts';
import type { CacheAsk, CacheControlChanges, MasterSeen } from '../contract.ts';
import { failure, finalFailure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { type Send, withRedis, wordsOf } from './connection.ts';
import { parseInfo } from './info.ts';
import { type Member, membersOf, named, redisLogin, sentinelLogin } from './members.ts';
import { lookAt } from './state.ts';

type Ask = CacheAsk & { master: MasterSeen; withinMs: number };
type Switched = Awaited<ReturnType<CacheControlChanges['cacheSwitchover']>>;

/** How long writes stand still by one CLIENT PAUSE; one that is needed for longer is renewed before it ends. Milliseconds. */
const pauseMs = 8_000;
const renewBeforeMs = 4_000;
const againMs = 50;
/** Sentinels tell each other every two seconds. */
const heardWithinMs = 15_000;
/** Replicas that are not there by then would keep writers waiting: nothing has been changed yet. */
const equalWithinMs = 5_000;

export async function cacheSwitchover(ask: Ask): Promise<Switched> {
  const known = await membersOf(ask);
  const old = named(known, ask.master.name);
  const { members, sentinels } = await lookAt(ask);
  const heir = heirIn(members, ask.master);
  if (heir !== undefined) {
    await knownToSentinel(ask, heir);
    return finish(ask, old, named(known, heir.name));
  }
  const missing = noQuorum(sentinels);
  if (missing !== undefined) throw failure('QuorumMissing', `${missing}. Nothing was changed.`);
  refuseOther(ask, members);
  const standing = standingOf({ members, sentinels });
  if (standing.kind !== 'healthy')
    throw failure(
      'CacheUnsettled',
      `a planned change begins from one master whom every member follows: ${standing.words}. Nothing was changed.`,
    );
  return withRedis(old, redisLogin(ask.cache), (send) => change(ask, { send, old, known }), ask.withinMs);
}

interface Change {
  send: Send;
  old: Member;
  known: Member[];
}

async function change(ask: Ask, { send, old, known }: Change): Promise<Switched> {
  const began = performance.now();
  const paused = new Pause(send);
  await paused.hold();
  // Between the order and the end of it nobody knows who will be the master: then the pause is left to run out.
  let certain = true;
  try {
    const offset = await allEqual(ask, send, old, known);
    certain = false;
    await askSentinel(ask).catch((error: unknown) => {
      certain = true;
      throw error;
    });
    const heir = await chosen(ask, paused, known, began);
    await becomesReplica(send, heir);
    certain = true;
    const pausedMs = Math.round(performance.now() - began);
    if (!paused.unbroken)
      throw finalFailure(
        'CacheUnsettled',
        `${heir.name} is the master, and writes on ${old.name} were not paused for all the time until it was a replica: what it acknowledged in between is lost. Compare what clients have written.`,
      );
    return await proven(ask, { old, heir, offset, pausedMs });
  } finally {
    // A replica takes no writes, and a master that stayed one goes on.
    if (certain) await send('CLIENT', 'UNPAUSE').catch(() => undefined);
  }
}

/** Writes stand still on the old master: its own clock counts, from when the command arrived, so ours ends before. */
class Pause {
  #endsAt = 0;
  unbroken = true;
  private readonly send: Send;
  constructor(send: Send) {
    this.send = send;
  }

  async hold(): Promise<void> {
    const sent = performance.now();
    await this.send('CLIENT', 'PAUSE', pauseMs, 'WRITE');
    if (this.#endsAt > 0 && performance.now() > this.#endsAt) this.unbroken = false;
    this.#endsAt = sent + pauseMs;
  }

  async renew(): Promise<void> {
    if (performance.now() > this.#endsAt - renewBeforeMs) await this.hold();
  }
}

/** What was acknowledged before the pause lies before the offset that is read after it. */
async function allEqual(ask: Ask, send: Send, old: Member, known: Member[]): Promise<number> {
  const offset = Number(parseInfo(String(await send('INFO', 'replication'))).master_repl_offset);
  const deadline = performance.now() + equalWithinMs;
  for (;;) {
    const { members } = await lookAt(ask);
    const behind = members.filter((one) => one.name !== old.name && (one.replication?.offset ?? -1) < offset);
    if (behind.length === 0) return offset;
    if (performance.now() > deadline)
      throw failure(
        'CacheUnsettled',
        `${behind.map(({ name, replication }) => `${name} has come to ${replication?.offset ?? 'nowhere'}`).join(', ')}, expected ${offset} as ${old.name}. Writes go on there, nothing was changed: bring ${known.length === 2 ? 'the replica' : 'all replicas'} up to date first.`,
      );
    await pause(againMs, { equalAt: offset });
  }
}

/** The first that answers: the others hear of it from there. */
async function askSentinel({ cache }: Ask): Promise<void> {
  let last: unknown;
  for (const place of cache.sentinels)
    try {
      await withRedis(place, sentinelLogin(cache), async (send) => send('SENTINEL', 'FAILOVER', cache.master));
      return;
    } catch (error) {
      if (/INPROG/.test(wordsOf(error))) return;
      last = error;
    }
  throw failure(
    'CacheUnsettled',
    `no Sentinel begins to change the master (${wordsOf(last)}). Writes go on where they were, nothing was changed.`,
  );
}

async function chosen(ask: Ask, paused: Pause, known: Member[], began: number): Promise<Member> {
  for (;;) {
    const { members } = await lookAt(ask);
    const heir = heirIn(members, ask.master);
    if (heir !== undefined) return named(known, heir.name);
    if (performance.now() - began > ask.withinMs)
      throw failure(
        'CacheUnsettled',
        `Sentinel was asked to change the master ${Math.round(ask.withinMs / 1000)} s ago, and ${ask.master.name} still is it. Writes go on there in some seconds, when the pause has run out. See the log of the Sentinel that was asked.`,
      );
    await paused.renew();
    // Not given up in the middle, also when the run is cancelled: what is begun ends within seconds.
    await wait(againMs);
  }
}

/** The history that the old one wrote is the one that it goes on with. */
function heirIn(members: readonly CacheMember[], { name, replicationId }: MasterSeen): CacheMember | undefined {
  return members.find(
    (one) => one.name !== name && one.role === 'master' && one.replication?.before?.id === replicationId,
  );
}

/** As Sentinel itself does it some seconds later, when the pause is over: until then the old one would acknowledge writes that nobody has. */
async function becomesReplica(send: Send, heir: Member): Promise<void> {
  await send('REPLICAOF', heir.host, heir.port);
  const [role] = (await send('ROLE')) as [unknown];
  if (role !== 'slave')
    throw failure(
      'SplitBrain',
      `${heir.name} is the master, and the old one does not become its replica (${role}). Stop the old one.`,
    );
  // They look for the new one by Sentinel; what of them waits in the pause was never acknowledged.
  await send('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined);
  await send('CONFIG', 'REWRITE').catch(() => undefined);
}

/**
 * Somebody may have made it a master by hand: then both take writes, and none of them is ours to stop. One that Sentinel has chosen is known
 * to all of them some moments later; one that the old master follows already is beyond doubt.
 */
async function knownToSentinel(ask: Ask, { name }: CacheMember): Promise<void> {
  const deadline = performance.now() + Math.min(ask.withinMs, heardWithinMs);
  for (;;) {
    const { members, sentinels } = await lookAt(ask);
    if (members.some((one) => one.name === ask.master.name && one.follows?.master === name)) return;
    const leadThere = sentinels.filter(({ master }) => master?.name === name).length;
    if (2 * leadThere > sentinels.length) return;
    if (performance.now() > deadline)
      throw failure(
        'SplitBrain',
        `${name} says that it is the master, and ${leadThere} of ${sentinels.length} Sentinels lead to it; ${ask.master.name} was the master. Nothing was touched. Find out which of them holds what clients have written, and stop the other one.`,
      );
    await pause(againMs, { waitingFor: `Sentinels to know ${name}` });
  }
}

/** A change that was half done by an attempt before: the new master is there, and the old one may not know it. */
async function finish(ask: Ask, old: Member, heir: Member): Promise<Switched> {
  const { members } = await lookAt(ask);
  const still = members.find(({ name }) => name === old.name);
  if (still?.role !== 'master') return proven(ask, { old, heir });
  // Its pause has run out with the worker that held it.
  const alone = still.replication?.offset ?? 0;
  await withRedis(old, redisLogin(ask.cache), async (send) => {
    await send('CLIENT', 'PAUSE', pauseMs, 'WRITE');
    await becomesReplica(send, heir);
    await send('CLIENT', 'UNPAUSE');
  });
  const done = await proven(ask, { old, heir });
  return {
    ...done,
    found: `${done.found}; ${old.name} had gone on alone up to ${alone}: what clients had acknowledged there since is lost`,
  };
}

interface Done {
  old: Member;
  heir: Member;
  offset?: number;
  pausedMs?: number;
}

/** By the new master's own word: where in the old history its own begins. */
async function proven(ask: Ask, { old, heir, offset, pausedMs }: Done): Promise<Switched> {
  const { members } = await lookAt(ask);
  const now = members.find(({ name }) => name === heir.name);
  const from = now?.replication?.before?.offset ?? -1;
  if (now?.role !== 'master' || (offset !== undefined && from < offset))
    throw failure(
      'CacheUnsettled',
      `${heir.name} is ${now?.role ?? 'unknown'} and has the old history up to ${from}, expected a master that has it up to ${offset ?? 'its end'}.`,
    );
  const gap = pausedMs === undefined ? 'was found done' : `writes stood still for ${pausedMs} ms`;
  return {
    master: heir.name,
    ...(offset === undefined ? {} : { offset }),
    ...(pausedMs === undefined ? {} : { pausedMs }),
    found: `${heir.name} is the master and goes on from ${from}${offset === undefined ? '' : `, where ${old.name} had acknowledged up to ${offset}`}; ${gap}`,
    expected: 'all that the old master has acknowledged',
  };
}

function refuseOther({ master }: Ask, members: readonly CacheMember[]): void {
  const now = members.find(({ name }) => name === master.name);
  if (now?.role === 'master' && now.runId === master.runId && now.replication?.id === master.replicationId) return;
  throw failure(
    'Moved',
    `${master.name} is ${now?.role ?? 'unknown'} by now${now?.role === 'master' ? ', started anew or with another history' : ''}, expected the master that was seen before. Look again.`,
  );
}
