/** A cache of two servers and three Sentinels in memory: what it is asked and told changes it, as Redis and Sentinel would. */
import type {
  Cache,
  CacheControlChanges,
  CacheControlReads,
  CacheHostChanges,
  CacheHostReads,
  CacheServer,
  CacheState,
} from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import { type CacheMember, type Sentinel, standingOf } from '../../recovery/cache.ts';

const serverOn = (host: string): CacheServer => ({
  host,
  port: 6379,
  dataDirectory: `/srv/redis-${host}`,
  config: '/etc/redis/redis.conf',
  control: { start: ['/bin/start', host], stop: ['/bin/stop', host] },
});

/** As it stands in a plan. */
export const cacheComponent: Cache = {
  kind: 'redis-sentinel',
  after: [],
  master: 'mymaster',
  sentinels: [1, 2, 3].map((number) => ({ host: `10.0.0.${number}`, port: 26379 })),
  members: ['db1', 'db2'].map(serverOn),
  password: '$' + '{env:REDIS}',
  restoreFrom: '/srv/backups/dump.rdb',
  healthyWithin: 30_000,
};

type Host = 'db1' | 'db2';

interface FakeServer {
  running: boolean;
  role: 'master' | 'replica';
  /** On its disk, and loaded when it starts; undefined: nothing. */
  keys: number | undefined;
  aside?: { keys: number | undefined };
}

export class FakeCache {
  servers: Record<Host, FakeServer> = {
    db1: { running: true, role: 'master', keys: 500 },
    db2: { running: true, role: 'replica', keys: 500 },
  };
  /** Whom Sentinels lead to. */
  leads: Host = 'db1';
  sentinelsThatAnswer = 3;
  rdb: { keys: number; sha256: string } | 'damaged' = { keys: 480, sha256: 'ab' };
  /** What clients find of what they ask for. */
  ratio = 0.95;
  /** A host without a worker. */
  silent: Host | undefined;
  readonly warmedWith: string[] = [];

  #name(host: string): string {
    return `${host}:6379`;
  }

  #server(host: string): FakeServer {
    return this.servers[host === 'db1' ? 'db1' : 'db2'];
  }

  #state(): CacheState {
    const members = (['db1', 'db2'] as const).map((host): CacheMember => {
      const { running, role, keys = 0 } = this.servers[host];
      const name = this.#name(host);
      if (!running) return { name, role: 'unknown', why: 'nobody listens' };
      const follows =
        role === 'replica' ? { follows: { master: this.#name(this.leads), up: this.servers[this.leads].running } } : {};
      return { name, role, runId: host, replication: { id: 'history', offset: 100 }, keys, ...follows };
    });
    const down = !this.servers[this.leads].running;
    const sentinels = [1, 2, 3].map((number): Sentinel => {
      const name = `10.0.0.${number}:26379`;
      if (number > this.sentinelsThatAnswer) return { name, why: 'nobody listens' };
      const ok = this.sentinelsThatAnswer > 1;
      return { name, master: { name: this.#name(this.leads), down }, quorum: { ok, words: ok ? 'OK' : 'NOQUORUM' } };
    });
    const standing = standingOf({ members, sentinels });
    return { members, sentinels, standing, found: standing.words };
  }

  #takesOver(lost: string): string {
    const heir: Host = lost === this.#name('db1') ? 'db2' : 'db1';
    this.servers[heir].role = 'master';
    this.servers[heir === 'db1' ? 'db2' : 'db1'].role = 'replica';
    this.leads = heir;
    return this.#name(heir);
  }

  reads(): CacheControlReads {
    return {
      cacheState: async () => this.#state(),
      cacheSettled: async ({ master, keys = 0, onlyMaster }) => {
        const state = this.#state();
        const { standing } = state;
        const serves = standing.kind === 'healthy' || (onlyMaster === true && standing.kind === 'replicas-away');
        const now = this.servers[this.leads].keys ?? 0;
        if (!serves || now < keys || (master !== undefined && master !== this.#name(this.leads)))
          throw failure('CacheUnsettled', `${standing.words}, ${now} keys`);
        return state;
      },
      cacheHitRatio: async ({ wanted = 0 }) => {
        if (this.ratio < wanted) throw failure('CacheCold', `${this.ratio} of what clients asked for was there`);
        return { ratio: this.ratio, hits: this.ratio * 100, misses: 100 - this.ratio * 100, found: 'watched' };
      },
    };
  }

  changes(): CacheControlChanges {
    return {
      cacheSwitchover: async ({ master }) => {
        const now = this.#takesOver(master.name);
        return { master: now, pausedMs: 900, offset: 100, found: `${now} is the master` };
      },
      cacheFailover: async ({ lost }) => {
        const now = this.#takesOver(lost);
        return { master: now, found: `${now} is the master` };
      },
    };
  }

  hostReads(): CacheHostReads {
    return {
      cacheFiles: async ({ server }) => {
        if (server.host === this.silent) throw failure('HostSilent', `no worker on ${server.host}`);
        const { running, keys = 0 } = this.#server(server.host);
        return { running, content: keys > 0, bytes: keys, found: `${server.host}: ${keys} keys` };
      },
      rdbFound: async ({ file }) => {
        if (this.rdb === 'damaged') throw failure('RdbUnfit', `${file} is damaged`);
        return {
          ...this.rdb,
          bytes: 1_000,
          expiring: 0,
          at: '2026-11-21T13:45:00.000Z',
          found: `${this.rdb.keys} keys`,
        };
      },
    };
  }

  hostChanges(): CacheHostChanges {
    return {
      startCache: async ({ server }) => {
        const one = this.#server(server.host);
        one.running = true;
        // A replica takes what its master has.
        if (one.role === 'replica' && this.servers[this.leads].running) one.keys = this.servers[this.leads].keys;
        return { found: `${server.host} started` };
      },
      stopCache: async ({ server }) => {
        this.#server(server.host).running = false;
        return { found: `${server.host} stopped` };
      },
      restoreCache: async ({ server, sha256 }) => {
        const one = this.#server(server.host);
        if (one.running) throw failure('ServerAlive', `${server.host} runs`);
        if (this.rdb === 'damaged' || this.rdb.sha256 !== sha256) throw failure('Moved', 'another file');
        one.aside ??= { keys: one.keys };
        one.keys = this.rdb.keys;
        return { keys: this.rdb.keys, appendOnly: true, found: `${this.rdb.keys} keys loaded` };
      },
      giveCacheBack: async ({ server }) => {
        const one = this.#server(server.host);
        if (one.running) throw failure('ServerAlive', `${server.host} runs`);
        if (one.aside !== undefined) one.keys = one.aside.keys;
        delete one.aside;
        return { found: 'the old files are back' };
      },
      warmCache: async ({ master }) => {
        this.warmedWith.push(`${master.host}:${master.port}`);
        return { tookMs: 900, found: 'warmed' };
      },
    };
  }
}
