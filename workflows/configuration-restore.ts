import type { RunSummary } from '../evidence/evidence.ts';
import type { ConfigurationRestoreInput } from './messages.ts';
import { namedFiles } from './phases/components/named-files.ts';
import {
  compare,
  differencesNow,
  factsToApprove,
  lookAt,
  putInPlace,
  restoreBeside,
  tidy,
} from './phases/components/restic.ts';
import { failure } from './runbook/failure.ts';
import { runbook } from './runbook/runbook.ts';

const approval = 'Replace files';

/**
 * Configuration, certificates or what people have uploaded comes back from its repository. People see what would come, change and go before
 * anything is replaced; what does not serve with the restored files gets the old ones back at once.
 */
export async function configurationRestore(input?: ConfigurationRestoreInput): Promise<RunSummary> {
  return runbook<ConfigurationRestoreInput>(
    {
      name: 'configuration-restore',
      title: 'Configuration restore',
      phases: ['assessment', 'application', 'validation'],
      outcomes: { good: 'recovered', bad: 'failed' },
      alwaysUndo: false,
      approvals: [approval],
    },
    input,
    async (run) => {
      const { named, look } = await run.phase('assessment', async () => {
        const named = one(namedFiles(run.plan, run.input.component));
        if (run.input.incidentAt !== undefined) run.record({ incidentAt: run.input.incidentAt });
        await run.holdService();
        return { named, look: await lookAt(run, named, run.input.snapshot) };
      });
      await run.phase('application', async () => {
        await restoreBeside(run, named, look);
        // Asked before people are: what is damaged has failed until here, and what is the same needs nobody.
        const differences = await compare(run, named);
        let seen = differences;
        await run.approval(approval, async () => {
          seen = await differencesNow(run, named);
          return factsToApprove(named, look, seen);
        });
        await putInPlace(run, named, look, seen);
      });
      await run.phase('validation', async () => {
        const { component: files } = named;
        await run.prove(`What runs on the files of ${named.name} is healthy`, () =>
          run.host(files.host).filesServe({ files }),
        );
        run.record({ recoveredAt: new Date(Date.now()).toISOString() });
        await tidy(run, named);
      });
    },
  );
}

function one<T extends { name: string }>(all: T[]): T {
  const [first, ...others] = all;
  if (first !== undefined && others.length === 0) return first;
  throw failure(
    'InputInvalid',
    `the plan has ${all.length} components that restic keeps: ${all.map(({ name }) => name).join(', ')}. Say which of them is restored: "component".`,
  );
}
