/** Whom a run waits for, in words. */
import type { Awaited } from '../asked.ts';
import { formatClock, formatDuration } from '../format.ts';

/** `1 of 2 of dba (ana); waits for ben, cem` */
export function whoWords({ kind, groups, quorum, yes, agree, agreed, no, waitsFor }: Awaited): string {
  const of = groups.join(' and ');
  const waits = agreed
    ? rereadWords
    : waitsFor.length === 0
      ? 'nobody is left to answer'
      : `waits for ${waitsFor.join(', ')}`;
  if (kind === 'decision') return waitsFor.length === 0 ? waits : `${waits} (${of})`;
  const said = yes.map(({ by, choice }) => (choice === 'approve' ? by : `${by}: ${choice}`));
  const approved = `${agree} of ${quorum} of ${of}${said.length === 0 ? '' : ` (${said.join(', ')})`}`;
  return [approved, ...(no.length === 0 ? [] : [`rejected by ${no.join(', ')}`]), waits].join('; ');
}

const rereadWords = 'approved: its facts are being read once more, and if they still hold the run goes on';

/** `Waits for approval`, or what else an open question is at. */
export function questionTitle({ kind, agreed }: Pick<Awaited, 'kind' | 'agreed'>): string {
  if (kind === 'decision') return 'Waits for a decision';
  return agreed ? 'Approved, and looked at once more' : 'Waits for approval';
}

/** `since 14:02:11Z, until 14:17:11Z (12 min 4 s left)`. @param now without it, nothing is counted down */
export function whenWords(awaited: Pick<Awaited, 'since' | 'until' | 'agreed'>, now?: Date): string {
  const { since, until, agreed } = awaited;
  if (agreed) return `asked at ${formatClock(since)}Z`;
  const left = now === undefined ? '' : ` (${leftWords(awaited, now)})`;
  return `since ${formatClock(since)}Z, until ${formatClock(until)}Z${left}`;
}

export function leftWords({ until }: Pick<Awaited, 'until'>, now: Date): string {
  const ms = Date.parse(until) - now.getTime();
  // Tenths of seconds in a countdown only flicker.
  return ms > 0 ? `${formatDuration(Math.ceil(ms / 1000) * 1000)} left` : 'time is up';
}

/** What somebody who is asked would type; `undefined` where nobody is waited for. */
export function commandWords(
  run: string,
  { kind, code, agreed, offers = [] }: Pick<Awaited, 'kind' | 'code' | 'agreed' | 'offers'>,
): string | undefined {
  if (agreed) return undefined;
  if (kind === 'approval') return `lifeboat approve ${run} --code ${code}`;
  const [first = 'abort', ...others] = offers;
  return `lifeboat decide ${run} ${first} --code ${code}${others.length === 0 ? '' : `   (or ${others.join(', ')})`}`;
}
