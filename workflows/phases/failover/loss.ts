/** What a failover loses: estimated before anybody approves it, and counted once the new primary serves. */
import type { Found } from '../../../activities/shapes.ts';
import { failureOf } from '../../runbook/failure.ts';
import { askPulses } from '../front-door.ts';
import type { FailoverRun, Lost, Moved } from './lost.ts';

/** As far as the log of pulses tells: what was written beside it, nobody can know as long as the primary is away. */
export async function estimate(
  run: FailoverRun,
  { timeline, replayed }: Pick<Lost, 'timeline' | 'replayed'>,
): Promise<Found & { words: string }> {
  const { pulse, service } = run.plan;
  if (pulse === undefined) {
    const words = 'not known: the plan has no pulse, which would tell what was acknowledged';
    return { words, found: words };
  }
  const asked = await unlessSilent(run.control.pulsesPast({ pulse, service, timeline, lsn: replayed }));
  if ('silent' in asked) {
    const words = `not known: ${asked.silent}`;
    return { words, found: words };
  }
  const { past, spanMs, newest, found, expected } = asked;
  run.measure(
    'acknowledged pulses that the standby lacks',
    past,
    'count',
    `acknowledged past ${replayed}, up to where the standby had replayed when it was assessed`,
  );
  const words =
    past === 0
      ? `no acknowledged pulse${newest === undefined ? '' : `, the newest is of ${newest}`}: what was written after it, nobody knows`
      : `${past} acknowledged pulses, ${spanMs} ms of writes, at least as much of everything else`;
  return { words, found, ...(expected === undefined ? {} : { expected }) };
}

/** The truth, beside the estimate that was approved: an acknowledged pulse that is missing was given up, and is no failure of the run. */
export async function countLoss(run: FailoverRun, { timeline }: Pick<Moved, 'timeline'>) {
  const objectiveMs = run.evidence.objectives.rpoMs;
  const across = await unlessSilent(askPulses(run, { timeline }));
  if (across === undefined) {
    run.record({ rpo: { objectiveMs, how: 'not measured: the plan has no pulse' } });
    return { found: 'the plan has no pulse: neither loss nor gap is measured by it' };
  }
  if ('silent' in across) {
    run.record({ rpo: { objectiveMs, how: `not measured: ${across.silent}` } });
    return { found: across.silent };
  }
  const { missing, lostMs = 0, acknowledged } = across;
  run.measure('acknowledged pulses lost', missing, 'count', `of ${acknowledged} in the minutes before, one a second`);
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

/** A log of pulses that cannot be read must not keep the service down. */
async function unlessSilent<T>(asked: Promise<T>): Promise<T | { silent: string }> {
  try {
    return await asked;
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type === 'PulseSilent') return { silent: message };
    throw error;
  }
}
