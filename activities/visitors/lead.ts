/** Leading visitors by weights: looked at, changed only from what was seen, read back. */
import type { Visitors } from '../../plan/visitors.ts';
import { type SharedServer, setByOthers, type Weights, weightsInWords } from '../../recovery/shares.ts';
import type { VisitorsChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { kindOf } from './kinds.ts';
import { stateOf } from './state.ts';

/**
 * Safe to repeat, and after a change that was broken off: what is done already is only written down and proven. HAProxy knows no
 * compare-and-set: who sets a weight between the look and the change, some milliseconds later, is overruled.
 */
export const leadVisitors: VisitorsChanges['leadVisitors'] = async ({ visitors, before, after }) => {
  const kind = kindOf(visitors);
  const found = await kind.servers();
  ours(visitors, found, before, after);
  await kind.weigh(weightsOf(found), after);
  await kind.keep();
  const now = await kind.servers();
  // Somebody else who sets weights does so more than once.
  ours(visitors, now, after, after);
  return stateOf(visitors, now);
};

/** @throws Moved */
export function ours(visitors: Visitors, found: SharedServer[], before: Weights, after: Weights): void {
  const others = setByOthers(found, before, after);
  if (others.length > 0)
    throw failure(
      'Moved',
      `backend ${visitors.backend} has weights ${weightsInWords(weightsOf(others))}, expected ${expected(before, after)}: somebody else has set them, or the load balancer was started again and knows nothing of what was said to it (see stateFile). Find out who, and look again before visitors are led elsewhere.`,
    );
}

function expected(before: Weights, after: Weights): string {
  const [one, other] = [weightsInWords(before), weightsInWords(after)];
  return one === other ? one : `${one} or ${other}`;
}

function weightsOf(servers: readonly SharedServer[]): Weights {
  return Object.fromEntries(servers.map(({ server, weight }) => [server, weight]));
}
