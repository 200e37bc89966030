/** The code of a computed abort. Pure. */
import { canonical, shortCode } from './canonical.ts';
import type { AbortPlan } from './people.ts';

/**
 * Stands for what an abort would take back and what would stay. Steps that only look come and go every second: which of them are in
 * flight does not matter to whoever confirms, and is not part of it.
 *
 * @param execution a reset computes anew: codes of the discarded execution do not count
 */
export function abortCode({ undoes, stays }: Pick<AbortPlan, 'undoes' | 'stays'>, execution: string): string {
  return shortCode(canonical({ undoes, stays, execution }));
}
