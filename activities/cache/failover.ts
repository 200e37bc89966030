/** A master that is dead gives way to the replica that Sentinel chooses. */
import { formatDuration } from '../../evidence/format.ts';
import { noQuorum, standingOf } from '../../recovery/cache.ts';
import type { CacheAsk, CacheControlChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { nowWaiting, pause } from '../heartbeat.ts';
import { withRedis, wordsOf } from './connection.ts';
import { sentinelLogin } from './members.ts';
import { lookAt } from './state.ts';

type Ask = CacheAsk & { lost: string; withinMs: number };

const againMs = 500;

interface Asked {
  asked?: string;
  /** Why it does not: it may find a replica fit a moment later. */
  refused?: string | undefined;
}

export async function cacheFailover(ask: Ask): ReturnType<CacheControlChanges['cacheFailover']> {
  const began = performance.now();
  let order: Asked = {};
  for (;;) {
    const view = await lookAt(ask);
    const standing = standingOf(view);
    const master = 'master' in standing ? standing.master : undefined;
    const serves = standing.kind === 'healthy' || standing.kind === 'replicas-away';
    const took = performance.now() - began;
    if (serves && master !== undefined && master !== ask.lost) {
      nowWaiting(undefined);
      const how = order.asked ?? 'Sentinel has chosen it by itself';
      return { master, found: `${master} is the master (${how}, ${formatDuration(took)}). ${standing.words}` };
    }
    if (serves)
      throw failure(
        'ServerAlive',
        `${ask.lost} answers, and is the master: nothing was changed. Use the planned change.`,
      );
    const missing = noQuorum(view.sentinels);
    if (missing !== undefined)
      throw failure(
        'QuorumMissing',
        `${missing}. Asked nevertheless, one of them could make a second master. Nothing was changed.`,
      );
    if (took > ask.withinMs)
      throw failure(
        standing.kind === 'split' ? 'SplitBrain' : 'CacheUnsettled',
        `after ${formatDuration(took)} nobody has taken over from ${ask.lost} (${order.asked ?? order.refused ?? 'Sentinel has not begun'}): ${standing.words}.`,
      );
    // It does so by itself, agreed with the others. Asked, it does without their agreement.
    if (standing.kind === 'master-lost' && order.asked === undefined && took > ask.withinMs / 3)
      order = await askFor(ask);
    nowWaiting(standing.words);
    await pause(againMs, { waitingFor: standing.words });
  }
}

async function askFor({ cache }: Ask): Promise<Pick<Asked, 'asked' | 'refused'>> {
  let refused: string | undefined;
  for (const place of cache.sentinels) {
    const name = `${place.host}:${place.port}`;
    try {
      await withRedis(place, sentinelLogin(cache), (send) => send('SENTINEL', 'FAILOVER', cache.master));
      return { asked: `asked of Sentinel ${name}` };
    } catch (error) {
      if (/INPROG/.test(wordsOf(error))) return { asked: 'Sentinel had begun already' };
      refused = `Sentinel ${name} says: ${wordsOf(error)}`;
    }
  }
  return { refused };
}
