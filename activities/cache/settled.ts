/** Waiting until Sentinel and all members agree, and watching what clients ask for. */
import { formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { type CacheStanding, type CacheView, hitRatio, standingOf } from '../../recovery/cache.ts';
import type { CacheAsk, CacheControlReads, CacheState } from '../contract.ts';
import { failure, finalFailure } from '../failure.ts';
import { nowWaiting, pause } from '../heartbeat.ts';
import { lookAt } from './state.ts';

type SettledAsk = Parameters<CacheControlReads['cacheSettled']>[0];

const againMs = 500;

export async function cacheSettled(ask: SettledAsk): Promise<CacheState> {
  const until = performance.now() + ask.withinMs;
  for (;;) {
    const view = await lookAt(ask);
    const standing = standingOf(view);
    const missing = whatIsMissing(ask, view, standing);
    if (missing === undefined) {
      nowWaiting(undefined);
      return { ...view, standing, found: standing.words, expected: 'one master, and every other member follows it' };
    }
    if (performance.now() >= until) throw notSettled(ask, standing, missing);
    nowWaiting(missing);
    await pause(againMs, { missing });
  }
}

function whatIsMissing(ask: SettledAsk, { members }: CacheView, standing: CacheStanding): string | undefined {
  const serves = standing.kind === 'healthy' || (ask.onlyMaster === true && standing.kind === 'replicas-away');
  if (!serves || !('master' in standing)) return standing.words;
  if (ask.master !== undefined && standing.master !== ask.master)
    return `the master is ${standing.master}, expected ${ask.master}`;
  const { keys = 0, appendOnly } = members.find(({ name }) => name === standing.master) ?? {};
  if (ask.keys !== undefined && keys < ask.keys)
    return `${standing.master} has ${formatNumberOf(keys, 'key')}, expected ${ask.keys} at least`;
  if (appendOnly === 'failing') return `the append-only file of ${standing.master} fails`;
  return undefined;
}

function notSettled({ withinMs }: SettledAsk, standing: CacheStanding, missing: string): Error {
  const type = standing.kind === 'split' ? 'SplitBrain' : 'CacheUnsettled';
  return finalFailure(
    type,
    `after ${formatDuration(withinMs)} the cache has not come to rest: ${missing}. Expected one master whom every other member follows. See the logs of those that are named, and of the Sentinels.`,
  );
}

/** @throws CacheUnreachable there is no master to watch @throws Moved another one, or it was started anew, meanwhile */
export async function cacheHitRatio({
  watchMs,
  wanted,
  ...ask
}: CacheAsk & { watchMs: number; wanted?: number }): Promise<Awaited<ReturnType<CacheControlReads['cacheHitRatio']>>> {
  const before = await masterOf(ask);
  const until = performance.now() + watchMs;
  while (performance.now() < until) await pause(Math.min(1_000, until - performance.now()), { watching: before.name });
  const after = await masterOf(ask);
  const seen = `in ${formatDuration(watchMs)} on ${after.name}`;
  if (before.name !== after.name || before.runId !== after.runId)
    throw failure(
      'Moved',
      `${before.name} was watched, and ${after.name} serves now, or it was started anew. Watch again.`,
    );
  const found = hitRatio(before, after);
  if (found === undefined) return { hits: 0, misses: 0, found: `nobody has asked for anything ${seen}` };
  const words = `${found.hits} of ${found.hits + found.misses} that clients asked for ${seen} were there (${percent(found.ratio)})`;
  if (wanted !== undefined && found.ratio < wanted)
    throw failure(
      'CacheCold',
      `${words}, expected ${percent(wanted)} at least. Warm it further, or let it fill by itself.`,
    );
  return { ...found, found: words, ...(wanted === undefined ? {} : { expected: `${percent(wanted)} at least` }) };
}

async function masterOf(ask: CacheAsk) {
  const { members } = await lookAt(ask);
  const masters = members.filter(({ role }) => role === 'master');
  const [master] = masters;
  if (masters.length > 1)
    throw failure('SplitBrain', `${masters.map(({ name }) => name).join(' and ')} each say that they are the master.`);
  if (master === undefined)
    throw failure('CacheUnreachable', 'no member says that it is the master. Look how the cache stands.');
  return master;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(1))}%`;
}
