/** What runbooks ask of a cluster that Patroni keeps; and which of them leave it alone. */
import { sleep } from '@temporalio/workflow';
import type { PatroniAsk, ServerFacts } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import { addresses } from '../../../plan/hosts.ts';
import type { Member, PatroniDatabase, Plan } from '../../../plan/schema.ts';
import type { PatroniCluster } from '../../../recovery/patroni.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { leadsTo } from '../members.ts';

/** The plan's database, where Patroni keeps it. */
export function patroniOf({ database }: Pick<Plan, 'database'>): PatroniDatabase | undefined {
  return database.kind === 'patroni' ? database : undefined;
}

export function askOf(run: Run, database: PatroniDatabase): PatroniAsk {
  return { database, addresses: addresses(run.plan) };
}

/** @param withinMs so long a leader is waited for, where there is none */
export function stateOf(run: Run, database: PatroniDatabase, withinMs = 0): Promise<Found & PatroniCluster> {
  return run.control.patroniState({ ...askOf(run, database), withinMs });
}

/**
 * Stops a runbook that would do itself what Patroni alone may do: a server that is stopped, promoted or replaced beside it is started
 * again by it, or followed by nobody. Nothing is done where Patroni keeps nothing.
 *
 * @param instead what does the same in order
 * @throws PatroniLeads
 */
export async function refuseOnPatroni(run: Run, instead: string): Promise<void> {
  const database = patroniOf(run.plan);
  if (database === undefined) return;
  await run.checkAtOnce('The runbook knows this kind of database', async () => {
    throw failure(
      'PatroniLeads',
      `${run.plan.service} is kept by Patroni (cluster ${database.scope}), and this runbook stops and replaces servers itself, which it may not do beside it. Nothing was changed. ${instead}`,
    );
  });
}

/** The servers' own words, by their own users: Patroni's of others may be some seconds old. */
export async function factsOfAll(run: Run, members: readonly Member[]): Promise<ServerFacts[]> {
  const backups = run.plan.backups.physical;
  const asked = await Promise.allSettled(
    members.map((member) => run.host(member.host).memberFacts({ member, backups })),
  );
  return asked.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** It is moved by the load balancer's own check of Patroni, and by nobody else: Lifeboat closes no door here. */
export async function doorFollowsPatroni(run: Run, leader: string): Promise<Found> {
  const hosts = run.plan.database.members.map(({ host }) => host);
  const others = hosts.filter((host) => host !== leader);
  const { servers, found } = await run.control.doorState({ traffic: run.plan.traffic });
  const { checked, expected } = leadsTo(servers, leader, others);
  const forced = others.filter((host) => !checked.includes(host));
  if (forced.length > 0)
    throw failure(
      'DoorOpen',
      `${forced.join(' and ')} ${forced.length === 1 ? 'is' : 'are'} kept out by hand, not by the load balancer's check of Patroni (${found}): the door would not follow the primary. Leave ${forced.length === 1 ? 'it' : 'them'} to "option httpchk GET /primary" (${forced.map((host) => `set server ${run.plan.traffic.backend}/${host} state ready`).join('; ')}), then start again.`,
    );
  return { found, expected: `${expected}, and the others kept out by the check of Patroni` };
}

/** The check of the load balancer takes a moment to see a change. */
const seesWithin = 20;

/** @throws DoorOpen it has not followed in time */
export async function doorHasFollowed(run: Run, leader: string): Promise<Found> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await doorFollowsPatroni(run, leader);
    } catch (error) {
      if (failureOf(error).type !== 'DoorOpen' || tries === seesWithin) throw error;
      await sleep(500);
    }
  }
}
