import { setTimeout as pause } from 'node:timers/promises';

export interface Wait {
  /** What is waited for, as the end of the sentence "waited 10 s for ...". */
  what: string;
  withinMs: number;
  everyMs?: number;
  signal?: AbortSignal;
}

/** Polls until `look` yields something other than false or undefined. What `look` throws is reported when the time is over. */
export async function until<T>(wait: Wait, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + wait.withinMs;
  let seen: unknown;
  while (true) {
    wait.signal?.throwIfAborted();
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      seen = error;
    }
    if (Date.now() >= deadline) break;
    await pause(wait.everyMs ?? 50);
  }
  const why = seen instanceof Error ? `; last seen: ${seen.message}` : '';
  throw new Error(`waited ${Math.round(wait.withinMs / 1000)} s for ${wait.what}${why}`);
}

/** Ends a wait at once: what is waited for cannot come any more. */
export class Hopeless extends Error {}
