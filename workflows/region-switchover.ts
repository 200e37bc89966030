import type { RunSummary } from '../evidence/evidence.ts';
import type { RegionSwitchoverInput } from './messages.ts';
import { factsToApprove } from './phases/region/facts.ts';
import { assessMove, moveToSite } from './phases/region/move.ts';
import { comeBack } from './phases/switchover/come-back.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Move to the other site';

/**
 * The planned move of a service to another site: writes stop for seconds, none that was acknowledged is lost, the name follows, and the old
 * primary comes back as the standby of the new one. Until the promotion all of it can be undone; after it there is only the way forward.
 */
export async function regionSwitchover(input?: RegionSwitchoverInput): Promise<RunSummary> {
  return runbook<RegionSwitchoverInput>(
    {
      name: 'region-switchover',
      title: 'Region switchover',
      phases: ['assessment', 'traffic', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [approval],
    },
    input,
    async (run) => {
      const move = await run.phase('assessment', () => assessMove(run, run.input.to));
      const moved = await run.phase('traffic', async () => {
        await run.approval(approval, () => factsToApprove(run, move));
        return moveToSite(run, move);
      });
      await run.phase('database', () => comeBack(run, move.pair, moved));
    },
  );
}
