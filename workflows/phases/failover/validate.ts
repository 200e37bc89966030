/** The new primary serves: what was lost is counted, and what it has is made safe. */

import { backupsOn } from '../../../plan/sites.ts';
import { takeAnchorOn, writeCheckpoint } from '../new-primary.ts';
import { countLoss } from './loss.ts';
import type { FailoverRun, Lost, Moved } from './lost.ts';

export async function validate(
  run: FailoverRun,
  { to }: Pick<Lost, 'to'>,
  moved: Pick<Moved, 'timeline'>,
): Promise<void> {
  const { database } = run.plan;
  await run.prove('What was lost is counted by the pulse', () => countLoss(run, moved));
  // A backup soon after a promotion is refused while the control file still names the old timeline.
  await run.change('Write a checkpoint on the new primary', {
    ...writeCheckpoint(run, to, ': until then its control file names the old timeline, which no backup accepts'),
    skip: { yields: undefined },
  });
  await run.prove('The archive holds the new timeline', () =>
    run.host(to.host).archiveReaches({
      ...{ member: to, backups: backupsOn(run.plan, to.host), timeline: moved.timeline },
      outageWithinMs: run.patienceMs(),
    }),
  );
  await run.prove('The assertions of the plan hold on the new primary', () =>
    run.host(to.host).assertionsLive({
      ...{ member: to, database: database.frontDoor.database, assertions: database.assertions },
    }),
  );
  await run.change('Take an anchor on the new primary', takeAnchorOn(run, to));
}
