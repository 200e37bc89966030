/** The rules of an approval: who counts, when it is given, void, rejected or expired. Pure; all of it follows from the clicks that were counted. */
import { typedCode } from './canonical.ts';
import { formatClock } from './format.ts';
import type { Approval, ApprovalOutcome, Click } from './people.ts';
import { and, isPerson, named, type Persons, strangerWords, unsignedWords, type Verdict } from './persons.ts';

/** A message about an approval, after its signature was looked at. */
export interface ApprovalMessage {
  at: string;
  kind: 'approve' | 'reject';
  by: string;
  channel: Click['channel'];
  signed: Click['signed'];
  /** Why it cannot count, whatever it says: its signature is wrong, or could not be looked at. */
  objection?: string | undefined;
  code: string;
  choice?: string | undefined;
  value?: string | undefined;
  reason?: string | undefined;
}

export interface ApprovalRules {
  persons: Persons;
  /** Who has started the run, when that is a person of the plan. */
  requester?: string | undefined;
  /** Whether only signed clicks count. */
  signedOnly: boolean;
  /** Who would be asked besides, if the deadline passed. */
  later: readonly string[];
  /** Those among all of them whose answer could not count: they cannot sign. */
  mute?: readonly string[];
}

/** What a person says at the moment: by the last click that counted. */
export interface Stand {
  by: string;
  choice: string;
  value?: string;
}

const no = 'reject';

/** Persons who are asked by now: with each group there are more of them. */
function entitled(approval: Approval): readonly string[] {
  return approval.asked.at(-1)?.people ?? [];
}

/** One for each person, rejections among them. */
export function stands(approval: Approval): Stand[] {
  const last = new Map<string, Stand>();
  for (const { by, counted, kind, choice = 'approve', value } of approval.clicks)
    if (counted)
      last.set(by, { by, choice: kind === 'reject' ? no : choice, ...(value === undefined ? {} : { value }) });
  return [...last.values()].filter(({ by }) => entitled(approval).includes(by));
}

export function rejecters(approval: Approval): string[] {
  return stands(approval).flatMap(({ by, choice }) => (choice === no ? [by] : []));
}

interface Winner {
  choice: string;
  value?: string;
  by: string[];
}

/** What the quorum has agreed on: the same choice with the same value. */
export function winner(approval: Approval): Winner | undefined {
  const said = stands(approval).filter(({ choice }) => choice !== no);
  for (const { choice, value } of said) {
    const by = said.flatMap((one) => (one.choice === choice && one.value === value ? [one.by] : []));
    if (by.length >= approval.quorum) return { choice, ...(value === undefined ? {} : { value }), by };
  }
  return undefined;
}

/** The quorum is there and the facts are being read once more: nobody is waited for. */
export function isAgreed(approval: Approval): boolean {
  return approval.outcome === undefined && winner(approval) !== undefined;
}

/** Whether those who have not rejected, and can sign, are enough, with those who would be asked later. */
function reachable(approval: Approval, { later, mute = [] }: ApprovalRules): boolean {
  const lost = [...rejecters(approval), ...mute];
  const pool = new Set([...entitled(approval), ...later].filter((person) => !lost.includes(person)));
  return pool.size >= approval.quorum;
}

/** Judges a message, keeps it, and closes the approval when it can no longer be given. */
export function take(approval: Approval, message: ApprovalMessage, rules: ApprovalRules): Verdict {
  const inUtc = withUtc(approval, message);
  const verdict = judge(approval, inUtc, rules);
  const { at, kind, by, channel, signed, choice, value, reason } = inUtc;
  const click: Click = {
    at,
    kind,
    by,
    channel,
    signed,
    counted: verdict.counted,
    said: verdict.said,
    latencyMs: Date.parse(at) - Date.parse(approval.openedAt),
    ...(reason === undefined ? {} : { reason }),
    ...(choice === undefined ? {} : { choice }),
    ...(value === undefined ? {} : { value }),
  };
  approval.clicks.push(click);
  if (!verdict.counted) return verdict;
  click.said = kind === 'reject' ? afterNo(approval, at, rules) : afterYes(approval, by);
  return { ...verdict, said: click.said };
}

