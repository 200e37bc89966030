import type { Leftover } from './evidence.ts';

/** What a run goes on with, and what nobody knows to be Lifeboat's, is left alone. */
export function removable({ verdict }: Pick<Leftover, 'verdict'>): boolean {
  return verdict === 'left' || verdict === 'likely-left';
}
