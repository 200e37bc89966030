/** Whether an application is still as it was seen. */
import type { SeenApplication } from '../contract.ts';

/**
 * What somebody else has done to it since, in words; undefined when nobody has. That whoever keeps it has started it again by itself, or has
 * given it up, is no such thing.
 *
 * @param attempt of the change: a later one finds what an earlier one has done before its worker died
 */
export function doneByOthers(from: SeenApplication, now: SeenApplication, attempt: number): string | undefined {
  if (now.quiesced !== undefined && from.quiesced === undefined) return `was quiesced meanwhile: ${now.quiesced}`;
  if (attempt > 1) return undefined;
  if (now.runs === 'stopped' && from.runs !== 'stopped') return 'was stopped meanwhile';
  const anew = now.runs === 'up' && now.start !== from.start && now.restarts === 0;
  return anew ? 'was started anew meanwhile' : undefined;
}

/** Whether it is as it should be after a restart that an earlier attempt has begun: it runs by another start, or is about to. */
export function restartedAlready(from: SeenApplication, now: SeenApplication, attempt: number): boolean {
  if (attempt === 1) return false;
  return (now.runs === 'changing' && from.runs === 'up') || (now.runs === 'up' && now.start !== from.start);
}
