/** Which site takes over from which, and by which member. */
import type { MemberState } from '../../../activities/shapes.ts';
import { addresses, member } from '../../../plan/hosts.ts';
import type { Member, Plan } from '../../../plan/schema.ts';
import { membersIn, shareDoor, siteOf } from '../../../plan/sites.ts';
import type { RegionFailoverInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Loss } from '../failover/assess.ts';

/** What is told of a cluster that Patroni keeps. */
export const between = 'Between sites a standby_cluster is moved by hand, as docs/patroni.md tells.';

/** Sites by name. */
export interface Sites {
  from: string;
  to: string;
}

export function sitesOf(plan: Plan, { from, to }: { from: Member; to: Member }): Sites {
  return { from: siteOf(plan, from.host), to: siteOf(plan, to.host) };
}

/** Sites with members of the database, in the order of the plan. */
function sitesWithMembers(plan: Plan): string[] {
  return Object.keys(plan.sites).filter((site) => membersIn(plan, site).length > 0);
}

/**
 * The member of another site than `primary` is in: the first that the plan names there.
 *
 * @param wanted name of the site; absent: the only other one
 * @throws InputInvalid
 */
export function memberElsewhere(plan: Plan, primary: string, wanted: string | undefined): Member {
  const here = siteOf(plan, primary);
  const [first] = membersIn(plan, siteElsewhere(plan, here, wanted));
  if (first === undefined) throw failure('Bug', 'a site was chosen that has no member');
  return first;
}

/**
 * Of a change inside of one site: who may take over there. Where the front doors differ, nobody would lead clients to the other one.
 *
 * @throws InputInvalid it would be one between sites
 */
export function memberHere(plan: Plan, primary: string, wanted: string | undefined): string | undefined {
  const others = plan.database.members.map(({ host }) => host).filter((host) => host !== primary);
  const here = others.filter((host) => shareDoor(plan, primary, host));
  if (here.length === others.length) return wanted;
  if (here.length === 0 || (wanted !== undefined && others.includes(wanted) && !here.includes(wanted)))
    throw failure(
      'InputInvalid',
      `${wanted ?? others.join(' and ')} is in another site than ${primary}, and the name by which clients come would not follow. Between sites: lifeboat start region-switchover ${plan.service}, or region-failover where the whole site is lost.`,
    );
  const [only, ...more] = here;
  return wanted ?? (more.length === 0 ? only : undefined);
}

function siteElsewhere(plan: Plan, here: string, wanted: string | undefined): string {
  const others = sitesWithMembers(plan).filter((site) => site !== here);
  if (wanted === here) throw failure('InputInvalid', `"to": the primary is in ${here} already.`);
  if (wanted !== undefined && !others.includes(wanted))
    throw failure(
      'InputInvalid',
      `"to": ${wanted} is no site with a member of the database; beside ${here} there are ${others.join(', ') || 'none'}.`,
    );
  const [only, ...more] = wanted === undefined ? others : [wanted];
  if (only === undefined)
    throw failure(
      'PlanInvalid',
      `every member of the database is in ${here}: there is no other site. Add one to sites, and a member in it to database.members; inside of one site use switchover and database-failover.`,
    );
  if (more.length > 0)
    throw failure('InputInvalid', `there are several other sites, ${others.join(', ')}: name one in "to".`);
  return only;
}

/**
 * The site of which nobody answers, by what the members say that do.
 *
 * @throws ServerAlive a primary answers, or a member of the site that was named as lost
 */
export async function whichSiteIsLost(run: Run<RegionFailoverInput>): Promise<Loss> {
  const { plan, input } = run;
  const { members, found } = await run.control.members({ database: plan.database, addresses: addresses(plan) });
  const primary = members.find(({ role }) => role === 'primary');
  if (primary !== undefined)
    throw failure(
      'ServerAlive',
      `${primary.host} in ${siteOf(plan, primary.host)} answers as the primary (${found}): its site is not lost. To move the service in order, without losing anything: lifeboat start region-switchover ${plan.service} --mode live`,
    );
  const lost = lostSite(plan, members, input.from, found);
  const from = onlyMember(plan, lost);
  const to = siteElsewhere(plan, lost, input.to);
  const there = membersIn(plan, to).map(({ host }) => host);
  const standbys = members.filter(({ role }) => role === 'standby');
  const mayTakeOver = standbys.map(({ host }) => host).filter((host) => there.includes(host));
  if (mayTakeOver.length === 0)
    throw failure(
      'StandbyUnfit',
      `no standby answers in ${to} (${found}): there is none that could take over. Bring one of them up, or bring the database back from its backups: lifeboat start full-restore ${plan.service}`,
    );
  const silent = members.filter(({ host, role }) => role === 'unknown' && host !== from.host);
  return {
    from,
    standbys: standbys.map(({ host }) => member(plan, host)),
    mayTakeOver,
    silent: silent.map(({ host }) => member(plan, host)),
    found: `${found}; nothing of ${lost} answers, ${to} takes over`,
    expected: 'one site of which nothing answers, and standbys in the other',
  };
}

function lostSite(plan: Plan, members: MemberState[], wanted: string | undefined, found: string): string {
  const sites = sitesWithMembers(plan);
  const answering = new Set(members.filter(({ role }) => role !== 'unknown').map(({ host }) => siteOf(plan, host)));
  if (wanted !== undefined && !sites.includes(wanted))
    throw failure(
      'InputInvalid',
      `"from": ${wanted} is no site with a member of the database; there are ${sites.join(', ')}.`,
    );
  if (wanted !== undefined && answering.has(wanted))
    throw failure(
      'ServerAlive',
      `"from": a member of ${wanted} answers (${found}): the site is not lost. If only its primary is: lifeboat start database-failover ${plan.service} --mode live`,
    );
  const silent = sites.filter((site) => !answering.has(site));
  const [only, ...more] = wanted === undefined ? silent : [wanted];
  if (only === undefined)
    throw failure(
      'NotPrimary',
      `members of every site answer, and none says that it is the primary (${found}). If a primary is lost, and not its site: lifeboat start database-failover ${plan.service} --mode live`,
    );
  if (more.length > 0)
    throw failure(
      'InputInvalid',
      `nothing answers of ${silent.join(' and ')}: name the site that held the primary in "from".`,
    );
  return only;
}

/** Every one of them would have to be fenced, and which was the primary is not known. */
function onlyMember(plan: Plan, site: string): Member {
  const [only, ...more] = membersIn(plan, site);
  if (only === undefined || more.length > 0)
    throw failure(
      'PlanInvalid',
      `${site} holds several members (${membersIn(plan, site)
        .map(({ host }) => host)
        .join(
          ', ',
        )}), and a region failover fences one. Make sure that the others are off, take them out of database.members, and start again.`,
    );
  return only;
}
