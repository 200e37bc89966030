import type { Member } from '../../plan/schema.ts';
import { lsnDistance } from '../../recovery/lsn.ts';
import type { StoppedAt } from '../contract.ts';
import { failure } from '../failure.ts';
import { permitServerControl } from '../permit-control.ts';
import { socketOf } from '../postgres/live-member.ts';
import { atRest, findLive, goneWithin, readyWithin } from '../postgres/live-server.ts';
import { startLive, stopLive } from '../postgres/server-control.ts';
import { withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { type Standing, standingOf } from './asked.ts';

interface StopAsk {
  member: Member;
  timeline: number;
  systemIdentifier: string;
  withinMs: number;
}

/**
 * Stops the primary fast and proves by its control file that it was shut down in order.
 *
 * Safe to repeat: one that is stopped already says where it ended.
 * @returns where its shutdown checkpoint begins: a standby that has replayed past it holds all that was ever acknowledged
 * @throws Moved it is not the primary of the assessment any more @throws ServerControlFailed
 */
export async function stopPrimary(ask: StopAsk): Promise<Found & StoppedAt> {
  const { member, withinMs } = ask;
  const controlled = await permitServerControl(member);
  const live = await findLive(member.dataDirectory);
  // One that stops already lets nobody in to be asked.
  if (live?.status === 'ready') refuseOther(ask, await standingOf(member));
  const began = performance.now();
  await stopLive(member, controlled, withinMs);
  const rest = await atRest(controlled.permit, member);
  refuseOther(ask, { ...rest, standby: rest.state !== 'shut down' });
  const took = live === undefined ? 'was stopped before' : `stopped in ${Math.round(performance.now() - began)} ms`;
  return {
    lsn: rest.checkpoint,
    timeline: rest.timeline,
    systemIdentifier: rest.systemIdentifier,
    found: `${member.host} ${took}; its control file says "shut down", its last record is the checkpoint at ${rest.checkpoint}`,
    expected: 'a primary that was shut down in order',
  };
}

function refuseOther(
  { member, timeline, systemIdentifier }: StopAsk,
  found: Pick<Standing, 'standby' | 'timeline' | 'systemIdentifier'>,
): void {
  if (!found.standby && found.timeline === timeline && found.systemIdentifier === systemIdentifier) return;
  throw failure(
    'Moved',
    `${member.host} is ${found.standby ? 'a standby' : 'a primary'} on timeline ${found.timeline} by now, expected the primary on timeline ${timeline}: the roles have changed since the assessment. Start again.`,
  );
}

/**
 * Undo of the stop: the server is what it was, a primary that takes sessions. Copes with one that never stopped, or still does.
 *
 * @throws ServerControlFailed @throws Moved it comes up as something else
 */
export async function startPrimary(ask: { member: Member; timeline: number; withinMs: number }): Promise<Found> {
  const { member, withinMs } = ask;
  const controlled = await permitServerControl(member);
  const live = await findLive(member.dataDirectory);
  if (live?.status === 'stopping') await goneWithin(member.dataDirectory, withinMs);
  await startLive(member, controlled, withinMs);
  await readyWithin(member, withinMs);
  const found = await standingOf(member);
  if (found.standby || found.timeline !== ask.timeline)
    throw failure(
      'Moved',
      `${member.host} came up as ${found.standby ? 'a standby' : 'a primary'} on timeline ${found.timeline}, expected the primary on timeline ${ask.timeline}. Find out who has changed its data directory.`,
    );
  return { found: `${member.host} is the primary again, on timeline ${found.timeline} at ${found.lsn}` };
}

/** The old primary runs no longer, and has not since. */
export async function standsStill({ member, left }: { member: Member; left: StoppedAt }): Promise<Found> {
  const { permit } = await permitServerControl(member);
  const live = await findLive(member.dataDirectory);
  if (live !== undefined)
    throw failure(
      'Moved',
      `the server on ${member.host} runs again (process ${live.pid}), and not by Lifeboat: it was stopped for the switch. Find out who started it (a service manager? then give the member control: { kind: command } in the plan).`,
    );
  const rest = await atRest(permit, member);
  if (rest.checkpoint !== left.lsn || rest.timeline !== left.timeline)
    throw failure(
      'Moved',
      `the server on ${member.host} was stopped at ${left.lsn}, and now ends at ${rest.checkpoint}, ${lsnDistance(left.lsn, rest.checkpoint)} bytes further: somebody has started it in between. What it has written since is nowhere else.`,
    );
  return { found: `${member.host} is stopped, at ${rest.checkpoint}` };
}

/** Asks for a checkpoint: what is written now need not be written while nobody can write. */
export async function checkpoint({ member }: { member: Member }): Promise<Found> {
  const { place } = await socketOf(member);
  const began = performance.now();
  await withSession(place, 'postgres', 'checkpoint', (client) => client.query('checkpoint'));
  return { found: `a checkpoint on ${member.host} took ${Math.round(performance.now() - began)} ms` };
}