function judge(approval: Approval, message: ApprovalMessage, rules: ApprovalRules): Verdict {
  const why = refusal(approval, message, rules);
  if (why !== undefined) return { counted: false, refused: true, said: why };
  const choice = message.kind === 'reject' ? no : (message.choice ?? 'approve');
  const before = stands(approval).find(({ by }) => by === message.by);
  if (before?.choice !== choice || before.value !== message.value) return { counted: true, refused: false, said: '' };
  const said =
    choice === no
      ? 'You have rejected it already.'
      : `You have approved already (${agreeing(approval, before)} of ${approval.quorum}).`;
  return { counted: false, refused: false, said };
}

/** The first reason for which a message does not count. */
function refusal(approval: Approval, message: ApprovalMessage, rules: ApprovalRules): string | undefined {
  const { by, signed, kind, code, objection } = message;
  const { persons, requester, signedOnly } = rules;
  const people = entitled(approval);
  if (objection !== undefined) return `Not counted: ${objection}.`;
  if (approval.outcome !== undefined) return `Too late: ${endedInWords(approval)}.`;
  if (typedCode(code) !== approval.code)
    return `Not counted: this is an answer to something else. "${approval.name}" shows ${approval.code} now; look at its facts again.`;
  if (!isPerson(persons, by)) return strangerWords(by);
  if (by === requester)
    return `Not counted: you have started this run, and others answer for it${kind === 'reject' ? '. You can abort it' : ''}.`;
  if (!people.includes(by)) {
    const groups = approval.asked.map(({ group }) => group);
    return `Not counted: ${named(persons, [by])} is not asked. ${and(groups)} can answer: ${named(persons, people)}.`;
  }
  if (signedOnly && signed !== 'person' && signed !== 'gateway') return unsignedWords;
  return kind === 'reject' ? undefined : wrongChoice(approval, message);
}

const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;

/** The same moment written in two ways is one value. */
function withUtc(approval: Approval, message: ApprovalMessage): ApprovalMessage {
  const { choice = '', value = '' } = message;
  const wants = Object.hasOwn(approval.alternatives, choice) ? approval.alternatives[choice]?.wants : undefined;
  const time = Date.parse(value);
  return wants === 'time' && moment.test(value) && !Number.isNaN(time)
    ? { ...message, value: new Date(time).toISOString() }
    : message;
}

function wrongChoice(approval: Approval, { choice = 'approve', value }: ApprovalMessage): string | undefined {
  const offered = approval.alternatives;
  if (choice === 'approve')
    return value === undefined
      ? undefined
      : 'Not counted: a plain yes takes no "value"; name the alternative as "choice".';
  if (!Object.hasOwn(offered, choice))
    return `Not counted: "${choice}" is not offered. It can be answered with ${and(['approve', ...Object.keys(offered)])}.`;
  const wants = offered[choice]?.wants;
  if (wants === 'time' && (!moment.test(value ?? '') || Number.isNaN(Date.parse(value ?? ''))))
    return `Not counted: "${choice}" needs a time with its offset as "value", such as 2026-11-21T14:00:00Z.`;
  if (wants === 'text' && (value ?? '').trim() === '') return `Not counted: "${choice}" needs a "value".`;
  return wants === undefined && value !== undefined ? `Not counted: "${choice}" takes no "value".` : undefined;
}

function agreeing(approval: Approval, { choice, value }: Stand): number {
  return stands(approval).filter((one) => one.choice === choice && one.value === value).length;
}

function afterYes(approval: Approval, by: string): string {
  const mine = stands(approval).find((one) => one.by === by);
  const counted = `Counted: ${mine === undefined ? 0 : agreeing(approval, mine)} of ${approval.quorum}.`;
  return winner(approval) === undefined
    ? `${counted} ${waiting(approval)}`
    : `${counted} The facts are read once more; if they still hold, the run goes on.`;
}

