/**
 * What a cluster that Patroni keeps is, by three voices: the store with its lock, Patroni beside each server, and the servers themselves.
 * Only what they agree on is believed. Pure.
 */
import type { Lsn } from './archive.ts';

export interface PatroniMember {
  host: string;
  /** What the server says of itself. */
  server: { role: 'primary' | 'standby' | 'unknown'; timeline?: number; lsn?: Lsn; lagMs?: number; why?: string };
  /** What Patroni beside it says; absent: it does not answer. */
  own?: {
    role: 'primary' | 'standby' | 'other';
    /** Patroni's own word: `running`, `starting`, `stopped`, `start failed`. */
    state: string;
    timeline?: number;
    version: string;
    scope: string;
    /** Standbys that stream from it, by their names. */
    streams: string[];
    /** Replay is paused by somebody. */
    replayPaused: boolean;
    systemIdentifier?: string;
    /** Keeps serving without its store, because every member has said yes to that. */
    failsafe: boolean;
  };
  /** How the store lists it; absent: it does not. Stale by some seconds, and for as long as the store is away. */
  listed?: { role: string; state: string; timeline?: number; lagBytes?: number };
  tags: { nofailover: boolean; nosync: boolean; noloadbalance: boolean; clonefrom: boolean };
  /** Why Patroni beside it does not answer. */
  why?: string;
}

export interface PatroniCluster {
  members: PatroniMember[];
  /** Who holds the lock, as the store says. */
  leader?: string;
  /** Why the store cannot be asked; absent: it answers. */
  storeSilent?: string;
  paused: boolean;
  synchronous: 'off' | 'on' | 'strict' | 'quorum';
  /** `maximum_lag_on_failover`, bytes. */
  maximumLagBytes: number;
  failsafeMode: boolean;
  /** The newest change of leader that Patroni remembers: from which timeline, where it was forked, when. */
  changed?: { timeline: number; lsn: Lsn; at?: string };
  /** A switchover that somebody has planned: `at 2026-12-01T02:00:00Z, from db1`. */
  scheduled?: string;
  /** What the voices contradict each other in, one sentence each. */
  contradictions: string[];
}

/** Patroni 4 says primary where 3 said master. */
export function roleOf(word: unknown): 'primary' | 'standby' | 'other' {
  if (word === 'master' || word === 'primary') return 'primary';
  return word === 'replica' || word === 'standby_leader' || word === 'sync_standby' || word === 'quorum_standby'
    ? 'standby'
    : 'other';
}

/** A standby that streams is `running` before Patroni 3.0.4, and `streaming` since. */
const servingStates = ['running', 'streaming', 'in archive recovery'];

/** What the voices contradict each other in. */
export function contradictionsIn({ members, leader, storeSilent }: Omit<PatroniCluster, 'contradictions'>): string[] {
  return [
    ...members.flatMap(betweenPatroniAndServer),
    ...(storeSilent === undefined ? betweenStoreAndServers(members, leader) : []),
  ];
}

function betweenPatroniAndServer({ host, own, server }: PatroniMember): string[] {
  if (own === undefined || server.role === 'unknown' || !servingStates.includes(own.state)) return [];
  if (own.role !== server.role)
    return [`Patroni on ${host} says that its server is ${inWords(own.role)}, the server itself ${server.role}`];
  // What a standby receives it shows to its own user alone: others see that of its last restartpoint.
  if (server.role !== 'primary' || own.timeline === undefined || server.timeline === undefined) return [];
  return own.timeline === server.timeline
    ? []
    : [`Patroni on ${host} says timeline ${own.timeline}, the server itself ${server.timeline}`];
}

const inWords = (role: string) => (role === 'other' ? 'neither primary nor standby' : role);

function betweenStoreAndServers(members: PatroniMember[], leader: string | undefined): string[] {
  return members.flatMap(({ host, own, server, listed }) => {
    // The store forgets a member that is gone, once its lease has run out.
    if (listed === undefined && own === undefined) return [];
    if (listed === undefined) return [`Patroni's store does not list ${host}`];
    if (server.role === 'primary' && host !== leader)
      return [`${host} writes, and the lock is with ${leader ?? 'nobody'}`];
    return server.role === 'standby' && host === leader ? [`${host} holds the lock, and is a standby`] : [];
  });
}

/** One sentence for people. */
export function clusterInWords(cluster: PatroniCluster): string {
  const { members, leader, storeSilent, paused, synchronous, scheduled, contradictions } = cluster;
  const lock =
    storeSilent === undefined ? `lock: ${leader ?? 'nobody'}` : `Patroni's store cannot be asked (${storeSilent})`;
  const notes = [
    ...(paused ? ['paused'] : []),
    ...(synchronous === 'off' ? [] : [`synchronous mode ${synchronous}`]),
    ...(scheduled === undefined ? [] : [`a switchover is planned ${scheduled}`]),
    ...contradictions.map((one) => `CONTRADICTION: ${one}`),
  ];
  return [lock, ...members.map(memberInWords), ...notes].join('; ');
}

