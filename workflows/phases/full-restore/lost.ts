/** That the service is gone is proven before anything is brought back: every member is asked, over the network and by its own host. */
import type { Onto } from '../../../activities/contract.ts';
import type { Found, MemberState } from '../../../activities/shapes.ts';
import { addresses, member } from '../../../plan/hosts.ts';
import type { Member } from '../../../plan/schema.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { allOf } from '../recovery/recovering.ts';
import type { RestoreRun } from './restore-run.ts';

/** @throws ServerAlive a server of the service still runs @throws DatabaseUnreachable one may, and does not answer */
export async function nobodyIsAlive(run: RestoreRun): Promise<void> {
  await run.check('No server of the service runs any more', async () => {
    const { members } = await statesOf(run);
    const alive = members.filter(({ role }) => role !== 'unknown');
    if (alive.length > 0) throw alives(alive);
    const hosts = run.plan.database.members;
    const stands = await allOf(hosts.map((one) => run.host(one.host).howItStands({ member: one })));
    const silent = hosts.filter((_, index) => stands[index]?.role !== 'stopped');
    if (silent.length > 0)
      throw failure(
        'DatabaseUnreachable',
        `${silent.map(({ host }) => host).join(' and ')} has a server that runs and lets nobody in, so whether it is a primary is unknown. Stop it for good, or bring it back: what it holds may be newer than the archive.`,
      );
    return {
      found: `nobody answers at the members' addresses, and on ${hosts.map(({ host }) => host).join(' and ')} no server runs`,
      expected: 'no server, told by every host itself',
    };
  });
}

/** Two primaries are alive, too. */
async function statesOf(run: RestoreRun): Promise<{ members: MemberState[] }> {
  const { database } = run.plan;
  try {
    return await run.control.members({ database, addresses: addresses(run.plan) });
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type !== 'SplitBrain') throw error;
    throw failure('ServerAlive', message);
  }
}

function alives(alive: MemberState[]): Error {
  const words = alive.map(({ host, role, timeline, lsn }) => `${host} is a ${role} on timeline ${timeline} at ${lsn}`);
  const primary = alive.some(({ role }) => role === 'primary');
  return failure(
    'ServerAlive',
    `${words.join('; ')}; expected that no server of the service runs. ${
      primary
        ? 'Nothing has to be brought back: to go back in time use point-in-time-recovery, to change places switchover.'
        : 'A standby may hold more than the archive does: promote it rather than restoring, or stop it for good.'
    }`,
  );
}

/** The one that is named, or the first of the plan. */
export function primaryOf(run: RestoreRun): Member {
  const { members } = run.plan.database;
  const named = run.input.primary ?? members[0]?.host;
  const found = members.find(({ host }) => host === named);
  if (found !== undefined) return member(run.plan, found.host);
  throw failure(
    'InputInvalid',
    `the plan of ${run.plan.service} has no member ${named}; it has ${members.map(({ host }) => host).join(', ')}.`,
  );
}

/** What lies in the place of each data directory. */
export async function whatLiesThere(run: RestoreRun): Promise<Record<string, Onto>> {
  const lying = await run.together(
    ...run.plan.database.members.map((one) => async (): Promise<[string, Onto]> => {
      const name = `What lies in the place of the data directory on ${one.host}`;
      const { lies } = await run.check(name, () => run.host(one.host).whatLies({ member: one }));
      return [one.host, lies];
    }),
  );
  return Object.fromEntries(lying);
}

export function lyingInWords({ host, dataDirectory }: Member, lies: Onto | undefined, setAside: string): string {
  return lies === 'nothing'
    ? `nothing in ${dataDirectory} on ${host}`
    : `what is left in ${dataDirectory} on ${host}, set aside as ${setAside}`;
}

/**
 * It leads to nobody now, or to what its check has not noticed yet.
 *
 * @returns the members that a check of its own keeps out
 */
export function doorKnows(run: RestoreRun): Promise<Found & { checked: string[] }> {
  return run.check('The load balancer knows every member', async () => {
    const { servers, found } = await run.control.doorState({ traffic: run.plan.traffic });
    const hosts = run.plan.database.members.map(({ host }) => host);
    const absent = hosts.filter((host) => !servers.some(({ server }) => server === host));
    if (absent.length > 0)
      throw failure(
        'PlanInvalid',
        `the load balancer has no server ${absent.join(' and ')}, it has ${servers.map(({ server }) => server).join(', ')}. Name its servers as the plan names the hosts.`,
      );
    const checked = servers.filter((one) => one.checked && hosts.includes(one.server)).map(({ server }) => server);
    return { found, checked };
  });
}
