/** The old primary comes back as a standby, without hurry, where that is possible; else it is left fenced, and that is said. */
import { addresses } from '../../../plan/hosts.ts';
import { doorOf } from '../../../plan/sites.ts';
import { openByHand } from '../../../recovery/left-standing.ts';
import { failure, failureOf } from '../../runbook/failure.ts';
import { leaveToCheck } from '../front-door.ts';
import { takeIncrementalBackup } from '../new-primary.ts';
import { comesBack, lookAround } from '../rebuild/assess.ts';
import { bringBack } from '../rebuild/bring-back.ts';
import { chooseWay, type Rebuild } from '../rebuild/choose.ts';
import { factsToApprove, needsApproval, replaceTheStandby } from '../rebuild/facts.ts';
import { proveAndStart } from '../rebuild/prove.ts';
import { Split } from '../switchover/split.ts';
import type { FailoverRun, Lost, Moved } from './lost.ts';
import { asItsOwnHostSees } from './vantage.ts';

/** These end only the way back: the service has its primary. */
const leftFenced = ['NotApproved', 'StandbyUnfit', 'LockHeld', 'HostSilent'];

export async function comeBack(run: FailoverRun, lost: Lost, moved: Moved): Promise<void> {
  await run.change('Take a backup of the new primary', takeIncrementalBackup(run, lost.to));
  const split = new Split(run, lost, moved);
  await run.prove('Every member that answers has its role', () => split.closesTheDoor(() => roles(run, lost, moved)));
  // In a dry run the roles have not been changed, and nothing could be said of the way back.
  if (run.mode === 'dry-run') return;
  const way = await wayBack(run, lost);
  if (typeof way === 'string')
    return run.record({ leftFenced: { host: lost.from.host, why: way, byHand: byHand(run, lost) } });
  if (way !== undefined) {
    await bringBack(run, way);
    await proveAndStart(run, way);
  }
  if (lost.checked && lost.fence.kind !== 'postgres')
    await run.change("Leave the old primary to the load balancer's check", leaveToCheck(run, lost.from.host));
}

/** Why it stays away, in words; undefined when nothing has to be done. Nothing is changed yet. */
async function wayBack(run: FailoverRun, { from, to, replication }: Lost): Promise<Rebuild | string | undefined> {
  const { own, words } = await run.check("It is known whether the old primary's host answers", async () => {
    const seen = await asItsOwnHostSees(run, from);
    return { ...seen, found: seen.words };
  });
  if (own === 'silent') return words;
  try {
    await run.hold(from.host);
    const who = comesBack(run, { standby: from, primary: to, replication });
    const rebuild = await chooseWay(run, who, await lookAround(run, who), undefined);
    if (rebuild !== undefined && needsApproval(rebuild))
      await run.approval(replaceTheStandby, () => factsToApprove(run, rebuild));
    return rebuild;
  } catch (error) {
    const { type, message } = failureOf(error);
    if (!leftFenced.includes(type)) throw error;
    return message;
  }
}

function byHand(run: FailoverRun, { from, to, fence }: Lost): string {
  const door =
    fence.kind === 'postgres' ? '' : `, and then ${openByHand(doorOf(run.plan, from.host).traffic, from.host)}`;
  return `Keep ${from.host} from starting as a primary: ${to.host} is it. Once its host worker answers: lifeboat start standby-rebuild ${run.plan.service} --mode live --input '{"host":"${from.host}"}'${door}`;
}

/** @throws Moved @throws SplitBrain */
export async function roles(run: FailoverRun, { from, to }: Lost, { timeline }: Moved) {
  const { members, found, expected } = await run.control.members({
    database: run.plan.database,
    addresses: addresses(run.plan),
  });
  const state = (host: string) => members.find((one) => one.host === host);
  if (state(to.host)?.role !== 'primary' || state(to.host)?.timeline !== timeline)
    throw failure('Moved', `${found}; expected ${to.host} as the primary on timeline ${timeline}.`);
  if (state(from.host)?.role === 'primary')
    throw failure('SplitBrain', `${found}; expected that ${from.host} is no primary.`);
  return { found, expected };
}
