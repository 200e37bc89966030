import { phases, type RunSummary } from '../evidence/evidence.ts';
import type { Plan } from '../plan/schema.ts';
import type { FullRecoveryInput } from './messages.ts';
import { replaceCacheContent } from './phases/cache/restore.ts';
import { beginApproval, beginRecovery } from './phases/full-recovery/approve.ts';
import { assessEverything } from './phases/full-recovery/assess.ts';
import { bringBackComponents, componentsStand } from './phases/full-recovery/components.ts';
import { databaseServes, letItWrite, recoverDatabase, safeAgain } from './phases/full-recovery/database.ts';
import { keepVisitorsAway, letVisitorsIn } from './phases/full-recovery/traffic.ts';
import { bringBackApproval } from './phases/full-restore/approve.ts';
import { runbook } from './runbook/runbook.ts';

const definition = {
  name: 'full-recovery',
  title: 'Full recovery',
  phases,
  outcomes: { good: 'recovered', bad: 'failed' },
  alwaysUndo: false,
  approvals: ({ components = {} }: Plan) => [
    ...[beginApproval, bringBackApproval],
    ...(Object.values(components).some(({ kind }) => kind === 'redis-sentinel') ? [replaceCacheContent] : []),
  ],
} as const;

/**
 * A service is gone, or parts of it: the database comes back from the archive alone, then everything else in the order of what stands on
 * what, then its visitors. What is healthy is left alone, and said so.
 */
export async function fullRecovery(input?: FullRecoveryInput): Promise<RunSummary> {
  return runbook<FullRecoveryInput>(definition, input, async (run) => {
    const found = await run.phase('assessment', async () => {
      const found = await assessEverything(run);
      await beginRecovery(run, found);
      return found;
    });
    const away = await run.phase('database', async () => {
      const away = await keepVisitorsAway(run, found);
      await recoverDatabase(run, found);
      return away;
    });
    await run.phase('application', async () => {
      await bringBackComponents(run, found);
      await letItWrite(run, found);
    });
    await run.phase('validation', () =>
      run.together(
        () => componentsStand(run, found),
        () => databaseServes(run, found),
      ),
    );
    await run.phase('traffic', async () => {
      run.keepSoFar('It was proven, and visitors come to it from now on.');
      await letVisitorsIn(run, away);
      await safeAgain(run, found);
    });
  });
}
