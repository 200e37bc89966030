import { phases, type RunSummary } from '../evidence/evidence.ts';
import type { PointInTimeRecoveryInput } from './messages.ts';
import { approved, replaceApproval } from './phases/recovery/approve.ts';
import { assessRecovery } from './phases/recovery/assess.ts';
import { writeLedger } from './phases/recovery/ledger.ts';
import { lostBy } from './phases/recovery/lost.ts';
import { quiesce } from './phases/recovery/quiesce.ts';
import { replacePrimary } from './phases/recovery/replace.ts';
import { restoreAll } from './phases/recovery/restore.ts';
import { letIn, makeSafe } from './phases/recovery/serve.ts';
import { attachStandbys } from './phases/recovery/standbys.ts';
import { applicationWorks, validateRecovered } from './phases/recovery/validate.ts';
import { runbook } from './runbook/runbook.ts';

const definition = {
  name: 'point-in-time-recovery',
  title: 'Point-in-time recovery',
  phases,
  outcomes: { good: 'recovered', bad: 'failed' },
  alwaysUndo: false,
  approvals: [replaceApproval],
} as const;

/**
 * Takes the service's database back to a moment in the past, in place: restored beside the live one, proven there, looked at by people, and
 * only then put in its place. Until the front door opens again all of it can be undone; what was replaced is kept aside in any case.
 */
export async function pointInTimeRecovery(input?: PointInTimeRecoveryInput): Promise<RunSummary> {
  return runbook<PointInTimeRecoveryInput>(definition, input, async (run) => {
    const { recovering, way, rooms } = await run.phase('assessment', () => assessRecovery(run));
    const back = { begun: false, timeline: recovering.timeline };

    const { quiet, reached, replaced } = await run.phase('database', async () => {
      const quiet = await quiesce(run, recovering, way, back);
      const restored = await restoreAll(run, quiet.recovering, way, rooms, 1);
      const reached = await approved(run, quiet, restored, rooms);
      const replaced = await replacePrimary(run, recovering, { reached, rooms }, back);
      await attachStandbys(run, recovering, replaced);
      return { quiet, reached, replaced };
    });
    await run.phase('application', () => applicationWorks(run, recovering));
    await run.phase('validation', () => validateRecovered(run, recovering, replaced));
    await run.phase('traffic', async () => {
      await letIn(run, recovering, replaced, { reached, closedAt: quiet.closedAt });
      await makeSafe(run, recovering);
      await writeLedger(run, lostBy(run, recovering, { reached, replaced }));
    });
  });
}