function memberInWords({ host, server, own, tags, why }: PatroniMember): string {
  const said = server.role === 'unknown' ? `unknown (${server.why ?? 'no answer'})` : server.role;
  const where = server.timeline === undefined ? '' : ` on timeline ${server.timeline} at ${server.lsn ?? 'unknown'}`;
  const patroni = own === undefined ? `, Patroni does not answer (${why ?? 'no answer'})` : `, Patroni: ${own.state}`;
  const set = Object.entries(tags).flatMap(([name, on]) => (on ? [name] : []));
  return `${host} ${said}${where}${patroni}${set.length === 0 ? '' : `, ${set.join(', ')}`}`;
}

/** What speaks against a planned change from `from` to `to`, one sentence each with what to do about it; empty when nothing does. */
export function objectionsToSwitchover(cluster: PatroniCluster, from: string, to: string): string[] {
  const { paused, scheduled, contradictions } = cluster;
  const strangers = cluster.members.filter(({ own }) => own === undefined).map(({ host }) => host);
  return [
    ...withoutStore(cluster),
    ...(paused
      ? ['Patroni is paused, so its standbys would not be made to follow. Resume it (patronictl resume)']
      : []),
    ...(scheduled === undefined
      ? []
      : [`a switchover is planned ${scheduled}. Take it back (patronictl flush CLUSTER switchover)`]),
    ...contradictions.map((one) => `${one}. Wait until they agree, or find out which is right`),
    ...(strangers.length === 0
      ? []
      : [`Patroni on ${strangers.join(' and ')} does not answer. Bring it back, or take it out of the plan`]),
    ...(cluster.leader === from ? [] : [`the lock is with ${cluster.leader ?? 'nobody'}, expected ${from}`]),
    ...unfit(cluster, to, true),
  ];
}

/** What speaks against Patroni making `to` the leader where nobody is. */
export function objectionsToFailover(cluster: PatroniCluster, to: string): string[] {
  return [...withoutStore(cluster), ...unfit(cluster, to, false)];
}

function withoutStore({ storeSilent }: PatroniCluster): string[] {
  return storeSilent === undefined
    ? []
    : [
        `Patroni's store cannot be asked (${storeSilent}): without it nobody can take the lock. Bring the store back, or its quorum`,
      ];
}

function unfit(cluster: PatroniCluster, to: string, planned: boolean): string[] {
  const found = cluster.members.find(({ host }) => host === to);
  if (found === undefined) return [`${to} is no member`];
  const { own, listed, server, tags } = found;
  const { maximumLagBytes, synchronous } = cluster;
  return [
    ...(own === undefined || servingStates.includes(own.state) ? [] : [`the server on ${to} is "${own.state}"`]),
    ...(server.role === 'standby'
      ? []
      : [`${to} is ${server.role}, expected a standby (${server.why ?? 'it says so'})`]),
    ...(tags.nofailover ? [`${to} carries the tag nofailover. Choose another, or take the tag away and reload`] : []),
    ...(own?.replayPaused ? [`replay on ${to} is paused by somebody: select pg_wal_replay_resume() on it`] : []),
    ...(planned && (listed?.lagBytes ?? 0) > maximumLagBytes
      ? [`${to} is ${listed?.lagBytes} bytes behind, more than maximum_lag_on_failover (${maximumLagBytes}). Wait`]
      : []),
    ...(synchronous === 'off' || !planned || listed?.role === 'sync_standby' || listed?.role === 'quorum_standby'
      ? []
      : [`${to} is no synchronous standby, and Patroni takes no other (synchronous mode ${synchronous})`]),
  ];
}

/** Standbys that Patroni would take, in the plan's order. */
export function candidatesIn(cluster: PatroniCluster): string[] {
  const { members, leader } = cluster;
  return members.flatMap(({ host }) => (host !== leader && unfit(cluster, host, false).length === 0 ? [host] : []));
}

/** Why nobody leads, most telling first; Patroni's own log knows more. */
export function whyNobodyLeads(cluster: PatroniCluster): string[] {
  const { storeSilent, paused, members, maximumLagBytes } = cluster;
  if (storeSilent !== undefined) return withoutStore(cluster);
  const silent = members.filter(({ own }) => own === undefined).map(({ host }) => host);
  const barred = members.filter(({ tags }) => tags.nofailover).map(({ host }) => host);
  const fit = candidatesIn(cluster);
  return [
    ...(paused ? ['Patroni is paused: it promotes nobody by itself'] : []),
    ...(silent.length === 0 ? [] : [`Patroni on ${silent.join(' and ')} does not answer`]),
    ...(barred.length === 0 ? [] : [`${barred.join(' and ')} may not take over (tag nofailover)`]),
    ...(fit.length === 0
      ? ['no standby is fit to take over']
      : [
          `${fit.join(' and ')} could take over: each may be further behind than maximum_lag_on_failover (${maximumLagBytes} bytes), or waits for the lock of a leader that is gone to run out`,
        ]),
  ];
}
