/** What a cache that Redis Sentinel keeps asks for: part of the contract, in a file of its own. */
import type { ComponentOf } from '../plan/components.ts';
import type { CacheStanding, CacheView } from '../recovery/cache.ts';
import type { Found } from './shapes.ts';

export type Cache = ComponentOf<'redis-sentinel'>;
export type CacheServer = Cache['members'][number];

/** Which cache, and where the hosts of its members are reached. */
export interface CacheAsk {
  cache: Cache;
  addresses: Record<string, string>;
}

export interface CacheState extends Found, CacheView {
  standing: CacheStanding;
}

/** One server of a cache, on the host that is asked. */
export interface CacheServerAsk {
  server: CacheServer;
  user?: string;
  /** Names the secret. */
  password?: string;
}

export interface RdbFound extends Found {
  /** Hexadecimal. */
  sha256: string;
  bytes: number;
  keys: number;
  /** Of those, how many will expire, or have. */
  expiring: number;
  /** When it was written, as it says itself. */
  at?: string;
}

/** A restore into one server: where its old files are set aside follows from the run. */
export interface CacheRestoreAsk extends CacheServerAsk {
  file: string;
  /** As the run was shown it: another file by now is `Moved`. */
  sha256: string;
  /** Name of the folder in the data directory that the old files are moved to. */
  aside: string;
  withinMs: number;
}

export interface CacheControlReads {
  /**
   * Asks every member and every Sentinel. What may settle by itself is looked at again for a while.
   *
   * @param ask.settleMs milliseconds; absent: one look
   */
  cacheState(ask: CacheAsk & { settleMs?: number }): Promise<CacheState>;
  /**
   * Waits until there is one master, and every member answers and follows it.
   *
   * @param ask.master the one that is expected; anyone when absent
   * @param ask.keys so many at least
   * @param ask.onlyMaster replicas are not waited for
   * @throws CacheUnsettled @throws SplitBrain
   */
  cacheSettled(
    ask: CacheAsk & { master?: string; keys?: number; onlyMaster?: true; withinMs: number },
  ): Promise<CacheState>;
  /** What clients ask for is watched for a while, on the master. @throws CacheCold less than `wanted` was there */
  cacheHitRatio(
    ask: CacheAsk & { watchMs: number; wanted?: number },
  ): Promise<Found & { ratio?: number; hits: number; misses: number }>;
}

/** How the master was found that is about to be another: what a change compares. */
export interface MasterSeen {
  name: string;
  runId: string;
  replicationId: string;
}

export interface CacheControlChanges {
  /**
   * The planned change of the master. Writes are paused on the old one from before its replicas have all of them until it is a replica
   * itself; what a client has had acknowledged by then is on the new one.
   *
   * Safe to repeat: finds the change done, or half done, by the history that the new master goes on with.
   * @throws Moved @throws QuorumMissing @throws CacheUnsettled writes go on where they were @throws SplitBrain
   */
  cacheSwitchover(
    ask: CacheAsk & { master: MasterSeen; withinMs: number },
  ): Promise<Found & { master: string; pausedMs?: number; offset?: number }>;
  /**
   * A master that is dead gives way to the replica that Sentinel chooses: by itself, or asked after a while.
   *
   * @throws ServerAlive it answers @throws QuorumMissing @throws CacheUnsettled
   */
  cacheFailover(ask: CacheAsk & { lost: string; withinMs: number }): Promise<Found & { master: string }>;
}

export interface CacheHostReads {
  /** Whether the server runs, and what lies in its data directory. @throws NotPermitted */
  cacheFiles(ask: CacheServerAsk): Promise<Found & { running: boolean; content: boolean; bytes: number }>;
  /** By redis-check-rdb, which reads all of it. @throws RdbUnfit @throws NotPermitted */
  rdbFound(ask: { server: CacheServer; file: string }): Promise<RdbFound>;
}

export interface CacheHostChanges {
  /** One that runs is left alone. @throws ServerControlFailed @throws NotPermitted */
  startCache(ask: CacheServerAsk & { withinMs: number }): Promise<Found>;
  stopCache(ask: CacheServerAsk & { withinMs: number }): Promise<Found>;
  /**
   * Into a server that is stopped: its old files are set aside, the RDB is copied, loaded by a server that nobody can reach, and written as
   * what the configuration starts from. The server is stopped when it returns.
   *
   * Safe to repeat after a kill at any line.
   * @throws Moved @throws RdbUnfit @throws DiskFull @throws RestoreFailed @throws ServerAlive @throws NotPermitted
   */
  restoreCache(ask: CacheRestoreAsk): Promise<Found & { keys: number; appendOnly: boolean }>;
  /** Undo: the old files are in their place again. Copes with a restore that was half done, or never begun. */
  giveCacheBack(ask: CacheServerAsk & { aside: string }): Promise<Found>;
  /** Runs the command of the plan. @throws CacheCold it does not end well @throws NotPermitted */
  warmCache(ask: {
    warm: NonNullable<Cache['warm']>;
    master: { host: string; port: number };
  }): Promise<Found & { keys?: number; tookMs: number }>;
}
