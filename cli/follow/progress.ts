/** What an activity that is going on says of itself, in one line. */
import { awaitedOf } from '../../evidence/asked.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { formatBytes } from '../../evidence/format.ts';
import { leftWords } from '../../evidence/render/asked.ts';
import { forecastSentence } from '../../evidence/render/people-words.ts';
import { seenAt } from '../../evidence/seen-at.ts';
import type { PendingActivity } from '../engine/engine.ts';

/** What activities heartbeat; each says what it knows. */
interface Says {
  percent?: unknown;
  /** Bytes done, and in all. */
  bytes?: unknown;
  of?: unknown;
  total?: unknown;
  lsn?: unknown;
  /** What it waits for, such as an outage of the archive. */
  waiting?: unknown;
  reason?: unknown;
  line?: unknown;
  lastLine?: unknown;
}

/** What goes on, who is waited for and for how long still, and when it will be over. */
export function goingLine(evidence: Evidence | undefined, pending: readonly PendingActivity[], now: Date): string {
  const waits = evidence === undefined ? [] : awaitedOf(evidence);
  return [
    ...waits.map((one) =>
      one.agreed
        ? `approved, and its facts are read again: ${one.name}`
        : `waits for ${one.waitsFor.join(', ') || 'nobody'}: ${one.name}, ${leftWords(one, now)}`,
    ),
    progressLine(evidence, pending),
    (evidence && forecastSentence(seenAt(evidence, now.toISOString()))) ?? '',
  ]
    .filter((one) => one !== '')
    .join('   ');
}

/** `Restore beside: 43 %, 512 MB of 1.1 GB`; for all that go on at the moment. */
export function progressLine(evidence: Evidence | undefined, pending: readonly PendingActivity[]): string {
  return pending.map((one) => `${nameOf(evidence, one)}${said(one)}`).join('   ');
}

function nameOf(evidence: Evidence | undefined, activity: PendingActivity): string {
  // The second activity of a step is called `<step>.2`, and so on.
  const id = activity.id.replace(/\.\d+$/, '');
  const step = evidence?.steps.find((one) => one.id === id);
  return step?.name ?? activity.id;
}

function said(activity: PendingActivity): string {
  const words = [
    ...(activity.attempt > 1 ? [`attempt ${activity.attempt}`] : []),
    activity.started ? progressInWords(activity.progress) : waitsFor(activity),
  ].filter((one) => one !== undefined);
  return words.length === 0 ? '' : `: ${words.join(', ')}`;
}

function waitsFor(activity: PendingActivity): string {
  return activity.lastFailure === undefined ? 'waits for a worker' : `tries again after: ${activity.lastFailure}`;
}

export function progressInWords(progress: unknown): string | undefined {
  if (typeof progress === 'string') return progress;
  if (typeof progress !== 'object' || progress === null) return undefined;
  const says: Says = progress;
  const all = typeof says.of === 'number' ? says.of : says.total;
  const words = [
    ...(typeof says.percent === 'number' ? [`${Math.floor(says.percent)} %`] : []),
    ...(typeof says.bytes === 'number' ? [amount(says.bytes, all)] : []),
    ...(typeof says.lsn === 'string' ? [`at ${says.lsn}`] : []),
    ...[says.waiting, says.reason, says.line, says.lastLine].filter((one) => typeof one === 'string' && one !== ''),
  ];
  return (words.length === 0 ? anything(progress) : words).join(', ') || undefined;
}

/** A newer worker may say something that this version has no words for: better said plainly than not at all. */
function anything(progress: object): string[] {
  return Object.entries(progress)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name} ${value}`);
}

function amount(bytes: number, all: unknown): string {
  return typeof all === 'number' ? `${formatBytes(bytes)} of ${formatBytes(all)}` : formatBytes(bytes);
}
