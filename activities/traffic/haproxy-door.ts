/** Closing and opening what leads through HAProxy. What is said to it is read back: it answers a command that had no effect with silence, too. */
import type { Traffic } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import { keep, nameOf, tell } from './haproxy-orders.ts';
import { backends } from './haproxy-statistics.ts';
import type { Backend } from './kind.ts';

/** Sessions that are shut down are still counted for a moment. Milliseconds. */
const settlesWithinMs = 3_000;
const lookEveryMs = 10;

/** Maintenance alone leaves open TCP sessions flowing, and they would go on writing: they are shut down, until none is left. */
export async function closeAll(traffic: Traffic): Promise<void> {
  const deadline = performance.now() + settlesWithinMs;
  for (;;) {
    const servers = await backends(traffic);
    const open = servers.filter(({ state, sessions }) => state !== 'MAINT' || sessions > 0);
    if (open.length === 0) return keep(traffic);
    if (performance.now() > deadline) throw stillOpen(traffic, open);
    await tell(
      traffic,
      open.flatMap(({ server, state }) => [
        ...(state === 'MAINT' ? [] : [`set server ${nameOf(traffic, server)} state maint`]),
        `shutdown sessions server ${nameOf(traffic, server)}`,
      ]),
    );
    await pause(lookEveryMs);
  }
}

/** The others first: for no moment two of them are in. */
export async function openOne(traffic: Traffic, server: string): Promise<void> {
  const servers = await backends(traffic);
  known(traffic, servers, server);
  const others = servers.filter((one) => one.server !== server && one.state !== 'MAINT');
  await tell(traffic, [
    ...others.flatMap((one) => [
      `set server ${nameOf(traffic, one.server)} state maint`,
      `shutdown sessions server ${nameOf(traffic, one.server)}`,
    ]),
    `set server ${nameOf(traffic, server)} state ready`,
  ]);
  await keep(traffic);
}

/** HAProxy's check has seen the server by then: its own interval is a second or two. */
const checkedWithinMs = 20_000;

/**
 * A server that leaves maintenance counts as up until its first check, and would be given sessions: its weight is 0 until the check has
 * put it out.
 */
export async function releaseOne(traffic: Traffic, server: string): Promise<void> {
  const name = nameOf(traffic, server);
  const before = known(traffic, await backends(traffic), server);
  if (before.checkedOut) return;
  await tell(traffic, [`set server ${name} weight 0`, `set server ${name} state ready`]);
  const deadline = performance.now() + checkedWithinMs;
  while (!known(traffic, await backends(traffic), server).checkedOut) {
    if (performance.now() > deadline) {
      await tell(traffic, [`set server ${name} state maint`, `set server ${name} weight 100%`]);
      await keep(traffic);
      throw failure(
        'DoorOpen',
        `HAProxy's own check did not put ${name} out within ${checkedWithinMs / 1000} s, though it is a standby now: it was set to maintenance again. See the line "option httpchk" of its configuration, and what the check answers.`,
      );
    }
    await pause(100);
  }
  await tell(traffic, [`set server ${name} weight 100%`]);
  await keep(traffic);
}

function known({ backend }: Traffic, servers: Backend[], server: string): Backend {
  const found = servers.find((one) => one.server === server);
  if (found !== undefined) return found;
  throw failure(
    'PlanInvalid',
    `backend ${backend} of HAProxy has no server "${server}", it has ${servers.map((one) => one.server).join(', ')}. Name its servers as the plan names the hosts.`,
  );
}

function stillOpen({ backend }: Traffic, open: Backend[]): Error {
  const list = open.map(({ server, state, sessions }) => `${server} (${state}, ${sessions} sessions)`).join(', ');
  return failure(
    'DoorOpen',
    `backend ${backend} of HAProxy still lets sessions through ${settlesWithinMs / 1000} s after it was closed: ${list}. See who sets its servers back.`,
  );
}
