/** Brings back the one application of a plan as a recovery of the whole service does: assessed first, and brought back only where it ails. */
import type { RunSummary } from '../../evidence/evidence.ts';
import type { RunInput } from '../../workflows/messages.ts';
import { applicationOf, chooseApplication } from '../../workflows/phases/components/applications.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';

export async function bringing(input?: RunInput): Promise<RunSummary> {
  return runbook(
    {
      name: 'anchor',
      title: 'Bringing back',
      phases: ['assessment', 'application'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      unattended: true,
    },
    input,
    async (run) => {
      const application = applicationOf(run, chooseApplication(run.plan.components, undefined));
      const standing = await run.phase('assessment', () =>
        run.check('How the application stands', () => application.look()),
      );
      if (!standing.healthy) await run.phase('application', () => application.bringBack());
    },
  );
}
