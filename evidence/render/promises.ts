/** What was promised, and whether it was kept, in words. */
import { beyond, beyondMs, type ClassVerdict, classVerdicts } from '../classes.ts';
import type { Evidence, Measured } from '../evidence.ts';
import { formatDuration } from '../format.ts';

/** `20 s more than promised`; empty when the promise was kept. */
export function overWord(measured: Measured): string {
  return beyond(measured) ? `${formatDuration(beyondMs(measured))} more than promised` : '';
}

export interface ClassWord {
  text: string;
  /** `open`: nothing is measured, so far or at all. */
  state: 'kept' | 'missed' | 'open';
}

/** What became of the promises for classes of data; those that were missed come first. */
export function classWords(evidence: Evidence, of: 'rto' | 'rpo'): ClassWord[] {
  const words = classVerdicts(evidence, of).map(classWord);
  return [...words.filter((one) => one.state === 'missed'), ...words.filter((one) => one.state !== 'missed')];
}

function classWord(verdict: ClassVerdict): ClassWord {
  const { name, valueMs, objectiveMs } = verdict;
  const promised = `${formatDuration(objectiveMs)} promised`;
  if (valueMs === undefined) return { text: `${name}: ${promised}`, state: 'open' };
  return beyond(verdict)
    ? { text: `${name}: ${formatDuration(beyondMs(verdict))} more than the ${promised}`, state: 'missed' }
    : { text: `${name}: within the ${promised}`, state: 'kept' };
}

/** `RTO 1 h, RPO 5 min; of money (payments, accounts) RPO 1 min`. */
export function promisesSentence({ objectives }: Evidence): string {
  const { classes = [] } = objectives;
  return [pair(objectives), ...classes.map((one) => `of ${one.name} (${one.tables.join(', ')}) ${pair(one)}`)].join(
    '; ',
  );
}

function pair({ rtoMs, rpoMs }: { rtoMs?: number; rpoMs?: number }): string {
  return [
    ...(rtoMs === undefined ? [] : [`RTO ${formatDuration(rtoMs)}`]),
    ...(rpoMs === undefined ? [] : [`RPO ${formatDuration(rpoMs)}`]),
  ].join(', ');
}
