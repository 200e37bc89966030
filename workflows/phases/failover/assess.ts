/** What must be true before a standby takes over from a primary that is lost. Everything here only reads. */
import type { DoorServer, ServerFacts } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { Member } from '../../../plan/schema.ts';
import { backupsOn, doorsOf, membersBehind } from '../../../plan/sites.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { objectionsToPromotion } from '../../../recovery/switchover.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { knowsAll, replicationOf } from '../members.ts';
import { sayingHowItStands } from '../standing.ts';
import { chooseFence } from './fence.ts';
import { estimate } from './loss.ts';
import type { FailoverRun, Lost } from './lost.ts';
import { nobodySees } from './vantage.ts';

/** Who is lost, and whose standbys there are. */
export interface Loss extends Found, Pick<Lost, 'from' | 'silent'> {
  standbys: Member[];
  /** Hosts of those that may take over; all when absent. */
  mayTakeOver?: string[];
}

export async function assessTheLoss(
  run: FailoverRun,
  whoIsLost: () => Promise<Loss>,
  wanted: string | undefined,
): Promise<Lost> {
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  const { from, standbys, silent, mayTakeOver } = await run.check(
    'One primary is lost, and it is known whose standbys answer',
    () => sayingHowItStands(run, whoIsLost),
  );
  await run.holdService();
  // Not the host that is lost: what may still be held there nobody will give back.
  for (const { host } of standbys) await run.hold(host);
  const seen = await run.check('Two vantage points agree that it does not answer', () =>
    nobodySees(run, { from, standbys, silent }),
  );
  const { checked } = await run.check('The front door leads to nobody else', () => leadsToNobodyElse(run, from));
  const { facts, to, others } = await run.check('The standby that holds most can take over', () =>
    chooseStandby(run, from, { standbys, mayTakeOver, wanted }),
  );
  const { fence } = await run.check('It is known how the old primary is fenced', () => chooseFence(run, from, seen));
  const replication = await run.check('The plan says how a standby connects', async () => replicationOf(run));
  await run.check(
    'The evidence store answers',
    () => run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
    // Evidence has a directory to go to; a service that is down has nowhere.
    { yields: { found: 'not asked' } },
  );
  const lost: Lost = {
    ...{ from, to, others, silent, fence, replication, checked },
    timeline: facts.timeline,
    systemIdentifier: facts.systemIdentifier,
    segmentBytes: facts.segmentBytes,
    replayed: facts.lsn,
  };
  await run.check('What would be lost is estimated', () => estimate(run, lost));
  return lost;
}

async function leadsToNobodyElse(run: FailoverRun, from: Member): Promise<Found & { checked: boolean }> {
  const { servers, found } = await everyDoor(run, from);
  const strange = servers.filter(({ server, serves }) => serves && server !== from.host);
  if (strange.length > 0)
    throw failure(
      'DoorOpen',
      `the load balancer leads to ${strange.map(({ server }) => server).join(' and ')}, expected ${from.host} or nobody. Correct it first: who is let in during the change must be certain.`,
    );
  return {
    checked: servers.some(({ server, checked }) => server !== from.host && checked),
    found,
    expected: `${from.host} or nobody is given sessions`,
  };
}

/** Of every site; the load balancer of a site that is lost may be lost with it. */
async function everyDoor(run: FailoverRun, from: Member): Promise<Found & { servers: DoorServer[] }> {
  const servers: DoorServer[] = [];
  const found: string[] = [];
  const doors = doorsOf(run.plan);
  for (const { traffic } of doors) {
    const hosts = membersBehind(run.plan, traffic).map(({ host }) => host);
    try {
      // One that is lost is not waited for, as one is that may come back.
      const control = doors.length > 1 && hosts.includes(from.host) ? run.controlWithin(1) : run.control;
      const door = await control.doorState({ traffic });
      knowsAll(door.servers, hosts);
      servers.push(...door.servers);
      found.push(door.found);
    } catch (error) {
      const { type, message } = failureOf(error);
      if (type !== 'TrafficUnreachable' || doors.length === 1 || !hosts.includes(from.host)) throw error;
      found.push(message);
    }
  }
  return { servers, found: found.join('; ') };
}

interface Chosen {
  facts: ServerFacts;
  to: Member;
  others: Member[];
}

async function chooseStandby(
  run: FailoverRun,
  from: Member,
  { standbys, mayTakeOver, wanted }: Pick<Loss, 'standbys' | 'mayTakeOver'> & { wanted: string | undefined },
): Promise<Found & Chosen> {
  const asked = await Promise.allSettled(
    standbys.map(async (one) => ({
      one,
      facts: await run.host(one.host).serverFacts({ member: one, backups: backupsOn(run.plan, one.host) }),
    })),
  );
  const failed = asked.find((one) => one.status === 'rejected');
  const known = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  // One that cannot be asked may hold more than all others.
  if (failed !== undefined) throw failed.reason;
  // Positions of different timelines say nothing of each other: the newest line holds what was written last.
  const timeline = Math.max(...known.map(({ facts }) => facts.timeline));
  const byMost = known
    .filter(({ facts }) => facts.timeline === timeline)
    .toSorted((a, b) => compareLsn(b.facts.lsn, a.facts.lsn));
  const [most] = byMost;
  const able = byMost.filter(({ one }) => mayTakeOver?.includes(one.host) ?? true);
  const chosen = wanted === undefined ? able[0] : able.find(({ one }) => one.host === wanted);
  if (chosen === undefined || most === undefined)
    throw failure(
      'InputInvalid',
      `"to": ${wanted ?? 'nobody of that site'} is no standby that answers on timeline ${timeline}; there are ${byMost.map(({ one }) => one.host).join(', ')}.`,
    );
  if (compareLsn(most.facts.lsn, chosen.facts.lsn) > 0)
    throw failure(
      'StandbyUnfit',
      `${most.one.host} holds more (${most.facts.lsn}) than ${chosen.one.host} (${chosen.facts.lsn}): what lies between would be lost. ${wanted === undefined ? `Let ${chosen.one.host} replay it first.` : 'Leave "to" out.'}`,
    );
  const against = objectionsToPromotion(chosen.facts);
  if (against.length > 0)
    throw failure('StandbyUnfit', `${chosen.one.host} cannot take over: ${against.join('; ')}. Then start again.`);
  const strange = known.filter(({ facts }) => facts.systemIdentifier !== chosen.facts.systemIdentifier);
  if (strange.length > 0)
    throw failure(
      'PlanInvalid',
      `${strange.map(({ one }) => one.host).join(' and ')} is of another cluster than ${chosen.one.host}. Correct database.members in the plan.`,
    );
  return {
    facts: chosen.facts,
    to: chosen.one,
    others: known.filter((one) => one !== chosen).map(({ one }) => one),
    found: `${known.map(({ facts }) => `${facts.host} has replayed up to ${facts.lsn} on timeline ${facts.timeline}`).join('; ')}; ${chosen.one.host} takes over from ${from.host}`,
    expected: 'the standby that holds most, with the configuration of a primary',
  };
}
