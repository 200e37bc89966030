import { sleep } from '@temporalio/workflow';
import type { ControlReads, HostReads } from '../activities/contract.ts';
import { addresses } from '../plan/hosts.ts';
import type { Member, Plan } from '../plan/schema.ts';
import { backupsOn, siteOf } from '../plan/sites.ts';
import { type Judgement, judgeWriters, type MemberSays } from '../recovery/one-writer.ts';
import { answering } from './answering.ts';
import { controlQueue, hostQueue, type RunInput } from './messages.ts';
import { failureOf } from './runbook/failure.ts';
import { activities } from './runbook/step.ts';

/** How the members of a service stand, by their own hosts' word. */
export interface MembersResult extends Judgement {
  service: string;
  /** UTC. */
  at: string;
  members: (MemberSays & { site: string })[];
}

export interface MembersInput extends Pick<RunInput, 'service'> {
  /** What is known already: answered as soon as something is otherwise, at the latest after some minutes. */
  known?: string;
}

// Who does not answer soon is unknown: a watch must not hang at one of them.
const waits = { startToCloseMs: 20_000, heartbeatMs: 10_000, answerWithinMs: 5_000, attempts: 1 };
const everyMs = 5_000;
/** Some ten events each: together well below what a history may hold. */
const mostLooks = 60;

/** Looks, and changes nothing; not a runbook. */
export async function members(input?: MembersInput): Promise<MembersResult> {
  return answering('members', 'How the members stand', async () => {
    const control = activities<ControlReads>({ taskQueue: controlQueue, ...waits, answerWithinMs: 20_000 });
    const { plan } = await control.loadPlan(input?.service === undefined ? {} : { service: input.service });
    for (let looks = 1; ; looks += 1) {
      const now = await look(plan);
      if (input?.known === undefined || input.known !== standingOf(now) || looks === mostLooks) return now;
      await sleep(everyMs);
    }
  });
}

async function look(plan: Plan): Promise<MembersResult> {
  const said = await Promise.all(plan.database.members.map((member) => ask(plan, member)));
  return {
    ...{ service: plan.service, at: new Date(Date.now()).toISOString(), ...judgeWriters(said) },
    members: said.map((one) => ({ ...one, site: siteOf(plan, one.host) })),
  };
}

async function ask(plan: Plan, member: Member): Promise<MemberSays> {
  const { host } = member;
  try {
    const facts = await activities<HostReads>({ taskQueue: hostQueue(host), ...waits }).memberFacts({
      ...{ member, backups: backupsOn(plan, host) },
    });
    const { role, timeline, lsn, history } = facts;
    return { host, role, timeline, lsn, ...(history === undefined ? {} : { history }) };
  } catch (error) {
    return { ...(await overTheNetwork(plan, member)), why: failureOf(error).message };
  }
}

/** Of one whose host worker does not answer: a second primary is one, however it was seen. */
async function overTheNetwork(plan: Plan, member: Member): Promise<MemberSays> {
  const unknown: MemberSays = { host: member.host, role: 'unknown' };
  try {
    const { members: seen } = await activities<ControlReads>({ taskQueue: controlQueue, ...waits }).members({
      database: { ...plan.database, members: [member] },
      addresses: addresses(plan),
    });
    const { role = 'unknown', timeline, lsn } = seen[0] ?? {};
    return { ...unknown, role, ...(timeline === undefined ? {} : { timeline }), ...(lsn === undefined ? {} : { lsn }) };
  } catch {
    return unknown;
  }
}

/** What a watch tells anew when it changes: positions move all the time. */
export function standingOf({ verdict, facts, members: each }: MembersResult): string {
  return JSON.stringify([
    verdict,
    facts,
    each.map(({ host, role, timeline, history }) => [host, role, timeline, history]),
  ]);
}
