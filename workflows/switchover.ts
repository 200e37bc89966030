import type { RunSummary } from '../evidence/evidence.ts';
import type { SwitchoverInput } from './messages.ts';
import { patroniOf } from './phases/patroni/cluster.ts';
import { switchoverByPatroni } from './phases/patroni/switchover.ts';
import { memberHere } from './phases/region/sites.ts';
import { assessPair } from './phases/switchover/assess.ts';
import { changePlaces } from './phases/switchover/change-places.ts';
import { comeBack } from './phases/switchover/come-back.ts';
import { factsToApprove } from './phases/switchover/facts.ts';
import { prepare } from './phases/switchover/prepare.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Switch the primary';

/**
 * The planned change of primary and standby: writes stop for seconds, none that was acknowledged is lost, and the old primary comes back
 * as the standby. Until the promotion all of it can be undone; after it there is only the way forward.
 */
export async function switchover(input?: SwitchoverInput): Promise<RunSummary> {
  return runbook<SwitchoverInput>(
    {
      name: 'switchover',
      title: 'Switchover',
      phases: ['assessment', 'traffic', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [approval],
    },
    input,
    async (run) => {
      const kept = patroniOf(run.plan);
      if (kept !== undefined) return switchoverByPatroni(run, kept, approval);
      const pair = await run.phase('assessment', () =>
        assessPair(run, (primary) => memberHere(run.plan, primary, run.input.to)),
      );
      const moved = await run.phase('traffic', async () => {
        await run.approval(approval, () => factsToApprove(run, pair));
        await prepare(run, pair);
        return changePlaces(run, pair);
      });
      await run.phase('database', () => comeBack(run, pair, moved));
    },
  );
}
