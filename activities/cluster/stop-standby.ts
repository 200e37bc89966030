/** A live standby stands still while its data directory is replaced, and comes back as it was when it is not. */
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { permitServerControl } from '../permit-control.ts';
import { findLive, goneWithin, readyWithin } from '../postgres/live-server.ts';
import { exists } from '../postgres/scratch.ts';
import { startLive, stopLive } from '../postgres/server-control.ts';
import type { Found } from '../shapes.ts';
import { refusePrimary, standingOf } from './asked.ts';
import { signalOf } from './standby-only.ts';

interface Ask {
  member: Member;
  withinMs: number;
}

/**
 * Stops a standby fast. One that is down already, however it came to be, is left alone.
 *
 * Safe to repeat. @throws SplitBrain it runs as a primary @throws ServerControlFailed it does not stop
 */
export async function stopStandby({ member, withinMs }: Ask): Promise<Found> {
  const controlled = await permitServerControl(member);
  const live = await findLive(member.dataDirectory);
  if (live?.status === 'ready')
    refusePrimary(member.host, await standingOf(member), 'and was to be stopped as the standby that it was');
  await refuseWithoutSignal(member);
  const began = performance.now();
  await stopLive(member, controlled, withinMs);
  const took = live === undefined ? 'was down already' : `stopped in ${Math.round(performance.now() - began)} ms`;
  return { found: `the standby on ${member.host} ${took}`, expected: 'a standby that stands still' };
}

/**
 * Undo of the stop. Copes with one that never stopped, or still does.
 *
 * Safe to repeat. @throws Moved it would come up as a primary @throws SplitBrain it has @throws ServerControlFailed
 */
export async function startStandby({ member, withinMs }: Ask): Promise<Found> {
  const controlled = await permitServerControl(member);
  if ((await findLive(member.dataDirectory))?.status === 'stopping') await goneWithin(member.dataDirectory, withinMs);
  await refuseWithoutSignal(member);
  await startLive(member, controlled, withinMs);
  await readyWithin(member, withinMs);
  const standing = await standingOf(member);
  refusePrimary(member.host, standing, 'and was started as a standby');
  return {
    found: `${member.host} is a standby again, on timeline ${standing.timeline} at ${standing.lsn}`,
    expected: 'a standby, as it was',
  };
}

/** Every standby has it, and a primary removes it when it is promoted. */
async function refuseWithoutSignal(member: Member): Promise<void> {
  if (await exists(signalOf(member))) return;
  throw failure(
    'Moved',
    `there is no ${signalOf(member)} on ${member.host}: its server is, or would come up as, a primary; expected a standby. Find out who has changed it.`,
  );
}
