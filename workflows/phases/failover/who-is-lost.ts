/** Which primary is lost: by what the members say that answer, and what a person has named. */
import type { MemberState } from '../../../activities/shapes.ts';
import { addresses, member } from '../../../plan/hosts.ts';
import { shareDoor } from '../../../plan/sites.ts';
import type { DatabaseFailoverInput } from '../../messages.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import { memberHere } from '../region/sites.ts';
import type { Loss } from './assess.ts';

/** One member that does not answer, and was the primary as far as anybody can tell. */
export async function whoIsLost(run: Run<DatabaseFailoverInput>): Promise<Loss> {
  const { members, found } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const primary = members.find(({ role }) => role === 'primary');
  if (primary !== undefined)
    throw failure(
      'ServerAlive',
      `${primary.host} answers as the primary (${found}): it is not lost, and to promote another would make two. To change places in order, without losing anything: lifeboat start switchover ${run.plan.service} --mode live`,
    );
  const host = lostOne(run.input.from, members, found);
  const standbys = members.filter(({ role }) => role === 'standby').map((one) => member(run.plan, one.host));
  if (standbys.length === 0)
    throw failure(
      'StandbyUnfit',
      `no standby answers (${found}): there is none that could take over. Bring one of them up, or bring the database back from its backups: lifeboat start full-restore ${run.plan.service}`,
    );
  const silent = members.filter((one) => one.role === 'unknown' && one.host !== host);
  // Where no other door is near, who is elsewhere only says what it sees.
  memberHere(run.plan, host, run.input.to);
  const mayTakeOver = standbys.map((one) => one.host).filter((one) => shareDoor(run.plan, host, one));
  return {
    from: member(run.plan, host),
    mayTakeOver,
    standbys,
    silent: silent.map((one) => member(run.plan, one.host)),
    found: `${found}; ${host} is taken for the primary that is lost`,
    expected: 'one member that does not answer, and standbys that do',
  };
}

function lostOne(wanted: string | undefined, members: MemberState[], found: string): string {
  const silent = members.filter(({ role }) => role === 'unknown').map(({ host }) => host);
  if (wanted !== undefined) {
    if (silent.includes(wanted)) return wanted;
    throw failure(
      'InputInvalid',
      members.some(({ host }) => host === wanted)
        ? `"from": ${wanted} answers, as a standby: it is not the primary that is lost (${found}).`
        : `"from": ${wanted} is no member of the plan; there are ${members.map(({ host }) => host).join(', ')}.`,
    );
  }
  const [only, ...more] = silent;
  if (only === undefined)
    throw failure(
      'NotPrimary',
      `every member answers, and none says that it is the primary (${found}): nothing is lost that a failover could replace.`,
    );
  if (more.length > 0)
    throw failure(
      'InputInvalid',
      `several members do not answer, ${silent.join(', ')}: name the one that was the primary in "from".`,
    );
  return only;
}
