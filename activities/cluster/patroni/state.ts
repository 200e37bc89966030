import {
  clusterInWords,
  contradictionsIn,
  type PatroniCluster,
  type PatroniMember,
  roleOf,
} from '../../../recovery/patroni.ts';
import type { PatroniAsk } from '../../contract-of-patroni.ts';
import { failure } from '../../failure.ts';
import { pause } from '../../heartbeat.ts';
import type { Found } from '../../shapes.ts';
import { standalone } from '../standalone.ts';
import { askPatroni } from './rest.ts';

/** Milliseconds. A Patroni whose store is away tries that first, for its retry_timeout. */
const patience = 5_000;

/** As Patroni 3.0 and 4 answer `GET /patroni`; everything may be absent. */
interface OwnWords {
  state?: string;
  role?: string;
  timeline?: number;
  xlog?: { paused?: boolean };
  replication?: { application_name?: string; state?: string }[];
  tags?: Record<string, unknown>;
  pause?: boolean;
  database_system_identifier?: string;
  failsafe_mode_is_active?: boolean;
  patroni?: { version?: string; scope?: string };
}

/** `GET /cluster`. */
interface StoreWords {
  members?: {
    name?: string;
    role?: string;
    state?: string;
    timeline?: number;
    lag?: number | string;
    tags?: Record<string, unknown>;
  }[];
  pause?: boolean;
  scheduled_switchover?: { at?: string; from?: string; to?: string };
}

/** `GET /config`. */
interface Configuration {
  maximum_lag_on_failover?: number;
  synchronous_mode?: boolean | string;
  synchronous_mode_strict?: boolean;
  failsafe_mode?: boolean;
  pause?: boolean;
}

/** `GET /history`: timeline, fork, reason, when, who became the leader. The last two are absent for what Patroni has not seen itself. */
type History = [timeline: number, lsn: number, reason: string, at?: string, leader?: string][];

/** Patroni's own default, bytes. */
const usualLag = 1_048_576;

const betweenMs = 300;
const remembersWithinMs = 10_000;

/**
 * No verdict: who judges needs what was said.
 *
 * @throws PlanInvalid the answers are of another cluster than the plan's
 */
export async function patroniState(ask: PatroniAsk & { withinMs?: number }): Promise<Found & PatroniCluster> {
  const { withinMs = 0 } = ask;
  const began = performance.now();
  for (;;) {
    const now = await asked(ask);
    const spent = performance.now() - began;
    const leader = now.members.find(({ host, server }) => host === now.leader && server.role === 'primary');
    // Neither a pause ends by itself, nor does anybody get a lock where there is no store. But a lock of who is gone runs out.
    const inVain = (now.paused && now.leader === undefined) || now.storeSilent !== undefined;
    const remembers = remembered(now, leader?.server.timeline) || spent > Math.min(withinMs, remembersWithinMs);
    if ((leader !== undefined && remembers) || inVain || spent > withinMs) return sure(now, leader?.server.timeline);
    await pause(betweenMs);
  }
}

/** A leader notes its promotion some moments after it: until then the newest note is of an earlier one. */
function remembered({ changed }: PatroniCluster, timeline: number | undefined): boolean {
  return timeline === 1 || (changed !== undefined && changed.timeline + 1 === timeline);
}

/** When an earlier change was says nothing of this one. */
function sure<C extends PatroniCluster>(cluster: C, timeline: number | undefined): C {
  if (cluster.changed === undefined || timeline === undefined || remembered(cluster, timeline)) return cluster;
  const { at: _at, ...changed } = cluster.changed;
  return { ...cluster, changed };
}

/** All at once: what is asked one after the other belongs to different moments. */
async function asked(ask: PatroniAsk): Promise<Found & PatroniCluster> {
  const hosts = ask.database.members.map(({ host }) => host);
  const [servers, own, lists, configurations, histories] = await Promise.all([
    standalone.members(ask.database, ask.addresses),
    Promise.all(hosts.map((host) => said<OwnWords>(ask, host, '/patroni'))),
    Promise.all(hosts.map((host) => said<StoreWords>(ask, host, '/cluster'))),
    Promise.all(hosts.map((host) => said<Configuration>(ask, host, '/config'))),
    Promise.all(hosts.map((host) => said<History>(ask, host, '/history'))),
  ]);
  const known = lists.find((one) => 'words' in one);
  const store = known !== undefined && 'words' in known ? known.words : undefined;
  const settings = configurations.flatMap((one) => ('words' in one ? [one.words] : []))[0] ?? {};
  const members = hosts.map((host, index): PatroniMember => {
    const { host: _host, ...server } = servers[index] ?? { host, role: 'unknown' as const };
    const answer = own[index];
    const words = answer !== undefined && 'words' in answer ? answer.words : undefined;
    const listed = store?.members?.find(({ name }) => name === host);
    return {
      host,
      server,
      ...(words === undefined ? {} : { own: ownOf(words) }),
      ...(listed === undefined ? {} : { listed: listedOf(listed) }),
      tags: tagsOf({ ...listed?.tags, ...words?.tags }),
      ...(answer !== undefined && 'why' in answer ? { why: answer.why } : {}),
    };
  });
  const cluster = {
    members,
    ...leaderOf(store),
    ...(store === undefined ? { storeSilent: whyNone(lists) } : {}),
    paused: store?.pause === true || own.some((one) => 'words' in one && one.words.pause === true),
    synchronous: synchronousOf(settings),
    maximumLagBytes: settings.maximum_lag_on_failover ?? usualLag,
    failsafeMode: settings.failsafe_mode === true,
    ...scheduledIn(store),
    ...changedIn(histories.flatMap((one) => ('words' in one ? [one.words] : []))),
  };
  refuseStrangers(ask, members, store);
  const contradictions = [...contradictionsIn(cluster), ...differentLeaders(hosts, lists)];
  return {
    ...cluster,
    contradictions,
    found: clusterInWords({ ...cluster, contradictions }),
    expected: 'one leader that writes, every other member a standby of it, and one answer from all who are asked',
  };
}

