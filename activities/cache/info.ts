/** What INFO of a Redis server says, in the words of the judge. */
import type { CacheMember } from '../../recovery/cache.ts';

export type Info = Record<string, string>;

/** `key:value` lines; headings and empty lines are passed over. */
export function parseInfo(text: string): Info {
  return Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return line.startsWith('#') || colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}

/** @param nameOf the member at an address, or the address itself */
export function memberOf(name: string, info: Info, nameOf: (host: string, port: number) => string): CacheMember {
  const { run_id: runId, role } = info;
  const from = { name, ...(runId === undefined ? {} : { runId }) };
  if (info.loading === '1') return { ...from, role: 'unknown', loading: true };
  if (role !== 'master' && role !== 'slave') return { ...from, role: 'unknown', why: 'it does not say its role' };
  return {
    ...from,
    role: role === 'master' ? 'master' : 'replica',
    ...replicationOf(info),
    ...(role === 'slave' ? { follows: followsIn(info, nameOf) } : {}),
    keys: keysIn(info),
    memory: { usedBytes: number(info.used_memory), mostBytes: number(info.maxmemory) },
    appendOnly: appendOnlyIn(info),
    asked: { hits: number(info.keyspace_hits), misses: number(info.keyspace_misses) },
  };
}

function followsIn(info: Info, nameOf: (host: string, port: number) => string): NonNullable<CacheMember['follows']> {
  return {
    master: nameOf(info.master_host ?? '', number(info.master_port)),
    up: info.master_link_status === 'up' && info.master_sync_in_progress !== '1',
  };
}

function replicationOf(info: Info): Pick<CacheMember, 'replication'> {
  const { master_replid: id, master_replid2: before } = info;
  if (id === undefined) return {};
  // A replica's own count of what it has read of its master's.
  const offset = number(info.role === 'slave' ? info.slave_repl_offset : info.master_repl_offset);
  const none = before === undefined || /^0+$/.test(before);
  // Redis counts the first byte that is no more of it.
  const earlier = none ? {} : { before: { id: before, offset: number(info.second_repl_offset) - 1 } };
  return { replication: { id, offset, ...earlier } };
}

/** Of all its databases: `db0:keys=3,expires=0,avg_ttl=0`. */
export function keysIn(info: Info): number {
  return Object.entries(info).reduce(
    (sum, [key, value]) => (/^db\d+$/.test(key) ? sum + number(/keys=(\d+)/.exec(value)?.[1]) : sum),
    0,
  );
}

function appendOnlyIn(info: Info): NonNullable<CacheMember['appendOnly']> {
  if (info.aof_enabled !== '1') return 'off';
  return info.aof_last_write_status === 'err' || info.aof_last_bgrewrite_status === 'err' ? 'failing' : 'on';
}

function number(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}
