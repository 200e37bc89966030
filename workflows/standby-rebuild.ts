import type { RunSummary } from '../evidence/evidence.ts';
import type { StandbyRebuildInput } from './messages.ts';
import { lookAround, whoIsWho } from './phases/rebuild/assess.ts';
import { bringBack } from './phases/rebuild/bring-back.ts';
import { chooseWay } from './phases/rebuild/choose.ts';
import { factsToApprove, needsApproval, replaceTheStandby } from './phases/rebuild/facts.ts';
import { proveAndStart, roles } from './phases/rebuild/prove.ts';
import { runbook } from './runbook/runbook.ts';

/**
 * A standby that is behind, has left the primary's line, is dead or gone comes back, in the cheapest way that the facts allow. Of the primary
 * nothing is changed but a slot. What the standby has written beside it is shown before it is given up.
 */
export async function standbyRebuild(input?: StandbyRebuildInput): Promise<RunSummary> {
  return runbook<StandbyRebuildInput>(
    {
      name: 'standby-rebuild',
      title: 'Standby rebuild',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [replaceTheStandby],
    },
    input,
    async (run) => {
      const { who, around, rebuild } = await run.phase('assessment', async () => {
        const who = await whoIsWho(run, () => run.input.host);
        const around = await lookAround(run, who);
        return { who, around, rebuild: await chooseWay(run, who, around, run.input.way) };
      });
      await run.phase('database', async () => {
        if (rebuild === undefined)
          return void (await run.prove('Every member has its role', () => roles(run, who, around.primary.timeline)));
        if (needsApproval(rebuild)) await run.approval(replaceTheStandby, () => factsToApprove(run, rebuild));
        await bringBack(run, rebuild);
        await proveAndStart(run, rebuild);
      });
    },
  );
}
