import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds; only runs forward, so the wall clock may be set meanwhile. */
  now(): number;
  pause(ms: number, stop: AbortSignal): Promise<void>;
}

const monotonic: Clock = {
  now: () => performance.now(),
  pause: (ms, stop) => sleep(ms, undefined, { signal: stop }).catch(() => undefined),
};

/**
 * Calls `beat` at whole multiples of `everyMs` after the start until `stop` fires.
 * A beat that takes longer lets its own successors fall out; they are not made up for, and nothing drifts.
 */
export async function rhythm(
  everyMs: number,
  stop: AbortSignal,
  beat: () => Promise<void>,
  clock: Clock = monotonic,
): Promise<void> {
  const start = clock.now();
  while (!stop.aborted) {
    await beat();
    const passed = clock.now() - start;
    const next = (Math.floor(passed / everyMs) + 1) * everyMs;
    await clock.pause(next - passed, stop);
  }
}
