/** What choosing a target loses, as far as it can be known before anything is restored. Pure. */
import { formatClock, formatCount, formatDuration, formatNumberOf } from './format.ts';
import type { Subject } from './people.ts';

interface Chosen {
  /** Of the last commit that the target holds, UTC. */
  at?: string;
  /** What the archive holds after the target. */
  after: { transactions: number; newestAt?: string; newestLsn?: string; atLeast?: true };
}

export interface ChosenLossAsk {
  located: Chosen;
  /** The service's own clock and position, read when its writes had been stopped or as late as that; absent when it does not answer. */
  moment?: { at: string };
  /** Whether all WAL up to that moment is in the archive that was read. */
  archivedWhole: boolean;
  /** Acknowledged pulse writes up to the moment that lie past the target; absent where the plan has no pulse. */
  pulses?: { lost: number; setBackMs?: number };
}

export interface ChosenLoss {
  /** At least so many when `atLeast`. */
  transactions: number;
  atLeast: boolean;
  /** From the last commit that is kept to the moment; absent when either is not known, or the clock was set back in between. */
  ms?: number;
  pulses?: number;
  /** One sentence. */
  sentence: string;
  /** The same, one by one: what an approval shows. */
  facts: Subject;
}

export function chosenLoss({ located, moment, archivedWhole, pulses }: ChosenLossAsk): ChosenLoss {
  const { transactions, newestAt } = located.after;
  const atLeast = located.after.atLeast === true || !archivedWhole;
  const ms = lostMs(located, moment, pulses?.setBackMs);
  return {
    transactions,
    atLeast,
    ...(ms !== undefined && { ms }),
    ...(pulses && { pulses: pulses.lost }),
    sentence: `Choosing this target loses ${[
      transactionsInWords(transactions, atLeast, newestAt),
      ...(ms === undefined ? [] : [`what was written in the ${formatDuration(ms)} after the last commit that is kept`]),
      pulsesInWords(pulses),
    ].join('; ')}.`,
    facts: {
      'transactions lost': `${atLeast ? 'at least ' : ''}${formatCount(transactions)}`,
      ...(newestAt !== undefined && { 'newest of them': newestAt }),
      'last commit kept': located.at ?? 'not known: none lies in the WAL that was read',
      'time lost': ms === undefined ? timeUnknown(located, moment) : formatDuration(ms),
      'acknowledged pulse writes lost': pulses === undefined ? 'not known: the plan has no pulse' : pulses.lost,
    },
  };
}

function lostMs({ at }: Chosen, moment: { at: string } | undefined, setBackMs = 0): number | undefined {
  if (at === undefined || moment === undefined || setBackMs > 0) return undefined;
  const ms = Date.parse(moment.at) - Date.parse(at);
  return ms >= 0 ? ms : undefined;
}

function timeUnknown({ at }: Chosen, moment: { at: string } | undefined): string {
  if (moment === undefined) return 'not known: the service does not say what time it is';
  if (at === undefined) return 'not known: no commit before the target was read';
  return 'not known: the clock of the database was set back after the last commit that is kept';
}

function transactionsInWords(transactions: number, atLeast: boolean, newestAt: string | undefined): string {
  const newest = newestAt === undefined ? '' : `, the newest of ${formatClock(newestAt)}Z`;
  if (!atLeast)
    return transactions === 0 ? 'no transaction' : `${formatNumberOf(transactions, 'transaction')}${newest}`;
  return transactions === 0
    ? 'no transaction that the archive holds (what is not archived or cannot be read is not counted)'
    : `at least ${formatNumberOf(transactions, 'transaction')}${newest} (what is not archived or cannot be read is not counted)`;
}

function pulsesInWords(pulses: { lost: number } | undefined): string {
  return pulses === undefined
    ? 'how many acknowledged writes that is, is not known: the plan has no pulse'
    : `${formatNumberOf(pulses.lost, 'acknowledged pulse write')}, one a second`;
}
