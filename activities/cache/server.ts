/** A Redis server on this host: whether it runs, and how it is started and stopped. */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { runByWords } from '../by-words.ts';
import type { CacheServerAsk } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { type ControlledCache, permitCache } from '../permit-cache.ts';
import type { Found } from '../shapes.ts';
import { type Place, withRedis } from './connection.ts';
import { isPrivate } from './private-server.ts';

const againMs = 100;

/** By the directory that it works in, whatever its port says: a Redis server always works in its own. Not one of a restore. */
async function serversIn(directory: string): Promise<number[]> {
  const real = await realpath(directory).catch(() => directory);
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [cwd, exe] = await Promise.all(
        ['cwd', 'exe'].map((link) => readlink(`/proc/${pid}/${link}`).catch(() => '')),
      );
      if (cwd !== real || !/^redis-(server|check)/.test(basename(exe ?? ''))) return false;
      return !isPrivate(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    }),
  );
  return pids.filter((_pid, index) => found[index]).map(Number);
}

/** Where it listens for the programs of its own host. */
function ownPlace({ server }: CacheServerAsk): Place {
  return { host: '127.0.0.1', port: server.port };
}

/** It works in its directory, or somebody answers on its port: a process of another user does not show where it works. */
export async function runs(ask: CacheServerAsk, directory: string): Promise<boolean> {
  if ((await serversIn(directory)).length > 0) return true;
  return answers(ask);
}

/** Any answer is one, be it a refusal. */
async function answers(ask: CacheServerAsk): Promise<boolean> {
  return withRedis(ownPlace(ask), {}, (send) => send('PING'), 2_000).then(
    () => true,
    (error: unknown) => !(error instanceof Error && 'type' in error && error.type === 'CacheUnreachable'),
  );
}

/** @throws ServerControlFailed it does not answer within the time */
export async function startCache(ask: CacheServerAsk & { withinMs: number }): Promise<Found> {
  const controlled = await permitCache(ask.server);
  const name = `${ask.server.host}:${ask.server.port}`;
  const began = performance.now();
  const ran = await runs(ask, controlled.directory);
  if (!ran) await byWords(ask, controlled, 'start');
  while (!(await loaded(ask))) {
    if (performance.now() - began > ask.withinMs)
      throw failure(
        'ServerControlFailed',
        `${name} was started, and has not loaded its data after ${Math.round(ask.withinMs / 1000)} s. See its log, and \`logfile\` in ${ask.server.config}.`,
      );
    await pause(againMs, { starting: name });
  }
  return { found: ran ? `${name} runs already` : `${name} started in ${Math.round(performance.now() - began)} ms` };
}

async function loaded(ask: CacheServerAsk): Promise<boolean> {
  return withRedis(ownPlace(ask), ask, async (send) =>
    /^loading:0/m.test(String(await send('INFO', 'persistence'))),
  ).catch((error: unknown) => {
    if (error instanceof Error && 'type' in error && error.type === 'CacheUnreachable') return false;
    throw error;
  });
}

/** @throws ServerControlFailed it still runs when the time is over */
export async function stopCache(ask: CacheServerAsk & { withinMs: number }): Promise<Found> {
  const controlled = await permitCache(ask.server);
  const name = `${ask.server.host}:${ask.server.port}`;
  const began = performance.now();
  if (!(await runs(ask, controlled.directory))) return { found: `${name} is stopped` };
  await byWords(ask, controlled, 'stop');
  while (await runs(ask, controlled.directory)) {
    if (performance.now() - began > ask.withinMs)
      throw failure(
        'ServerControlFailed',
        `${name} was told to stop and still runs after ${Math.round(ask.withinMs / 1000)} s. See its log: it may be writing its RDB, or wait for a replica.`,
      );
    await pause(againMs, { stopping: name });
  }
  return { found: `${name} stopped in ${Math.round(performance.now() - began)} ms` };
}

function byWords(
  { server: { host }, withinMs }: CacheServerAsk & { withinMs: number },
  { control }: ControlledCache,
  what: 'start' | 'stop',
): Promise<void> {
  return runByWords({ host, words: control[what], withinMs, plan: "the component's members" });
}
