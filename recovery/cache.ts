/** How a cache stands, by what each member and each Sentinel says of itself. Pure. Who does not answer is unknown, never "not the master". */

export interface CacheMember {
  /** `db1:6379`: host of the plan, and port. */
  name: string;
  role: 'master' | 'replica' | 'unknown';
  /** Why it says nothing of itself. */
  why?: string;
  /** It does answer, and only its data are not loaded yet. */
  loading?: true;
  /** Changes with each start of the server. */
  runId?: string;
  /** Of the history that it writes or follows, and how far it has come in it, bytes. */
  replication?: { id: string; offset: number; before?: { id: string; offset: number } };
  /** Of a replica: whom it follows by name, an address that is no member's as it is; and whether it hears from it. */
  follows?: { master: string; up: boolean };
  keys?: number;
  memory?: { usedBytes: number; mostBytes: number };
  /** Whether each write goes to a file; `failing`: the last one did not, or no file could be rewritten. */
  appendOnly?: 'on' | 'off' | 'failing';
  /** Of what clients have asked for since the server started. */
  asked?: { hits: number; misses: number };
}

export interface Sentinel {
  /** `10.0.0.1:26379` */
  name: string;
  why?: string;
  /** The master by name, and what Sentinel thinks of it; absent when it knows none. */
  master?: { name: string; down: boolean };
  /** What it says of a choice of another master: by how many it could be agreed upon. */
  quorum?: { ok: boolean; words: string };
}

export interface CacheView {
  members: CacheMember[];
  sentinels: Sentinel[];
}

export type CacheStanding = { words: string } & (
  | { kind: 'healthy'; master: string }
  /** One master serves, and these do not follow it. */
  | { kind: 'replicas-away'; master: string; away: string[] }
  /** No master answers, most Sentinels call it down as well, and these replicas answer. */
  | { kind: 'master-lost'; master: string; living: string[] }
  | { kind: 'all-lost'; master: string }
  | { kind: 'loading' }
  /** The master does not answer us, and Sentinel does not call it down. */
  | { kind: 'unseen' }
  | { kind: 'split' }
  | { kind: 'no-quorum' }
);

export function standingOf(view: CacheView): CacheStanding {
  const { members, sentinels } = view;
  const masters = members.filter(({ role }) => role === 'master').map(({ name }) => name);
  const told = toldBySentinels(sentinels);
  if (masters.length > 1) return { kind: 'split', words: `${masters.join(' and ')} each say that they are the master` };
  if (told.length > 1) return { kind: 'split', words: `Sentinels disagree on the master: ${told.join(', ')}` };
  const missing = noQuorum(sentinels);
  if (missing !== undefined) return { kind: 'no-quorum', words: `${missing}. ${memberWords(members)}` };
  const [master = ''] = told;
  if (!members.some(({ name }) => name === master))
    return { kind: 'split', words: `Sentinel's master is ${master || 'unknown'}, which is no member of the plan` };
  const [says] = masters;
  if (says !== undefined && says !== master)
    return { kind: 'split', words: `${says} says that it is the master, and Sentinels lead to ${master}` };
  if (says === undefined) return withoutMaster(view, master);
  const away = members.filter((one) => one.name !== master && !follows(one, master)).map(({ name }) => name);
  const words = memberWords(members);
  return away.length === 0 ? { kind: 'healthy', master, words } : { kind: 'replicas-away', master, away, words };
}

function withoutMaster({ members, sentinels }: CacheView, master: string): CacheStanding {
  const words = memberWords(members);
  const own = members.find(({ name }) => name === master);
  if (own?.loading) return { kind: 'loading', words: `${master} loads its data. ${words}` };
  if (own?.role === 'replica')
    return { kind: 'split', words: `Sentinels lead to ${master}, which says that it is a replica` };
  const down = sentinels.filter((one) => one.master?.down === true).length;
  if (down < majority(sentinels))
    return {
      kind: 'unseen',
      words: `${master} does not answer (${own?.why ?? 'no word'}), and ${down} of ${sentinels.length} Sentinels call it down`,
    };
  const living = members.filter(({ role }) => role === 'replica').map(({ name }) => name);
  return living.length > 0 ? { kind: 'master-lost', master, living, words } : { kind: 'all-lost', master, words };
}

