/** What was acknowledged, and had not reached the archive: nobody but the log of pulses can tell. */
import type { Found } from '../../../activities/shapes.ts';
import { formatDuration, formatNumberOf } from '../../../evidence/format.ts';
import type { Repository } from '../../../recovery/archive.ts';
import { failureOf } from '../../runbook/failure.ts';
import type { Way } from '../recovery/recovering.ts';
import type { Moment } from '../restore-beside.ts';
import type { RestoreRun } from './restore-run.ts';

export interface Lost {
  /** Acknowledged pulse writes after the target; absent where there is no pulse, or no log of it. */
  pulses?: number;
  /** Of the newest acknowledged one. */
  lastAt?: string;
  /** Committed after a target that was chosen, and in the archive. */
  transactions: number;
}

/** Reads the log of pulses, which lies outside of the database. */
export async function noteLost(
  run: RestoreRun,
  timeline: number,
  repository: Repository,
  { located, backup }: Way,
): Promise<Found & { lost: Lost }> {
  const { transactions } = located.after;
  const { pulse, service } = run.plan;
  if (pulse === undefined) return unknownLoss(transactions, 'the plan has no pulse');
  try {
    const compared = await run.control.comparePulses({
      ...{ pulse, service, timeline },
      ancestors: repository.timelines.find(({ id }) => id === timeline)?.ancestors ?? [],
      restored: [],
      upTo: located.target.lsn,
      since: located.at ?? backup.stoppedAt,
      momentAt: new Date(Date.now()).toISOString(),
    });
    const { lost: pulses, lastAcknowledgedAt: lastAt } = compared;
    const lost = { pulses, transactions, ...(lastAt === undefined ? {} : { lastAt }) };
    return { lost, found: lostInWords(lost, located.at), expected: 'known before anybody approves it' };
  } catch (error) {
    const { type, message } = failureOf(error);
    if (type !== 'PulseSilent') throw error;
    return unknownLoss(transactions, message);
  }
}

function unknownLoss(transactions: number, why: string): Found & { lost: Lost } {
  const lost = { transactions };
  return { lost, found: `${lostInWords(lost, undefined)} (${why})`, expected: 'known before anybody approves it' };
}

export function lostInWords({ pulses, lastAt, transactions }: Lost, at: string | undefined): string {
  const chosen =
    transactions === 0 ? '' : `${formatNumberOf(transactions, 'transaction')} of the archive after the target; `;
  if (pulses === undefined)
    return `${chosen}what was committed after the newest archived commit is not known: no server can be asked`;
  const time =
    pulses === 0 || lastAt === undefined || at === undefined
      ? ''
      : `, the newest ${formatDuration(Math.max(0, Date.parse(lastAt) - Date.parse(at)))} after it`;
  return `${chosen}${formatNumberOf(pulses, 'acknowledged pulse write')} after the target${time}`;
}

/** By the clock of the database where it is known: the last that it was heard to acknowledge. */
export function momentOf(run: RestoreRun, timeline: number, { lastAt }: Lost, { located }: Way): Moment {
  const now = new Date(Date.now()).toISOString();
  return { at: lastAt ?? run.input.incidentAt ?? located.at ?? now, timeline };
}

export function measureLost(run: RestoreRun, { pulses, lastAt, transactions }: Lost, at: string | undefined): void {
  const how = 'after the target, by the log of pulses outside of the database; one write a second is tried';
  if (pulses !== undefined) run.measure('acknowledged pulse writes given up', pulses, 'count', how);
  if (transactions > 0)
    run.measure('transactions given up', transactions, 'count', 'in the archive after the target that was chosen');
  if (lastAt !== undefined && at !== undefined)
    run.measure(
      'time given up',
      Math.max(0, Date.parse(lastAt) - Date.parse(at)),
      'ms',
      'from the last commit that comes back to the newest acknowledged pulse write',
    );
}
