/** A small live runbook that asks people, on the layer that all runbooks stand on, under the name of one that the command line knows. What it changes exists only in the fake estate. */
import type { RunSummary } from '../../../evidence/evidence.ts';
import type { BackupInput } from '../../../workflows/messages.ts';
import { runbook } from '../../../workflows/runbook/runbook.ts';

export { lock } from '../../../workflows/lock.ts';
export { monthlyDrill } from '../../../workflows/monthly-drill.ts';

export async function backup(input?: BackupInput): Promise<RunSummary> {
  return runbook(
    {
      name: 'backup',
      title: 'Switchover',
      phases: ['assessment', 'database'],
      outcomes: { good: 'completed', bad: 'failed' },
      alwaysUndo: false,
      approvals: ['Switch the primary'],
    },
    input,
    async (run) => {
      await run.phase('assessment', async () => {
        await run.change('Close the front door', {
          preview: async () => ({ will: 'let no session through to the primary', takesMs: 200, yields: undefined }),
          apply: async () => undefined,
          undo: () => run.control.noLiveRun({ service: run.plan.service }),
        });
        await run.approval('Switch the primary', async () => {
          const { found } = await run.control.members({ database: run.plan.database, addresses: {} });
          return { subject: { roles: found }, shown: { lag: '0 B' } };
        });
      });
      await run.phase('database', async () => {
        await run.change('Promote the standby', {
          preview: async () => ({ will: 'promote the standby', yields: undefined }),
          apply: async () => {
            await run.control.serviceMoment({ frontDoor: run.plan.database.frontDoor });
            return undefined;
          },
          undo: { pointOfNoReturn: 'a promoted server does not become a standby again by itself', seals: true },
        });
      });
    },
  );
}
