/** A real cache, activities as a worker runs them, and a client that writes and counts what was acknowledged. */
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { stringify } from 'yaml';
import type {
  CacheAsk,
  CacheControlChanges,
  CacheControlReads,
  CacheHostChanges,
  CacheHostReads,
} from '../../../activities/contract.ts';
import { controlChanges, controlReads } from '../../../activities/control.ts';
import { hostChanges, hostReads } from '../../../activities/host.ts';
import { reservePort } from '../../../lab/ports.ts';
import { type RedisEstate, startRedis } from '../../../lab/redis.ts';
import { until } from '../../../lab/until.ts';
import { partPath, removeDirectory, scratchDirectory } from '../control/rig.ts';

type Works = CacheControlReads & CacheControlChanges & CacheHostReads & CacheHostChanges;

export interface Rig extends RedisEstate {
  root: string;
  /** The permit file of the only host. */
  permitFile: string;
  /** What activities of the cache are asked. */
  about: CacheAsk;
  does: Works;
  /** Sets so many keys `NAME:1`, `NAME:2`, ... on the master, and waits until all replicas have them. */
  fill(name: string, count: number): Promise<void>;
  /** What the master holds, written as an RDB file that a restore may take. */
  takeRdb(): Promise<string>;
  pidOf(index: number): number;
}

/** Around all tests of a file. */
export function useRedis(): () => Rig {
  let rig: Rig | undefined;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(async () => {
    await rig?.stop();
    if (rig !== undefined) await removeDirectory(rig.root);
    delete process.env.LIFEBOAT_PERMIT;
  });
  return () => {
    if (rig === undefined) throw new Error('the cache did not start');
    return rig;
  };
}

async function startRig(): Promise<Rig> {
  const root = await scratchDirectory('redis');
  const [logs, pids] = [join(root, 'logs'), join(root, 'pids')];
  for (const folder of [logs, pids]) await mkdir(folder);
  const three = () => Promise.all([reservePort(), reservePort(), reservePort()]);
  const redis = await startRedis(
    {
      layout: { root, logs, pids },
      processes: new Map(),
      say: (line) => console.log(line),
      signal: new AbortController().signal,
    },
    {
      program: await partPath('redis'),
      directory: join(root, 'r'),
      hosts: ['db1', 'db1', 'db1'],
      ports: { members: await three(), sentinels: await three() },
    },
  );
  const permitFile = join(root, 'permit.yaml');
  await writeFile(permitFile, stringify({ ...redis.permit('db1'), postgresql: '/usr/bin' }));
  await chmod(permitFile, 0o644);
  process.env.LIFEBOAT_PERMIT = permitFile;
  const replicasHave = async (port: number) => {
    const count = redis.component.members.length - 1;
    if (Number(await redis.ask(port, 'WAIT', String(count), '10000')) !== count) throw new Error('replicas are late');
  };
  return {
    ...redis,
    root,
    permitFile,
    about: { cache: redis.component, addresses: { db1: '127.0.0.1' } },
    does: works(),
    fill: async (name, count) => {
      const script = 'for i = 1, tonumber(ARGV[2]) do redis.call("SET", ARGV[1] .. ":" .. i, i) end return 1';
      const port = await redis.master();
      await redis.ask(port, 'EVAL', script, '0', name, String(count));
      await until({ what: 'replicas to have all keys', withinMs: 20_000 }, async () => {
        await replicasHave(port);
        return true;
      });
    },
    takeRdb: async () => {
      const port = await redis.master();
      await redis.ask(port, 'SAVE');
      const member = redis.component.members.find((one) => one.port === port);
      const file = join(root, 'r', 'dump.rdb');
      await copyFile(join(member?.dataDirectory ?? '', 'dump.rdb'), file);
      return file;
    },
    pidOf: (index) => redis.servers[index]?.pid ?? 0,
  };
}

function works(): Works {
  const all = { ...controlReads, ...controlChanges, ...hostReads, ...hostChanges } as unknown as Record<
    string,
    (ask: object) => Promise<unknown>
  >;
  return new Proxy({} as Works, {
    get: (_target, name) => async (ask: object) => {
      const body = all[String(name)];
      if (body === undefined) throw new Error(`there is no activity ${String(name)}`);
      // Failures are what many tests expect: they are reported, not logged.
      return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(body, ask);
    },
  });
}

export interface Client {
  readonly acknowledged: ReadonlySet<string>;
  /** Ends it, and says which of the writes that were acknowledged are not there. */
  lost(): Promise<string[]>;
  served(): Promise<void>;
}

/** Several connections that write as fast as they are answered, and find the master by Sentinel, as an application does. */
export async function startClient({ component, passwordFile, ask, master }: Rig, name: string): Promise<Client> {
  const password = (await readFile(passwordFile, 'utf8')).trim();
  const acknowledged = new Set<string>();
  let stopped = false;
  const write = async (worker: number) => {
    const redis = new Redis({
      sentinels: component.sentinels,
      name: component.master,
      password,
      // What was sent and not answered is not sent again by somebody else: only an answer counts.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
      sentinelRetryStrategy: () => 20,
      commandTimeout: 10_000,
    });
    redis.on('error', () => undefined);
    for (let number = 0; !stopped; number += 1) {
      const key = `${name}:${worker}:${number}`;
      const done = await redis.set(key, number).catch(() => undefined);
      if (done === 'OK') acknowledged.add(key);
      else await pause(10);
    }
    redis.disconnect();
  };
  const writing = Array.from({ length: 12 }, (_, worker) => write(worker));
  const served = async () => {
    const before = acknowledged.size;
    await until({ what: 'the client to be served', withinMs: 30_000 }, async () => acknowledged.size > before + 500);
  };
  await served();
  return {
    acknowledged,
    served,
    lost: async () => {
      stopped = true;
      await Promise.all(writing);
      const port = await master();
      const keys = [...acknowledged];
      const lost: string[] = [];
      for (let at = 0; at < keys.length; at += 1_000) {
        const some = keys.slice(at, at + 1_000);
        const values = (await ask(port, 'MGET', ...some)) as (string | null)[];
        lost.push(...some.filter((_key, index) => values[index] === null));
      }
      return lost;
    },
  };
}
