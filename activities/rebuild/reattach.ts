import { makeFollower } from '../cluster/follower.ts';
import type { Following } from '../contract.ts';
import type { Found } from '../shapes.ts';
import { stopped } from './stopped.ts';

/**
 * Stops the standby, if it runs, and tells it whom to follow, and where to fetch what the primary has no more. It is not started.
 *
 * Safe to repeat. @throws SplitBrain it runs as a primary @throws Diverged it has written since it was assessed
 */
export async function reattach(ask: Following): Promise<Found> {
  await stopped(ask.member, ask.primary.host);
  return makeFollower(ask);
}
