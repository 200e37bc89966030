/** What a change of the members asks of them and of their front door. */
import type { DoorServer } from '../../activities/contract.ts';
import type { Found, MemberState } from '../../activities/shapes.ts';
import { addresses } from '../../plan/hosts.ts';
import type { Replication } from '../../plan/server-control.ts';
import { failure } from '../runbook/failure.ts';
import type { Run } from '../runbook/run.ts';

export function replicationOf(run: Run): Replication & Found {
  const { replication } = run.plan.database;
  if (replication !== undefined && (replication.passfile !== undefined || replication.password !== undefined))
    return { ...replication, found: `as ${replication.user}`, expected: 'a role and where its password is' };
  throw failure(
    'PlanInvalid',
    'the plan does not say how a standby connects to its primary, so a member could not come back as one. Add database.replication: { user, passfile }, the file on every host.',
  );
}

/** @throws PlanInvalid the load balancer calls one of these hosts otherwise */
export function knowsAll(servers: DoorServer[], hosts: string[]): void {
  const absent = hosts.filter((host) => servers.every(({ server }) => server !== host));
  if (absent.length > 0)
    throw failure(
      'PlanInvalid',
      `the load balancer has no server ${absent.join(' and ')}, it has ${servers.map(({ server }) => server).join(', ')}. Name its servers as the plan names the hosts.`,
    );
}

/**
 * The load balancer leads to the primary alone.
 *
 * @returns of the others those that a check of its own keeps out: they may be given back to that check
 */
export function leadsTo(
  servers: DoorServer[],
  primary: string,
  others: string[],
): { checked: string[] } & Pick<Found, 'expected'> {
  const at = (host: string) => servers.find(({ server }) => server === host);
  knowsAll(servers, [primary, ...others]);
  const serving = servers.filter(({ serves }) => serves).map(({ server }) => server);
  if (serving.length !== 1 || serving[0] !== primary)
    throw failure(
      'DoorOpen',
      `the load balancer leads to ${serving.join(' and ') || 'nobody'}, expected ${primary} alone. Correct it first: who is let in during the change must be certain.`,
    );
  return {
    checked: others.filter((host) => at(host)?.checked === true),
    expected: `${primary} alone is given sessions`,
  };
}

/** The load balancer of a site without the primary. @throws DoorOpen it gives sessions to somebody */
export function leadsToNobody(servers: DoorServer[], standby: string): void {
  knowsAll(servers, [standby]);
  const serving = servers.filter(({ serves }) => serves).map(({ server }) => server);
  if (serving.length > 0)
    throw failure(
      'DoorOpen',
      `the load balancer before ${standby} leads to ${serving.join(' and ')}, expected nobody: the primary is in another site. Correct it first: who is let in during the change must be certain.`,
    );
}

/**
 * What every member says of itself.
 *
 * @param before what they are asked for: `roles are changed`
 * @throws DatabaseUnreachable one does not answer: it may be a primary that only we cannot reach, and two would write
 */
export async function everyRole(run: Run, before: string): Promise<Found & { members: MemberState[] }> {
  const asked = await run.control.members({ database: run.plan.database, addresses: addresses(run.plan) });
  const unknown = asked.members.filter(({ role }) => role === 'unknown');
  if (unknown.length > 0)
    throw failure(
      'DatabaseUnreachable',
      `${unknown.map(({ host }) => host).join(' and ')} cannot be asked for a role (${asked.found}), and who does not answer may be a primary. Bring every member back, or take it out of the plan, before ${before}.`,
    );
  return asked;
}
