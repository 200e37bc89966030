import type { RunSummary } from '../evidence/evidence.ts';
import type { AcceptInput } from './messages.ts';
import { acceptApproval, assessAccepted, factsToAccept, removeOld } from './phases/recovery/accept.ts';
import { runbook } from './runbook/runbook.ts';

/** People accept what a recovery has brought back: the old data directories, which it has set aside, are removed for good. */
export async function accept(input?: AcceptInput): Promise<RunSummary> {
  return runbook<AcceptInput>(
    {
      name: 'accept',
      title: 'Acceptance',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: [acceptApproval],
    },
    input,
    async (run) => {
      const accepted = await run.phase('assessment', () => assessAccepted(run));
      await run.phase('database', async () => {
        await run.approval(acceptApproval, () => factsToAccept(run, accepted));
        await removeOld(run, accepted);
      });
    },
  );
}
