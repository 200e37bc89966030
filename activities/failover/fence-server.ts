/** Fencing by the host's own worker: the only kind that proves it by the kernel's and the file system's own word. */
import { realpath } from 'node:fs/promises';
import type { Member } from '../../plan/schema.ts';
import { primaryAgain, signalOf, writeDurably } from '../cluster/standby-only.ts';
import { startPrimary } from '../cluster/stop-primary.ts';
import type { FailoverHostChanges } from '../contract.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { permitServerControl } from '../permit-control.ts';
import { findLive, goneWithin } from '../postgres/live-server.ts';
import { stopLive } from '../postgres/server-control.ts';
import { askToEnd, serversIn, signal } from '../processes.ts';
import type { Found } from '../shapes.ts';

/** How long each of the harder ways is given, milliseconds. */
const hardWayMs = 10_000;
const lookEveryMs = 100;

/**
 * First the signal, then the stop: whatever starts the server again meanwhile, a service manager too, starts a standby. Safe to repeat.
 *
 * @throws ServerControlFailed
 */
export async function fenceServer(ask: Parameters<FailoverHostChanges['fenceServer']>[0]): Promise<Found> {
  const { member, withinMs } = ask;
  const controlled = await permitServerControl(member);
  const data = await realpath(member.dataDirectory);
  const ran = (await serversIn(data)).length > 0;
  await writeDurably(signalOf(member), '');
  const inOrder = await stopLive(member, controlled, withinMs).then(
    () => true,
    () => false,
  );
  const how = inOrder ? 'was stopped' : await byForce(member, data);
  // Its children can outlive it, and go on writing what they had begun.
  const left = await endedWithin(data);
  // A service manager may have started it again: as a standby, for the signal was there before.
  const again = await findLive(member.dataDirectory);
  if (left.length > 0 && again?.status !== 'standby')
    throw failure(
      'ServerControlFailed',
      `processes ${left.join(', ')} of the server on ${member.host} do not end, not even by SIGKILL: the disk may hang. It is not fenced. Power the host off.`,
    );
  return {
    found: `${member.host} ${ran ? how : 'did not run'}; no process works in ${member.dataDirectory}, and standby.signal is written there: whoever starts it, starts a standby`,
    expected: 'a server that cannot write any more',
  };
}

/** As pg_ctl's immediate mode, which needs no order inside of the server; then by the kernel. */
async function byForce(member: Member, data: string): Promise<string> {
  const live = await findLive(member.dataDirectory);
  if (live !== undefined) askToEnd(live.pid, 'SIGQUIT');
  if (await goneWithin(member.dataDirectory, hardWayMs)) return 'did not stop in time, and was ended at once';
  for (const pid of await serversIn(data)) signal(pid, 'SIGKILL');
  return 'did not stop in time, and was killed';
}

/** @returns what is still there */
async function endedWithin(data: string): Promise<number[]> {
  const deadline = performance.now() + hardWayMs;
  for (;;) {
    const left = await serversIn(data);
    if (left.length === 0 || performance.now() > deadline) return left;
    if (performance.now() > deadline - hardWayMs / 2) for (const pid of left) signal(pid, 'SIGKILL');
    await pause(lookEveryMs);
  }
}

/**
 * It may be the primary again, and is if it was one when it was fenced: nobody was promoted.
 *
 * @throws ServerControlFailed it does not come up
 */
export async function unfenceServer(ask: Parameters<FailoverHostChanges['unfenceServer']>[0]): Promise<Found> {
  const { member, ran, timeline, withinMs } = ask;
  const { found } = await primaryAgain({ member, withinMs });
  if (!ran) return { found: `${found}; it did not run before, and is left so` };
  return startPrimary({ member, timeline, withinMs });
}
