import type { RunSummary } from '../evidence/evidence.ts';
import type { DatabaseFailoverInput } from './messages.ts';
import { assessTheLoss } from './phases/failover/assess.ts';
import { attest, attestation } from './phases/failover/attest.ts';
import { comeBack } from './phases/failover/come-back.ts';
import { factsToApprove } from './phases/failover/facts.ts';
import { openToTheNew, takeOver } from './phases/failover/take-over.ts';
import { validate } from './phases/failover/validate.ts';
import { whoIsLost } from './phases/failover/who-is-lost.ts';
import { patroniOf } from './phases/patroni/cluster.ts';
import { failoverByPatroni } from './phases/patroni/failover.ts';
import { replaceTheStandby } from './phases/rebuild/facts.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Fail over';

/**
 * The primary is lost, and a standby takes over: what the standby never received is lost, which people are told before they say yes, and
 * which is counted afterwards. Nothing is promoted before it is proven, or attested by a person, that the old primary cannot write any more.
 */
export async function databaseFailover(input?: DatabaseFailoverInput): Promise<RunSummary> {
  return runbook<DatabaseFailoverInput>(
    {
      name: 'database-failover',
      title: 'Database failover',
      phases: ['assessment', 'database', 'traffic', 'validation'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [attestation, approval, replaceTheStandby],
    },
    input,
    async (run) => {
      const kept = patroniOf(run.plan);
      if (kept !== undefined) return failoverByPatroni(run, kept, approval);
      const lost = await run.phase('assessment', () => assessTheLoss(run, () => whoIsLost(run), run.input.to));
      const moved = await run.phase('database', async () => {
        const fenced = await attest(run, lost);
        await run.approval(approval, () => factsToApprove(run, lost, fenced));
        return takeOver(run, lost, fenced);
      });
      await run.phase('traffic', () => openToTheNew(run, lost, moved));
      await run.phase('validation', async () => {
        await validate(run, lost, moved);
        await comeBack(run, lost, moved);
      });
    },
  );
}
