/** Data directories that a recovery has put out of the way, in the words that every part shares. */
import type { SetAsideSeen } from './evidence.ts';

/** Milliseconds; what a plan says that names no time of its own. */
export const keptUsuallyMs = 14 * 24 * 60 * 60 * 1000;

/** Which one it is: another of the same name, and one that somebody has started since, has another. */
export function identityOfSetAside({
  inode,
  systemIdentifier,
  timeline,
  lsn,
}: Pick<SetAsideSeen, 'inode' | 'systemIdentifier' | 'timeline' | 'lsn'>): string {
  return `${inode} ${systemIdentifier} ${timeline} ${lsn}`;
}
