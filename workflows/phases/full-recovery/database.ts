/** The database comes back as in a full restore, and its front door opens at once: what stands on it could not be proven otherwise. */
import { bringBack, configured } from '../full-restore/approve.ts';
import { keepTheDoorClosed } from '../full-restore/door.ts';
import { measureLost } from '../full-restore/loss.ts';
import { promoteBeside, takePlace } from '../recovery/replace.ts';
import { restoreAll } from '../recovery/restore.ts';
import { makeSafe, openToAll, resumeApplication } from '../recovery/serve.ts';
import { attachStandbys } from '../recovery/standbys.ts';
import { applicationWorks, validateRecovered } from '../recovery/validate.ts';
import type { Everything, FullRecoveryRun } from './assess.ts';

export async function recoverDatabase(run: FullRecoveryRun, { lost, databaseWords }: Everything): Promise<void> {
  if (lost === undefined) return run.notePhase('database', databaseWords);
  const { restoring, way, rooms, keptOut } = lost;
  const back = { begun: false, timeline: restoring.timeline };
  const closed = await run.change('Keep the front door closed', keepTheDoorClosed(run, restoring, keptOut));
  const reached = await restoreAll(run, restoring, way, rooms, 1);
  await configured(run, restoring);
  measureLost(run, lost.lost, way.located.at);
  await bringBack(run, restoring, reached, lost.lost);
  const replaced = await promoteBeside(run, restoring, { reached, rooms });
  await takePlace(run, restoring, replaced, back);
  await attachStandbys(run, restoring, replaced);
  await validateRecovered(run, restoring, replaced);
  await openToAll(run, restoring, replaced, { reached, closedAt: closed.at });
}

/** By the plan's own command: what it stands on is there by now. */
export async function letItWrite(run: FullRecoveryRun, { lost }: Everything): Promise<void> {
  if (lost !== undefined) await resumeApplication(run);
}

export async function databaseServes(run: FullRecoveryRun, { lost }: Everything): Promise<void> {
  if (lost !== undefined) await applicationWorks(run, lost.restoring, 'validation');
}

/** The way to the next recovery: nobody waits for it. */
export async function safeAgain(run: FullRecoveryRun, { lost }: Everything): Promise<void> {
  if (lost !== undefined) await makeSafe(run, lost.restoring);
}
