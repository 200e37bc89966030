import type { RunSummary } from '../evidence/evidence.ts';
import type { RegionFailbackInput } from './messages.ts';
import { leaveToCheck } from './phases/front-door.ts';
import { lookAround, whoIsWho } from './phases/rebuild/assess.ts';
import { bringBack } from './phases/rebuild/bring-back.ts';
import { chooseWay } from './phases/rebuild/choose.ts';
import { factsToApprove as factsOfRebuild, needsApproval, replaceTheStandby } from './phases/rebuild/facts.ts';
import { proveAndStart, roles } from './phases/rebuild/prove.ts';
import { factsToApprove } from './phases/region/facts.ts';
import { assessMove, moveToSite } from './phases/region/move.ts';
import { memberElsewhere } from './phases/region/sites.ts';
import { archivesByItself } from './phases/region/store.ts';
import { comeBack } from './phases/switchover/come-back.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Return to the old site';

/**
 * The way back after a region failover: the old primary comes back as a standby in its own site, in the cheapest way that the facts allow,
 * and its store archives again; once people have said yes, the service moves back as in a region switchover.
 */
export async function regionFailback(input?: RegionFailbackInput): Promise<RunSummary> {
  return runbook<RegionFailbackInput>(
    {
      name: 'region-failback',
      title: 'Region failback',
      phases: ['assessment', 'database', 'validation', 'traffic'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [replaceTheStandby, approval],
    },
    input,
    async (run) => {
      const { to, way } = run.input;
      const { who, around, rebuild } = await run.phase('assessment', async () => {
        const who = await whoIsWho(run, (primary) => memberElsewhere(run.plan, primary, to).host);
        const around = await lookAround(run, who);
        return { who, around, rebuild: await chooseWay(run, who, around, way) };
      });
      await run.phase('database', async () => {
        if (rebuild === undefined) {
          await run.prove('Every member has its role', () => roles(run, who, around.primary.timeline));
        } else {
          if (needsApproval(rebuild)) await run.approval(replaceTheStandby, () => factsOfRebuild(run, rebuild));
          await bringBack(run, rebuild);
          await proveAndStart(run, rebuild);
        }
        await archivesByItself(run, who, around.primary);
        await run.change("Leave the standby to its load balancer's check", {
          ...leaveToCheck(run, who.standby.host),
          skip: { yields: undefined },
        });
        run.keepSoFar(
          `${who.standby.host} stays the standby of ${who.primary.host}: the move can be made at any time.`,
        );
      });
      // Until it streams there is nothing to return to, and nothing to say of it.
      if (run.mode === 'dry-run' && rebuild !== undefined) return;
      const move = await run.phase('validation', () => assessMove(run, to));
      await run.phase('traffic', async () => {
        await run.approval(approval, () => factsToApprove(run, move));
        await comeBack(run, move.pair, await moveToSite(run, move));
      });
    },
  );
}
