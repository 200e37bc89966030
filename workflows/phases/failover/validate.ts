/** The new primary serves: what was lost is counted, and what it has is made safe. */
import { formatBytes } from '../../../evidence/format.ts';
import type { Change } from '../../runbook/change.ts';
import { failureOf } from '../../runbook/failure.ts';
import { takeAnchorOn } from '../switchover/come-back.ts';
import type { FailoverRun, Lost, Moved } from './lost.ts';

/** The pulse tries one write a second, and connects anew before. */
const pulseWithinMs = 30_000;

export async function validate(run: FailoverRun, lost: Lost, moved: Moved): Promise<void> {
  const { to } = lost;
  const { backups, database } = run.plan;
  await run.prove('What was lost is counted by the pulse', () => countLoss(run, moved));
  await run.change('Write a checkpoint on the new primary', writeCheckpoint(run, lost));
  await run.prove('The archive holds the new timeline', () =>
    run.host(to.host).archiveReaches({
      ...{ member: to, backups: backups.physical, timeline: moved.timeline },
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

/** The truth, beside the estimate that was approved: an acknowledged pulse that is missing was given up, and is no failure of the run. */
async function countLoss(run: FailoverRun, { timeline }: Moved) {
  const { pulse, service, database } = run.plan;
  const objectiveMs = run.evidence.objectives.rpoMs;
  if (pulse === undefined) {
    run.record({ rpo: { objectiveMs, how: 'not measured: the plan has no pulse' } });
    return { found: 'the plan has no pulse: neither loss nor gap is measured by it' };
  }
  const across = await run.control
    .pulsesAcross({ ...{ pulse, service, timeline, withinMs: pulseWithinMs }, frontDoor: database.frontDoor })
    .catch((error: unknown) => {
      const { type, message } = failureOf(error);
      if (type === 'PulseSilent') return { silent: message };
      throw error;
    });
  if ('silent' in across) {
    run.record({ rpo: { objectiveMs, how: `not measured: ${across.silent}` } });
    return { found: across.silent };
  }
  const { missing, lostMs = 0, gapMs, acknowledged } = across;
  run.measure('acknowledged pulses lost', missing, 'count', `of ${acknowledged} in the minutes before, one a second`);
  if (gapMs !== undefined) run.measure('writes stopped', gapMs, 'ms', 'by the pulse, which tries one write a second');
  run.record({
    rpo: {
      objectiveMs,
      valueMs: lostMs,
      how:
        missing === 0
          ? 'every acknowledged pulse is there: less than a second was lost, by the pulse, which writes one a second'
          : 'from the newest acknowledged pulse that is there to the newest that was acknowledged, by the clock of the database',
    },
  });
  return across;
}

/** A backup soon after a promotion is refused while the control file still names the old timeline. */
function writeCheckpoint(run: FailoverRun, { to }: Lost): Change<unknown> {
  return {
    preview: async () => ({
      will: `write a checkpoint on ${to.host}: until then its control file names the old timeline, which no backup accepts`,
      yields: undefined,
    }),
    apply: () => run.host(to.host).checkpoint({ member: to }),
    undo: { pointOfNoReturn: 'A checkpoint only writes sooner what is written anyway.' },
    skip: { yields: undefined },
  };
}

/** Last: it may take long, and everything else is done. */
export function takeBackup(run: FailoverRun, { to }: Lost): Change<unknown> {
  const { physical } = run.plan.backups;
  return {
    preview: async () => ({
      will: `take an incremental backup of ${to.host} into stanza ${physical.stanza}`,
      yields: undefined,
    }),
    apply: async () => {
      const { backup, found } = await run
        .host(to.host)
        .takeBackup({ backups: physical, member: to, type: 'incr', outageWithinMs: run.patienceMs() });
      const { label, type, stoppedAt, bytes } = backup;
      run.record({ backup: { label, type, stoppedAt, bytes } });
      return { found: `${found} (${formatBytes(bytes)} restored)` };
    },
    undo: { pointOfNoReturn: 'A finished backup stays.' },
    skip: { yields: undefined },
  };
}