type Said<T> = { words: T } | { why: string };

async function said<T>(ask: PatroniAsk, host: string, path: string): Promise<Said<T>> {
  try {
    const { status, text } = await askPatroni(ask, host, { path, withinMs: patience });
    const words: unknown = status < 500 || path === '/patroni' ? JSON.parse(text) : undefined;
    return typeof words === 'object' && words !== null
      ? { words: words as T }
      : { why: `it answered ${path} with status ${status}` };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

function ownOf(words: OwnWords): NonNullable<PatroniMember['own']> {
  const { state = 'unknown', role, timeline, xlog, replication = [], patroni } = words;
  return {
    role: roleOf(role),
    state,
    ...(typeof timeline === 'number' && timeline > 0 ? { timeline } : {}),
    version: patroni?.version ?? 'unknown',
    scope: patroni?.scope ?? '',
    streams: replication.flatMap((one) => (one.state === 'streaming' ? [one.application_name ?? ''] : [])),
    replayPaused: xlog?.paused === true,
    ...(words.database_system_identifier ? { systemIdentifier: words.database_system_identifier } : {}),
    failsafe: words.failsafe_mode_is_active === true,
  };
}

function listedOf({ role = '', state = '', timeline, lag }: NonNullable<StoreWords['members']>[number]) {
  return {
    role,
    state,
    ...(timeline === undefined ? {} : { timeline }),
    ...(typeof lag === 'number' ? { lagBytes: lag } : {}),
  };
}

function tagsOf(tags: Record<string, unknown>): PatroniMember['tags'] {
  const on = (name: string) => tags[name] === true || tags[name] === 'true';
  return {
    // Since Patroni 3.2 a priority of 0 says the same.
    nofailover: on('nofailover') || tags.failover_priority === 0,
    nosync: on('nosync'),
    noloadbalance: on('noloadbalance'),
    clonefrom: on('clonefrom'),
  };
}

function leaderOf(store: StoreWords | undefined): { leader?: string } {
  const name = store?.members?.find(({ role }) => role === 'leader' || role === 'standby_leader')?.name;
  return name === undefined ? {} : { leader: name };
}

function synchronousOf({ synchronous_mode: mode, synchronous_mode_strict: strict }: Configuration) {
  if (mode === 'quorum') return 'quorum' as const;
  if (mode === true || mode === 'on') return strict === true ? ('strict' as const) : ('on' as const);
  return 'off' as const;
}

/** The longest one is the newest: each Patroni remembers it for itself. */
function changedIn(histories: History[]): Pick<PatroniCluster, 'changed'> {
  const newest = histories.flatMap((history) => history.slice(-1)).toSorted((a, b) => b[0] - a[0])[0];
  if (newest === undefined) return {};
  const [timeline, lsn, , at] = newest;
  return { changed: { timeline, lsn: lsnText(lsn), ...(at === undefined ? {} : { at: new Date(at).toISOString() }) } };
}

function lsnText(position: number): string {
  const half = 2 ** 32;
  return `${Math.floor(position / half).toString(16)}/${(position % half).toString(16)}`.toUpperCase();
}

function scheduledIn(store: StoreWords | undefined): { scheduled?: string } {
  const planned = store?.scheduled_switchover;
  if (planned === undefined) return {};
  const { at = 'some time', from, to } = planned;
  return { scheduled: `for ${at}${from === undefined ? '' : `, from ${from}`}${to === undefined ? '' : `, to ${to}`}` };
}

function whyNone(lists: Said<StoreWords>[]): string {
  return lists.flatMap((one) => ('why' in one ? [one.why] : []))[0] ?? 'no member answers';
}

/** Each Patroni asks the store itself: one that hears of another leader sits on the other side of a broken network. */
function differentLeaders(hosts: string[], lists: Said<StoreWords>[]): string[] {
  const heard = lists.flatMap((one, index) =>
    'words' in one ? [{ host: hosts[index] ?? '', leader: leaderOf(one.words).leader ?? 'nobody' }] : [],
  );
  return new Set(heard.map(({ leader }) => leader)).size < 2
    ? []
    : [heard.map(({ host, leader }) => `by ${host} the lock is with ${leader}`).join(', ')];
}

function refuseStrangers({ database }: PatroniAsk, members: PatroniMember[], store: StoreWords | undefined): void {
  const other = members.find(({ own }) => own !== undefined && own.scope !== '' && own.scope !== database.scope);
  if (other !== undefined)
    throw failure(
      'PlanInvalid',
      `Patroni on ${other.host} keeps cluster "${other.own?.scope}", expected "${database.scope}". Correct database.scope or database.rest in the plan.`,
    );
  const names = store?.members?.flatMap(({ name }) => name ?? []) ?? [];
  const strangers = names.filter((name) => members.every(({ host }) => host !== name));
  if (strangers.length > 0)
    throw failure(
      'PlanInvalid',
      `Patroni's cluster "${database.scope}" has ${names.join(', ')}; ${strangers.join(' and ')} ${strangers.length === 1 ? 'is' : 'are'} not in the plan. Name the members in database.members as Patroni does, all of them: one that is not asked could be the primary.`,
    );
}
