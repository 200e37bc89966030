/** Members of a cache by their names, and by the addresses that Redis and Sentinel know them by. */
import { lookup } from 'node:dns/promises';
import type { CacheAsk, CacheServer } from '../contract.ts';
import { failure } from '../failure.ts';
import type { Login } from './connection.ts';

export interface Member {
  name: string;
  server: CacheServer;
  host: string;
  port: number;
  /** Every address that it is known by. */
  known: string[];
}

const memberName = ({ host, port }: Pick<CacheServer, 'host' | 'port'>): string => `${host}:${port}`;

export function redisLogin({ user, password }: CacheAsk['cache']): Login {
  return { user, password };
}

export function sentinelLogin({ sentinelUser, sentinelPassword }: CacheAsk['cache']): Login {
  return { user: sentinelUser, password: sentinelPassword };
}

/** Sentinel tells addresses, and a plan may tell names: those are looked up. One that does not resolve is known by itself alone. */
export function membersOf({ cache, addresses }: CacheAsk): Promise<Member[]> {
  return Promise.all(
    cache.members.map(async (server) => {
      const host = addresses[server.host] ?? server.host;
      const found = await lookup(host, { all: true }).catch(() => []);
      const known = [...new Set([host, ...found.map(({ address }) => address)])];
      return { name: memberName(server), server, host, port: server.port, known };
    }),
  );
}

/** @returns the address as it is, where it is no member's */
export function nameAt(members: readonly Member[]): (host: string, port: number) => string {
  return (host, port) =>
    members.find((one) => one.port === port && one.known.includes(host))?.name ?? `${host}:${port}`;
}

/** @throws PlanInvalid */
export function named(members: readonly Member[], name: string): Member {
  const found = members.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw failure(
    'PlanInvalid',
    `${name} is no member of the cache, expected one of ${members.map((one) => one.name).join(', ')}. Correct the plan.`,
  );
}