/** Which masters are named, each once. */
function toldBySentinels(sentinels: readonly Sentinel[]): string[] {
  return [...new Set(sentinels.flatMap(({ master }) => (master === undefined ? [] : [master.name])))];
}

function majority(sentinels: readonly Sentinel[]): number {
  return Math.floor(sentinels.length / 2) + 1;
}

/** @returns what is missing, in words; undefined when most of them could agree on another master */
export function noQuorum(sentinels: readonly Sentinel[]): string | undefined {
  const ok = sentinels.filter(({ quorum }) => quorum?.ok === true).length;
  if (ok >= majority(sentinels)) return undefined;
  const whys = sentinels.flatMap(({ name, why, quorum }) =>
    quorum?.ok === true ? [] : [`${name}: ${why ?? quorum?.words ?? 'knows no such master'}`],
  );
  return `${ok} of ${sentinels.length} Sentinels could have another master chosen, expected ${majority(sentinels)} at least (${whys.join('; ')})`;
}

function follows(member: CacheMember, master: string): boolean {
  return member.role === 'replica' && member.follows?.master === master && member.follows.up;
}

function memberWords(members: readonly CacheMember[]): string {
  return members.map(wordsOf).join('; ');
}

function wordsOf(member: CacheMember): string {
  const { name, role, why, follows, replication, keys, memory, appendOnly } = member;
  if (member.loading) return `${name} loads its data`;
  if (role === 'unknown') return `${name} unknown (${why ?? 'no word'})`;
  const parts = [
    role === 'master' ? 'master' : `replica of ${follows?.master ?? 'nobody'}${follows?.up ? '' : ', link down'}`,
    ...(replication === undefined ? [] : [`offset ${replication.offset}`]),
    ...(keys === undefined ? [] : [`${keys} keys`]),
    ...(tight(memory) ? ['memory nearly full'] : []),
    ...(appendOnly === 'failing' ? ['its append-only file FAILS'] : []),
  ];
  return `${name} ${parts.join(', ')}`;
}

/** Above 95% of what it may take, it evicts or refuses. */
function tight(memory: CacheMember['memory']): boolean {
  return memory !== undefined && memory.mostBytes > 0 && memory.usedBytes > 0.95 * memory.mostBytes;
}

/** May become something else by itself within seconds: Sentinel has just chosen, or has not noticed yet. */
export function mayPass({ kind }: CacheStanding): boolean {
  return kind === 'split' || kind === 'unseen' || kind === 'loading';
}

/** What lies on the disk of a member that does not run. */
export interface CacheFiles {
  name: string;
  running: boolean;
  /** There is something to start with. */
  content: boolean;
}

export type WayBack =
  | { way: 'start'; first: string }
  /** Only these have anything: whoever started the empty master before them would have them emptied after it. */
  | { way: 'failover'; start: string[] }
  | { way: 'restore' };

/** When nobody answers: what is on the disks comes back before what is in an RDB file, and an empty master never comes first. */
export function wayOutOfNothing(master: string, files: readonly CacheFiles[]): WayBack {
  const has = files.filter(({ content }) => content).map(({ name }) => name);
  if (has.includes(master)) return { way: 'start', first: master };
  return has.length > 0 ? { way: 'failover', start: has } : { way: 'restore' };
}

/** Share of what was asked for between two looks that was there; undefined when nothing was asked for, or the server is another one. */
export function hitRatio(
  before: CacheMember,
  after: CacheMember,
): { ratio: number; hits: number; misses: number } | undefined {
  if (before.asked === undefined || after.asked === undefined || before.runId !== after.runId) return undefined;
  const hits = after.asked.hits - before.asked.hits;
  const misses = after.asked.misses - before.asked.misses;
  return hits + misses > 0 ? { ratio: hits / (hits + misses), hits, misses } : undefined;
}
