/** Whether Patroni has failed over, and if not, why. Everything here only reads. */
import type { PatroniLeads, ServerFacts } from '../../../activities/contract.ts';
import type { Found } from '../../../activities/shapes.ts';
import type { Subject } from '../../../evidence/people.ts';
import { member } from '../../../plan/hosts.ts';
import type { Member, PatroniDatabase } from '../../../plan/schema.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { candidatesIn, objectionsToFailover, type PatroniCluster, whyNobodyLeads } from '../../../recovery/patroni.ts';
import type { DatabaseFailoverInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { estimate } from '../failover/loss.ts';
import { factsOfAll, stateOf } from './cluster.ts';

export interface Leaderless {
  /** Patroni has failed over by itself. */
  led?: PatroniLeads;
  /** Else who would take over, if Patroni is asked to. */
  to?: Member;
  /** That the standby which holds most has followed. */
  timeline: number;
  replayed: string;
  /** Members on which nobody answers. */
  silent: string[];
  why: string[];
}

export async function assessFailover(run: Run<DatabaseFailoverInput>, database: PatroniDatabase): Promise<Leaderless> {
  if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
  const { cluster } = await run.check('Patroni has a leader, or it is known why not', () => leaderOrWhy(run, database));
  await run.holdService();
  const silent = cluster.members
    .filter(({ own, server }) => own === undefined || server.role === 'unknown')
    .map(({ host }) => host);
  for (const { host } of cluster.members) if (!silent.includes(host)) await run.hold(host);
  const led = leadsBy(cluster);
  if (led !== undefined) {
    const changed = await run.check('The leader has become it by a failover', async () =>
      byFailover(run, cluster, led),
    );
    return { led: { ...led, found: changed.found }, timeline: led.timeline, replayed: '0/0', silent, why: [] };
  }
  const chosen = await run.check('A standby can take over, if Patroni is asked', () =>
    chooseCandidate(run, database, cluster),
  );
  const why = whyNobodyLeads(cluster);
  const { timeline, lsn } = chosen.facts;
  await run.check(
    'The evidence store answers',
    () => run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
    { yields: { found: 'not asked' } },
  );
  await run.check('What would be lost is estimated', () => estimate(run, { timeline, replayed: lsn }));
  return { to: chosen.to, timeline, replayed: lsn, silent, why };
}

/** Patroni itself is given the time that a lock needs to run out, but where it is paused, or has no store, nothing is waited for. */
async function leaderOrWhy(
  run: Run<DatabaseFailoverInput>,
  database: PatroniDatabase,
): Promise<Found & { cluster: PatroniCluster }> {
  const { found, expected, ...cluster } = await stateOf(run, database, database.leaderWithin);
  const primaries = cluster.members.filter(({ server }) => server.role === 'primary').map(({ host }) => host);
  if (primaries.length > 1)
    throw failure(
      'SplitBrain',
      `${primaries.join(' and ')} both say that they are the primary (${found}). Stop all writes, find out which one Patroni means, and compare them before anything goes on.`,
    );
  if (cluster.storeSilent !== undefined)
    throw failure(
      'PatroniUnsettled',
      `${whyNobodyLeads(cluster).join('; ')} (${found}). Patroni gives the lock to nobody meanwhile, and Lifeboat promotes nobody beside it: a member that only we cannot see may write.`,
    );
  if (cluster.leader !== undefined && leadsBy(cluster) === undefined)
    throw failure(
      'PatroniUnsettled',
      `the lock is with ${cluster.leader}, whose server does not say that it is the primary (${found}), and Patroni there keeps it. See its log; to take the lock from it, stop Patroni on ${cluster.leader}, then start again.`,
    );
  const why = cluster.leader === undefined ? `. Nobody leads: ${whyNobodyLeads(cluster).join('; ')}` : '';
  return { cluster, found: `${found}${why}`, expected: expected ?? 'one leader' };
}

function leadsBy({ leader, members }: PatroniCluster): Pick<PatroniLeads, 'leader' | 'timeline'> | undefined {
  const found = members.find(({ host }) => host === leader)?.server;
  return leader !== undefined && found?.role === 'primary' && found.timeline !== undefined
    ? { leader, timeline: found.timeline }
    : undefined;
}

/** @throws ServerAlive nothing has been failed over */
function byFailover(
  run: Run<DatabaseFailoverInput>,
  { changed, members }: PatroniCluster,
  led: { leader: string; timeline: number },
): Found {
  const { from, incidentAt, to } = run.input;
  const alive = (why: string) =>
    failure(
      'ServerAlive',
      `${led.leader} leads on timeline ${led.timeline}, ${why}: nothing has been failed over, and nothing has to be. To change places in order: lifeboat start switchover ${run.plan.service} --mode live`,
    );
  if (from === led.leader) throw alive('which is the one that was said to be lost');
  if (from !== undefined && members.every(({ host }) => host !== from))
    throw failure(
      'InputInvalid',
      `"from": ${from} is no member; there are ${members.map(({ host }) => host).join(', ')}.`,
    );
  if (to !== undefined && to !== led.leader) throw alive(`and Patroni has chosen it, not ${to}`);
  if (changed === undefined) throw alive('and Patroni remembers no other leader before it');
  if (incidentAt !== undefined && changed.at !== undefined && Date.parse(changed.at) < Date.parse(incidentAt))
    throw alive(`and has since ${changed.at}, before ${incidentAt}`);
  return {
    found: `Patroni made ${led.leader} the leader${changed.at === undefined ? '' : ` at ${changed.at}`}: timeline ${led.timeline} was forked from ${changed.timeline} at ${changed.lsn}`,
    expected: 'a leader that became it by a promotion',
  };
}

/** Of those that Patroni would take, the one that holds most of the newest timeline, by the servers' own words. */
async function chooseCandidate(
  run: Run<DatabaseFailoverInput>,
  database: PatroniDatabase,
  cluster: PatroniCluster,
): Promise<Found & { to: Member; facts: ServerFacts }> {
  const wanted = run.input.to;
  const fit = candidatesIn(cluster);
  const hosts = wanted === undefined ? fit : [wanted];
  const against = hosts.flatMap((host) => objectionsToFailover(cluster, host));
  if (hosts.length === 0 || against.length > 0)
    throw failure(
      'StandbyUnfit',
      `Patroni would make nobody the leader: ${[...against, ...whyNobodyLeads(cluster)].join('; ')}. Mend that, or bring the database back from its backups with Patroni stopped.`,
    );
  const facts = await factsOfAll(
    run,
    database.members.filter(({ host }) => fit.includes(host) || hosts.includes(host)),
  );
  const timeline = Math.max(...facts.map((one) => one.timeline));
  const byMost = facts.filter((one) => one.timeline === timeline).toSorted((a, b) => compareLsn(b.lsn, a.lsn));
  const [most] = byMost;
  const chosen = wanted === undefined ? most : byMost.find(({ host }) => host === wanted);
  if (chosen === undefined || most === undefined || compareLsn(most.lsn, chosen.lsn) > 0)
    throw failure(
      'StandbyUnfit',
      `${most?.host} holds more (${most?.lsn} on timeline ${timeline}) than ${wanted}: what lies between would be lost. Leave "to" out.`,
    );
  return {
    to: member(run.plan, chosen.host),
    facts: chosen,
    found: `${facts.map((one) => `${one.host} has replayed up to ${one.lsn} on timeline ${one.timeline}`).join('; ')}; ${chosen.host} would take over`,
    expected: 'the standby that holds most, and that Patroni takes',
  };
}

/** Read anew when the quorum is there: a leader that is there meanwhile ends the run. */
export async function orderToApprove(
  run: Run<DatabaseFailoverInput>,
  database: PatroniDatabase,
  { to, timeline, silent }: Leaderless,
): Promise<{ subject: Subject; shown: Subject }> {
  const now = await stateOf(run, database);
  if (now.leader !== undefined)
    throw failure(
      'Moved',
      `${now.leader} holds the lock by now (${now.found}): nothing needs to be asked of Patroni. Start again, to prove it.`,
    );
  if (to === undefined) throw failure('StandbyUnfit', `no standby was chosen (${now.found}).`);
  const [facts] = await factsOfAll(run, [to]);
  const { words: loss } = await estimate(run, { timeline, replayed: facts?.lsn ?? '0/0' });
  return {
    subject: {
      to: to.host,
      'holds up to': facts?.lsn ?? 'unknown',
      'old timeline': timeline,
      by: `Patroni, cluster ${database.scope}`,
    },
    shown: {
      'would be lost': loss,
      'why Patroni has not by itself': whyNobodyLeads(now).join('; '),
      'does not look at':
        'how far it is behind: maximum_lag_on_failover and synchronous mode do not hold for what people ask',
      ...(silent.length === 0 ? {} : { 'do not answer, and may hold more': silent.join(', ') }),
      'what happens next': `Patroni promotes ${to.host}; the load balancer follows by its check; the others follow by Patroni`,
    },
  };
}
