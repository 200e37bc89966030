/** What a switchover promises, whoever was killed in it. */
import { lostFor } from '../../lab/customer.ts';
import type { Host } from '../../lab/layout.ts';
import { other } from '../../lab/pair.ts';
import type { LiveScene, LiveWalk } from './live.ts';
import { wrongPair } from './wrong-pair.ts';

export const switchovers: LiveWalk = {
  runbook: 'switchover',
  goodEnd: 'completed',
  prepare: async (scene, from) => ({ input: {}, wrongAfter: () => wrongAfter(scene, from) }),
};

async function wrongAfter({ estate, customer }: LiveScene, from: Host): Promise<string[]> {
  const wrong = await wrongPair(estate, other(from));
  if (wrong.length > 0) return wrong;
  const lost = await lostFor(estate, [...customer.acknowledged]);
  return lost.length === 0 ? [] : [`${lost.length} acknowledged writes are lost: ${lost.slice(0, 5).join(', ')}`];
}
