/** What people were asked and what they said, in words that all renderings share. */
import { awaitedOf } from '../asked.ts';
import type { Evidence, Forecast } from '../evidence.ts';
import { formatClock, formatDuration, formatNumberOf } from '../format.ts';
import type { Approval, ApprovalOutcome, Channel, Click, Decision, Post } from '../people.ts';
import type { Tone } from './words.ts';

interface Mark {
  glyph: string;
  word: string;
  tone: Tone;
}

const outcomes: Record<ApprovalOutcome, Mark> = {
  approved: { glyph: '✓', word: 'approved', tone: 'good' },
  rejected: { glyph: '✗', word: 'rejected', tone: 'bad' },
  expired: { glyph: '✗', word: 'expired', tone: 'bad' },
  void: { glyph: '↻', word: 'void, asked anew', tone: 'warn' },
  proceeded: { glyph: '»', word: 'went on without an answer', tone: 'warn' },
  ended: { glyph: '■', word: 'no longer asked', tone: 'warn' },
};
const open: Mark = { glyph: '?', word: 'waits for people', tone: 'warn' };

export function approvalMark({ outcome }: Pick<Approval, 'outcome'>): Mark {
  return outcome === undefined ? open : outcomes[outcome];
}

/** `approved after 3 min 12 s, by ana, ben`; of one that is open, nothing but that. */
export function approvalSentence({ outcome, openedAt, closedAt, why, chosen }: Approval): string {
  const { word } = approvalMark({ outcome });
  const choice =
    chosen === undefined || chosen.choice === 'approve'
      ? ''
      : `, choosing ${chosen.choice}${chosen.value === undefined ? '' : ` ${chosen.value}`}`;
  const after = closedAt === undefined ? '' : ` after ${spanWord(openedAt, closedAt)}`;
  return `${word}${choice}${after}${why === undefined ? '' : `: ${why}`}`;
}

export function decisionMark({ action, closedAt }: Pick<Decision, 'action' | 'closedAt'>): Mark {
  if (closedAt === undefined) return open;
  if (action === 'retry') return { glyph: '↻', word: 'tried again', tone: 'calm' };
  if (action === 'skip') return { glyph: '»', word: 'skipped', tone: 'warn' };
  return action === 'abort'
    ? { glyph: '■', word: 'aborted', tone: 'warn' }
    : { glyph: '✗', word: 'nobody decided', tone: 'bad' };
}

/** `skipped after 4 min, by ana: the standby is rebuilt tomorrow` */
export function decisionSentence(decision: Decision): string {
  const { by, reason, openedAt, closedAt } = decision;
  const after = closedAt === undefined ? '' : ` after ${spanWord(openedAt, closedAt)}`;
  return `${decisionMark(decision).word}${after}${by === undefined ? '' : `, by ${by}`}${reason === undefined ? '' : `: ${reason}`}`;
}

function spanWord(from: string, to: string): string {
  return formatDuration(Date.parse(to) - Date.parse(from));
}

const channels: Record<Channel, string> = {
  cli: 'command line',
  slack: 'Slack',
  'temporal-ui': 'Temporal UI',
  automation: 'automation',
  unknown: 'unknown channel',
};

const signatures: Record<Click['signed'], string> = {
  person: 'signed',
  gateway: 'vouched for by the Slack gateway',
  no: 'not signed',
  forged: 'FORGED signature',
  unchecked: 'signed, by a signature that nobody could check',
};

/** `approved`, `chose move-target 2026-11-21T14:00:00Z`, `said retry`. */
export function saidWord({ kind, choice, value }: Click): string {
  if (kind === 'decide') return `said ${choice ?? 'something'}`;
  if (kind === 'abort') return 'aborted the run';
  if (kind === 'reject') return 'rejected';
  if (choice === undefined || choice === 'approve') return 'approved';
  return `chose ${choice}${value === undefined ? '' : ` ${value}`}`;
}

export function channelWord({ channel }: Pick<Click, 'channel'>): string {
  return channels[channel];
}

export function signedWord({ signed }: Pick<Click, 'signed'>): string {
  return signatures[signed];
}

/** `signed, by command line, after 51 s` */
function howWords(click: Click): string {
  return [
    signedWord(click),
    `by ${channelWord(click)}`,
    ...(click.latencyMs === undefined ? [] : [`after ${formatDuration(click.latencyMs)}`]),
  ].join(', ');
}

/** `14:03:02Z ana approved (signed, by command line, after 51 s)`, and of a click that did not count why not. */
export function clickSentence(click: Click): string {
  const reason = click.reason === undefined || click.reason === '' ? '' : `: "${click.reason}"`;
  const head = `${formatClock(click.at)}Z ${click.by} ${saidWord(click)}${reason} (${howWords(click)})`;
  return click.counted ? head : `${head}, which did not count: ${click.said.replace(/^Not counted: /, '')}`;
}

/** `14 messages: 12 in Slack, 1 by webhook, 1 undelivered`; nothing where nobody was to be told. */
export function postsSentence({ posts = [] }: Evidence): string | undefined {
  if (posts.length === 0) return undefined;
  const count = (where: Post['delivered']) => posts.filter(({ delivered }) => delivered === where).length;
  const parts = [
    [count('slack'), 'in Slack'],
    [count('webhook'), 'by webhook'],
    [count('nowhere'), 'undelivered'],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, where]) => `${number} ${where}`);
  return `${formatNumberOf(posts.length, 'message')}: ${told.join(', ')}`;
}

export function undelivered({ posts = [] }: Evidence): Post[] {
  return posts.filter(({ delivered }) => delivered !== 'slack');
}

/** `14:20:00Z "will miss the RTO" went nowhere: Slack answered 503` */
export function undeliveredSentence({ at, headline, delivered, why }: Post): string {
  const where = delivered === 'nowhere' ? 'reached nobody' : 'went by webhook';
  return `${formatClock(at)}Z "${headline}" ${where}${why === undefined ? '' : `: ${why}`}`;
}

/** Who started it, and whether that is certain. */
export function requesterWords({ requestedBy, requester }: Evidence): string {
  const who = requester?.person ?? requestedBy ?? 'unknown';
  if (requester === undefined) return who;
  return `${who}, ${requester.certain ? 'for certain' : 'not for certain'}: ${requester.how}`;
}

export function hasPeople({ approvals = [], decisions = [], clicks = [], posts = [], aborted }: Evidence): boolean {
  return approvals.length + decisions.length + clicks.length + posts.length > 0 || aborted !== undefined;
}

/** The same where the text stands as it is until something happens: while people are waited for, the end moves on. */
export function lastingForecast(evidence: Evidence): string | undefined {
  const sentence = forecastSentence(evidence);
  const waits = awaitedOf(evidence).some(({ agreed }) => !agreed);
  return sentence !== undefined && waits ? `${sentence}; later by as long as people are waited for` : sentence;
}

/** `ends about 14:20:00Z, which misses the RTO by 12 min (3 earlier runs)` */
export function forecastSentence({ forecast }: { forecast?: Forecast | undefined }): string | undefined {
  if (forecast === undefined) return undefined;
  const late = forecast.lateByMs === undefined ? '' : `, which misses the RTO by ${formatDuration(forecast.lateByMs)}`;
  return `ends about ${formatClock(forecast.endsAt)}Z${late} (by ${forecast.how})`;
}
