/** The same activities twice: as steps of a runbook, and called one after the other by plain Temporal code. */
import { proxyActivities } from '@temporalio/workflow';
import type { HostReads } from '../../activities/contract.ts';
import type { RunSummary } from '../../evidence/evidence.ts';
import type { MonthlyDrillInput } from '../../workflows/messages.ts';
import { runbook } from '../../workflows/runbook/runbook.ts';
import { benchHost, benchQueue } from './queue.ts';

export interface Steps extends MonthlyDrillInput {
  steps: number;
}

const scratch = { host: benchHost, directory: '/nowhere' };

export async function layeredSteps({ steps, ...input }: Steps): Promise<RunSummary> {
  return runbook<MonthlyDrillInput>(
    {
      name: 'monthly-drill',
      title: 'Steps that do nothing',
      phases: ['assessment'],
      outcomes: { good: 'proven', bad: 'not-proven' },
      alwaysUndo: false,
    },
    input,
    (run) =>
      run.phase('assessment', async () => {
        const host = run.host(benchHost);
        for (let step = 1; step <= steps; step += 1) await run.check(`Step ${step}`, () => host.litter({ scratch }));
      }),
  );
}

export async function bareSteps({ steps }: Steps): Promise<void> {
  const { litter } = proxyActivities<Pick<HostReads, 'litter'>>({
    taskQueue: benchQueue,
    startToCloseTimeout: '1m',
    heartbeatTimeout: '20s',
  });
  for (let step = 1; step <= steps; step += 1) await litter({ scratch });
}
