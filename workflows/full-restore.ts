import { phases, type RunSummary } from '../evidence/evidence.ts';
import type { FullRestoreInput } from './messages.ts';
import { bringBack, bringBackApproval, configured } from './phases/full-restore/approve.ts';
import { assessLost } from './phases/full-restore/assess.ts';
import { keepTheDoorClosed } from './phases/full-restore/door.ts';
import { measureLost } from './phases/full-restore/loss.ts';
import { promoteBeside, takePlace } from './phases/recovery/replace.ts';
import { restoreAll } from './phases/recovery/restore.ts';
import { letIn, makeSafe } from './phases/recovery/serve.ts';
import { attachStandbys } from './phases/recovery/standbys.ts';
import { applicationWorks, validateRecovered } from './phases/recovery/validate.ts';
import { runbook } from './runbook/runbook.ts';

const definition = {
  name: 'full-restore',
  title: 'Full restore',
  phases,
  outcomes: { good: 'recovered', bad: 'failed' },
  alwaysUndo: false,
  approvals: [bringBackApproval],
} as const;

/**
 * Brings the database back onto hosts that are empty, from the archive alone: as far as the archive goes, or to a moment of it. Until the
 * front door opens what was put in place can be taken away again.
 */
export async function fullRestore(input?: FullRestoreInput): Promise<RunSummary> {
  return runbook<FullRestoreInput>(definition, input, async (run) => {
    const { restoring, way, rooms, lost, keptOut } = await run.phase('assessment', () => assessLost(run));
    const back = { begun: false, timeline: restoring.timeline };

    const { closed, reached, replaced } = await run.phase('database', async () => {
      const closed = await run.change('Keep the front door closed', keepTheDoorClosed(run, restoring, keptOut));
      const reached = await restoreAll(run, restoring, way, rooms, 1);
      await configured(run, restoring);
      measureLost(run, lost, way.located.at);
      await bringBack(run, restoring, reached, lost);
      const replaced = await promoteBeside(run, restoring, { reached, rooms });
      await takePlace(run, restoring, replaced, back);
      await attachStandbys(run, restoring, replaced);
      return { closed, reached, replaced };
    });
    await run.phase('application', () => applicationWorks(run, restoring));
    await run.phase('validation', () => validateRecovered(run, restoring, replaced));
    await run.phase('traffic', async () => {
      await letIn(run, restoring, replaced, { reached, closedAt: closed.at });
      await makeSafe(run, restoring);
    });
  });
}
