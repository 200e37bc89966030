import type { RunSummary } from '../evidence/evidence.ts';
import type { ApplicationRecoveryInput } from './messages.ts';
import { changeTheApplication, doIt, factsToApprove } from './phases/application/act.ts';
import { assessApplication } from './phases/application/assess.ts';
import { runbook } from './runbook/runbook.ts';

/**
 * An application is brought back: waited for, where it may come back by itself, started or restarted where it does not, and proven to stay up
 * and to be healthy. What is healthy is left alone. It can also be restarted, kept from running, and let run again.
 */
export async function applicationRecovery(input?: ApplicationRecoveryInput): Promise<RunSummary> {
  return runbook<ApplicationRecoveryInput>(
    {
      name: 'application-recovery',
      title: 'Application recovery',
      phases: ['assessment', 'application', 'validation'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvalsWhereNamed: [changeTheApplication],
    },
    input,
    async (run) => {
      const assessed = await run.phase('assessment', () => assessApplication(run));
      await run.phase('application', async () => {
        if (assessed.does === 'nothing') return run.notePhase('application', `left alone: ${assessed.why}`);
        await run.approvalWhereNamed(changeTheApplication, () => factsToApprove(assessed));
        await doIt(assessed);
      });
      await run.phase('validation', async () => {
        // Whoever has it kept from running has seen it quiet already.
        if (run.input.action === 'quiesce') return;
        const stood = await assessed.application.stands();
        if (stood !== undefined && assessed.ailed) run.record({ recoveredAt: stood.at });
      });
    },
  );
}
