import { setTimeout as wait } from 'node:timers/promises';

/** A look may cost so much of the time at most: what is slow, or under repair, is asked less often. */
const share = 1 / 20;

interface Pace {
  everyMs: number;
  signal: AbortSignal;
  logger: { warn(text: string): void; info(text: string): void };
}

/** Looks until `signal`; never twice at once. A look that fails is told once, and so is that it succeeds again. */
export async function lookOften(look: () => Promise<void>, { everyMs, signal, logger }: Pace): Promise<void> {
  let trouble = '';
  while (!signal.aborted) {
    const began = performance.now();
    const now = await look().then(
      () => '',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (now !== trouble && now !== '') logger.warn(`metrics are not up to date: ${now}`);
    if (now === '' && trouble !== '') logger.info('metrics are up to date again');
    trouble = now;
    await wait(pauseAfter(performance.now() - began, everyMs), undefined, { signal, ref: false }).catch(
      () => undefined,
    );
  }
}

/** Milliseconds until the next look. */
export function pauseAfter(tookMs: number, everyMs: number): number {
  return Math.max(everyMs, tookMs / share);
}
