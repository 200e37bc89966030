/** Says that something long has begun, every ten seconds that it goes on, and when it has ended. */
import type { Say } from './part.ts';

const everyMs = 10_000;

export async function withProgress<T>(
  say: Say,
  doing: string,
  takes: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = Date.now();
  const seconds = () => `${Math.round((Date.now() - startedAt) / 1000)} s`;
  say(takes === undefined ? doing : `${doing} (once; takes ${takes})`);
  const ticking = setInterval(() => say(`${doing}: ${seconds()} so far`), everyMs);
  try {
    const result = await work();
    say(`${doing}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(ticking);
  }
}
