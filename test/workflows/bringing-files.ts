/** A made-up recovery that brings the files of a component back where they are not well: the steps are the real ones. */
import type { RunSummary } from '../../evidence/evidence.ts';
import type { RunInput } from '../../workflows/messages.ts';
import { namedFiles } from '../../workflows/phases/components/named-files.ts';
import { restic } from '../../workflows/phases/components/restic.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';

export async function bringingFiles(input?: RunInput): Promise<RunSummary> {
  return runbook(
    {
      name: 'backup',
      title: 'Bringing files',
      phases: ['assessment', 'application'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
    },
    input,
    async (run) => {
      const all = namedFiles(run.plan).map((named) => restic(run, named));
      const lost = await run.phase('assessment', async () => {
        const found = [];
        for (const [index, one] of all.entries())
          found.push({
            one,
            standing: await run.check(
              index === 0 ? 'The files of web are there, or can come back' : `Others (${index})`,
              () => one.look(),
            ),
          });
        return found.filter(({ standing }) => !standing.healthy);
      });
      await run.phase('application', async () => {
        for (const { one } of lost) await one.bringBack();
      });
    },
  );
}
