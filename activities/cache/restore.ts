/**
 * An RDB into a Redis server. With AOF on, an old `appendonlydir` wins and the RDB is ignored; without one the server starts empty. So the
 * RDB is loaded with AOF off, AOF is turned on while it runs, and only what that has written is what production starts from.
 */
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatNumberOf } from '../../evidence/format.ts';
import { synced } from '../cluster/standby-only.ts';
import type { CacheHostChanges, CacheRestoreAsk, CacheServerAsk, RdbFound } from '../contract.ts';
import { freeAt } from '../disk.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { type ControlledCache, permitCache } from '../permit-cache.ts';
import type { Found } from '../shapes.ts';
import type { Send } from './connection.ts';
import { keysIn, parseInfo } from './info.ts';
import { endPrivateServers, type Layout, layoutBy, type PrivateServer, withPrivateServer } from './private-server.ts';
import { checkRdb } from './rdb.ts';
import { runs } from './server.ts';
import { asideIn, bringBack, setAside } from './set-aside.ts';

export async function restoreCache(ask: CacheRestoreAsk): ReturnType<CacheHostChanges['restoreCache']> {
  const controlled = await permitCache(ask.server, ask.file);
  const { directory, permit } = controlled;
  await aloneAndStopped(ask, controlled);
  const rdb = await checkRdb(permit, ask.file, ask.server.host);
  if (rdb.sha256 !== ask.sha256)
    throw failure(
      'Moved',
      `${ask.file} on ${ask.server.host} is another file by now (${rdb.found}). Nothing was changed. Look again.`,
    );
  await refuseFullDisk(directory, rdb);
  const place = asideIn(directory, ask.aside);
  await mkdir(place, { recursive: true, mode: 0o700 });
  const server = serverFor(ask, controlled, place);
  const layout = await layoutIn(server, place);
  await setAside(directory, ask.aside, layout);
  await putInPlace(ask, controlled, { place, layout, rdb });
  const keys = await withPrivateServer({ ...server, more: ['--appendonly', 'no'] }, async (send) => {
    const loaded = await allLoaded(send, rdb, ask.file);
    if (layout.appendOnly) await writesAppendOnly(send, ask.withinMs);
    return loaded;
  });
  await synced(directory);
  return {
    keys,
    appendOnly: layout.appendOnly,
    found: `${formatNumberOf(keys, 'key')} of ${ask.file} loaded${layout.appendOnly ? ' and written as append-only files' : ''} in ${ask.server.dataDirectory}; the old files are in ${ask.aside} there`,
    expected: `${rdb.keys} keys, less those that expire`,
  };
}

function serverFor(ask: CacheRestoreAsk, { permit, directory }: ControlledCache, place: string): PrivateServer {
  return {
    program: join(permit.redis, 'redis-server'),
    config: ask.server.config,
    directory,
    belongsTo: place,
    log: join(place, 'restore.log'),
    login: ask,
    withinMs: ask.withinMs,
  };
}

/** What a worker that was killed has left is ended; what serves is not. @throws ServerAlive */
async function aloneAndStopped(ask: CacheServerAsk & { aside: string }, { directory }: ControlledCache): Promise<void> {
  await endPrivateServers(asideIn(directory, ask.aside));
  if (await runs(ask, directory))
    throw failure(
      'ServerAlive',
      `the Redis server in ${ask.server.dataDirectory} on ${ask.server.host} runs: its files are only changed while it is stopped. Find out who started it.`,
    );
}

/** The copy, and what AOF writes of it. */
async function refuseFullDisk(directory: string, { bytes }: RdbFound): Promise<void> {
  const free = await freeAt(directory);
  if (free < 2 * bytes)
    throw failure(
      'DiskFull',
      `${directory} has ${formatBytes(free)} free, expected ${formatBytes(2 * bytes)}: the old files are kept beside the restored ones. Nothing was changed. Make room.`,
    );
}

async function layoutIn(server: PrivateServer, place: string): Promise<Layout> {
  const empty = join(place, 'empty');
  await rm(empty, { recursive: true, force: true });
  await mkdir(empty, { mode: 0o700 });
  try {
    return await layoutBy(server, empty);
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
}

interface Putting {
  place: string;
  layout: Layout;
  rdb: RdbFound;
}

/** A copy that was cut off is never loaded: it takes its name when it is whole. */
async function putInPlace(ask: CacheRestoreAsk, { directory, permit }: ControlledCache, put: Putting): Promise<void> {
  const copy = join(put.place, 'incoming');
  await copyFile(ask.file, copy);
  const copied = await checkRdb(permit, copy, ask.server.host);
  if (copied.sha256 !== put.rdb.sha256)
    throw failure('Moved', `${ask.file} on ${ask.server.host} was changed while it was copied. Look who writes it.`);
  await synced(copy);
  await rename(copy, join(directory, put.layout.rdb));
  await synced(directory);
}

/** What has no end is all there. @throws RestoreFailed */
async function allLoaded(send: Send, rdb: RdbFound, file: string): Promise<number> {
  const keys = keysIn(parseInfo(String(await send('INFO', 'keyspace'))));
  if (keys >= rdb.keys - rdb.expiring && keys <= rdb.keys) return keys;
  throw failure(
    'RestoreFailed',
    `${keys} keys were loaded of ${file}, expected ${rdb.keys}, of which ${rdb.expiring} expire. See the log of the restore; abort to have the old files back.`,
  );
}

/** @throws RestoreFailed the rewrite fails, or does not end within the time */
async function writesAppendOnly(send: Send, withinMs: number): Promise<void> {
  await send('CONFIG', 'SET', 'appendonly', 'yes');
  const deadline = performance.now() + withinMs;
  for (;;) {
    const info = parseInfo(String(await send('INFO', 'persistence')));
    const done = info.aof_rewrite_in_progress === '0' && info.aof_rewrite_scheduled === '0';
    if (done && info.aof_enabled === '1' && info.aof_last_bgrewrite_status === 'ok') return;
    if ((done && info.aof_last_bgrewrite_status === 'err') || performance.now() > deadline)
      throw failure(
        'RestoreFailed',
        `the append-only files were not written (rewrite ${info.aof_last_bgrewrite_status}, ${done ? 'ended' : 'still going on'}). See the log of the restore, and the room on the disk.`,
      );
    await pause(50, { rewriting: info.aof_current_rewrite_time_sec });
  }
}

export async function giveCacheBack(ask: CacheServerAsk & { aside: string }): Promise<Found> {
  const controlled = await permitCache(ask.server);
  await aloneAndStopped(ask, controlled);
  const back = await bringBack(controlled.directory, ask.aside);
  const { dataDirectory } = ask.server;
  if (back === undefined) return { found: `nothing had been moved in ${dataDirectory}` };
  return { found: `the old files are in ${dataDirectory} again: ${back.join(', ') || 'there were none'}` };
}
