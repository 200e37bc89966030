/** The end of a region failover: the new primary is made safe, and the lost site is left as it is. */

import { roles } from '../failover/come-back.ts';
import type { FailoverRun, Lost, Moved } from '../failover/lost.ts';
import { takeIncrementalBackup } from '../new-primary.ts';
import { Split } from '../switchover/split.ts';
import type { Sites } from './sites.ts';

export async function leaveTheLostSite(run: FailoverRun, lost: Lost, moved: Moved, { from }: Sites): Promise<void> {
  // The first one in this store is a full one.
  await run.change('Take a backup of the new primary', takeIncrementalBackup(run, lost.to));
  const split = new Split(run, lost, moved);
  await run.prove('Every member that answers has its role', () => split.closesTheDoor(() => roles(run, lost, moved)));
  if (run.mode === 'dry-run') return;
  run.record({
    leftFenced: {
      host: lost.from.host,
      why: `${from} was given up, and nothing of it is rebuilt by itself`,
      byHand: `Keep ${lost.from.host} from starting as a primary: ${lost.to.host} is it. Once ${from} is sound and its host worker answers: lifeboat start region-failback ${run.plan.service} --mode live`,
    },
  });
}