function afterNo(approval: Approval, at: string, rules: ApprovalRules): string {
  if (reachable(approval, rules)) return `Counted: you have rejected. ${waiting(approval)}`;
  const { later, mute = [], persons } = rules;
  const all = [...new Set([...entitled(approval), ...later])];
  const silent = all.filter((person) => mute.includes(person));
  const unsigned = silent.length === 0 ? '' : ` and ${named(persons, silent)} cannot sign`;
  const why = `${rejecters(approval).length} of ${all.length} rejected${unsigned}, so that ${approval.quorum} can no longer be reached`;
  closeAs(approval, 'rejected', at, why);
  return `Counted: ${why}. It is not done.`;
}

function waiting(approval: Approval): string {
  return `The others are waited for until ${formatClock(approval.asked.at(-1)?.until ?? '')}Z.`;
}

/**
 * The quorum was there, and the facts were read once more: given, if they are still those that people saw; void, if they are not.
 * Undefined when somebody has thought better of it meanwhile: then it stays open.
 *
 * @param changed which facts are not as they were, in words
 */
export function confirm(
  approval: Approval,
  now: { hash: string; at: string; changed: string },
  persons: Persons,
): ApprovalOutcome | undefined {
  if (approval.outcome !== undefined) return approval.outcome;
  const won = winner(approval);
  if (won === undefined) return undefined;
  if (now.hash !== approval.hash) return closeAs(approval, 'void', now.at, `the facts have changed: ${now.changed}`);
  const { by, ...chosen } = won;
  approval.chosen = chosen;
  return closeAs(approval, 'approved', now.at, `by ${named(persons, by)}`);
}

export interface Expiry {
  onExpiry: 'deny' | 'proceed' | 'escalate';
  /** The group that is asked next, and everybody who is then entitled. */
  next?: { group: string; people: string[] } | undefined;
  /** How long each group is given, milliseconds. */
  deadlineMs: number;
}

/** The deadline has passed without a quorum. @returns the outcome; undefined when the next group is asked */
export function expire(
  approval: Approval,
  at: string,
  { onExpiry, next, deadlineMs }: Expiry,
): ApprovalOutcome | undefined {
  if (approval.outcome !== undefined) return approval.outcome;
  const against = rejecters(approval).length;
  // Only silence is let through: whoever has said no is not silent.
  if (onExpiry === 'proceed' && against === 0) {
    approval.chosen = { choice: 'approve' };
    return closeAs(approval, 'proceeded', at, 'the time was up, and the plan says: proceed');
  }
  if (onExpiry === 'escalate' && next !== undefined) {
    approval.asked.push({ ...next, since: at, until: new Date(Date.parse(at) + deadlineMs).toISOString() });
    return undefined;
  }
  const yes = stands(approval).filter(({ choice }) => choice !== no).length;
  const others = against === 0 ? '' : `, and ${against} rejected,`;
  return closeAs(approval, 'expired', at, `${yes} of ${approval.quorum} had approved${others} when the time was up`);
}

/** Once closed, an approval stays as it is. */
export function closeAs(approval: Approval, outcome: ApprovalOutcome, at: string, why: string): ApprovalOutcome {
  approval.outcome = outcome;
  approval.closedAt = at;
  approval.why = why;
  return outcome;
}

const outcomes: Record<ApprovalOutcome, string> = {
  approved: 'was approved',
  rejected: 'was rejected',
  expired: 'has expired',
  void: 'is void, and was asked anew',
  proceeded: 'went on without an answer',
  ended: 'is not asked any more',
};

/** `"Switch the primary" was approved at 14:02:11Z (by Ana and Ben)` */
function endedInWords({ name, outcome, closedAt, why }: Approval): string {
  const how = outcome === undefined ? 'is open' : outcomes[outcome];
  return `"${name}" ${how}${closedAt === undefined ? '' : ` at ${formatClock(closedAt)}Z`}${why === undefined ? '' : ` (${why})`}`;
}
