import { formatDuration } from '../../evidence/format.ts';
import type { NetworkReads } from '../contract.ts';
import { askWeb, authorityIn, NoWebAnswer, type WebAnswer } from './web.ts';

const times = 5;
const mayFail = 1;

/** That it answers is asked: also a login page, or that there is no such page, comes from somebody who is there. */
export const webAnswers: NetworkReads['webAnswers'] = async ({ url, withinMs, caFile }) => {
  const ca = await authorityIn(caFile);
  const answers = await Promise.all(Array.from({ length: times }, () => ask(url, withinMs, ca)));
  const there = answers.filter((one): one is WebAnswer => !('why' in one) && one.status < 500);
  const failed = answers.flatMap((one) =>
    'why' in one ? [one.why] : one.status < 500 ? [] : [`status ${one.status}`],
  );
  const slowest = Math.max(0, ...there.map(({ tookMs }) => tookMs));
  const words = `${url}: ${there.length} of ${times} questions were answered${there.length === 0 ? '' : `, the slowest after ${formatDuration(slowest)}`}`;
  const expected = `an answer below status 500, within ${formatDuration(withinMs)}`;
  const why = failed.length === 0 ? '' : `; ${[...new Set(failed)].join('; ')}`;
  if (failed.length <= mayFail) return { well: true, found: `${words}${why}`, expected };
  return {
    ...{ well: false, found: `${words}${why}`, expected },
    proposal:
      'Ask whoever keeps it (its page of incidents), and lead the application to another one where there is one; see also whether the way out of this network is open.',
  };
};

async function ask(url: string, withinMs: number, ca: string | undefined): Promise<WebAnswer | { why: string }> {
  try {
    return await askWeb({ url, withinMs, ca });
  } catch (error) {
    if (error instanceof NoWebAnswer) return { why: `it ${error.message}` };
    throw error;
  }
}
