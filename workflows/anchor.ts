import type { RunSummary } from '../evidence/evidence.ts';
import type { RunInput } from './messages.ts';
import { takeAnchor } from './phases/anchor.ts';
import { holdPrimary } from './phases/primary.ts';
import { runbook } from './runbook/runbook.ts';

/** Notes an anchor between two backups: a point at which the content of the critical tables is known, for restores to be compared with. */
export async function anchor(input?: RunInput): Promise<RunSummary> {
  return runbook(
    {
      name: 'anchor',
      title: 'Anchor',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      unattended: true,
    },
    input,
    async (run) => {
      const roles = await run.phase('assessment', async () => {
        await run.check('The evidence store answers', () =>
          run.control.storeAnswers({ store: run.plan.evidence, outageWithinMs: run.patienceMs() }),
        );
        // A backup takes an anchor too, and two of them would pause and resume one standby's replay.
        return holdPrimary(run);
      });
      await run.phase('database', () => takeAnchor(run, roles, 'needed'));
    },
  );
}
