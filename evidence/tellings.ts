/**
 * What people have to be told of a run by now. It follows from the evidence alone: whoever has lost count of what was told looks
 * again, and each telling has a key by which it is told once.
 */
import { isAgreed } from './approvals.ts';
import type { Evidence, Step } from './evidence.ts';
import { formatClock, formatDuration, formatNumberOf } from './format.ts';
import type { Approval, Asked, ClickKind, Decision, Post } from './people.ts';
import { flagsInWords, headline, verdictWord } from './render/words.ts';
import {
  awaited,
  between,
  dataLost,
  done,
  expectedEnd,
  isOpen,
  type Line,
  lineOf,
  listed,
  measured,
  type Names,
  nameOf,
  people,
  spent,
  statusLines,
} from './status.ts';

/** Something that people are to be told. */
export interface Telling {
  /** Unique in the run. */
  key: string;
  kind: Post['kind'];
  headline: string;
  lines: Line[];
  /** Ids of those whom it concerns: they are called. */
  calls: string[];
  /** What it is about, and the key of the telling that asked it. */
  question?: { kind: 'approval' | 'decision'; key: string };
}

/** Whether it tells how a question has ended. */
export function isClosing({ key, question }: Telling): boolean {
  return question !== undefined && key === `${question.key}/closed`;
}

/** What a run that goes on has come to, oldest first. The status updates and the end are told besides, when it is time. */
export function tellings(evidence: Evidence, names: Names): Telling[] {
  return [
    startTelling(evidence, names),
    ...evidence.phases.flatMap((phase, index) => (phase.startedAt === undefined ? [] : [begun(evidence, index)])),
    ...evidence.steps.flatMap((step) => outages(step)),
    ...(evidence.approvals ?? []).flatMap((one) => ofApproval(evidence, one, names)),
    ...(evidence.decisions ?? []).flatMap((one) => ofDecision(evidence, one, names)),
    ...undoing(evidence, names),
  ];
}

/** The first line says whether it is real: nobody may take a drill for an outage, or an outage for a drill. */
const modeWords: Record<Evidence['mode'], string> = {
  live: 'LIVE',
  drill: 'DRILL, production is not touched',
  'dry-run': 'DRY RUN, nothing is changed',
};

export function startTelling(evidence: Evidence, names: Names): Telling {
  const { objectives, phases, service, title, mode, requestedBy } = evidence;
  const budgets = phases.map(({ name, budgetMs }) => `${name} ${formatDuration(budgetMs)}`).join(', ');
  return {
    key: 'start',
    kind: 'start',
    headline: `${modeWords[mode]}: ${title} of ${service} has begun`,
    lines: [
      ...lineOf('Run', evidence.run),
      ...lineOf('Started by', requestedBy === undefined ? 'unknown' : nameOf(requestedBy, names)),
      ...lineOf(
        'Promised',
        `recovered in ${formatDuration(objectives.rtoMs)}, ${formatDuration(objectives.rpoMs)} lost at most`,
      ),
      ...lineOf('Budgets', budgets),
    ],
    calls: [],
  };
}

function begun(evidence: Evidence, index: number): Telling {
  const { phases } = evidence;
  const phase = phases[index];
  const before = phases[index - 1];
  const name = phase?.name ?? '';
  return {
    key: `phase/${name}`,
    kind: 'phase',
    headline: `Phase ${index + 1} of ${phases.length}: ${name}`,
    lines: [
      ...lineOf('Done', before?.endedAt === undefined ? '' : `${before.name} (${spent(before)})`),
      ...lineOf(
        'Budget',
        phase === undefined
          ? ''
          : `${formatDuration(phase.budgetMs)}, until ${clockAfter(phase.startedAt, phase.budgetMs)}`,
      ),
      ...lineOf('Expected end', expectedEnd(evidence)),
    ],
    calls: [],
  };
}

/** An outage that a step waits for; that it is over is told by the next update. */
function outages(step: Step): Telling[] {
  return (step.waits ?? []).map((wait, index) => ({
    key: `outage/${step.id}/${index + 1}`,
    kind: 'warning',
    headline: `${step.name}: waits for ${wait.what}`,
    lines: [
      ...lineOf('Since', `${formatClock(wait.since)}Z, until ${formatClock(wait.givesUpAt)}Z at most`),
      ...lineOf('Seen', wait.why),
    ],
    calls: [],
  }));
}

function ofApproval(evidence: Evidence, approval: Approval, names: Names): Telling[] {
  const key = `approval/${approval.id}`;
  const question = { kind: 'approval', key } as const;
  const facts = { ...approval.subject, ...approval.shown };
  const asks: Telling = {
    key,
    kind: 'approval',
    headline: `Approval wanted: ${approval.name}`,
    lines: [
      ...lineOf('Asked', awaited(approval, names)),
      ...Object.entries(facts).flatMap(([label, value]) => lineOf(label, String(value))),
      ...lineOf('Code', `${approval.code} (lifeboat approve ${evidence.run} --code ${approval.code})`),
    ],
    calls: people(approval.asked.slice(0, 1)),
    question,
  };
  const reminder: Telling = {
    key: `${key}/reminder`,
    kind: 'reminder',
    headline: `Still waiting for approval: ${approval.name}`,
    lines: [...lineOf('Asked', awaited(approval, names)), ...lineOf('Code', approval.code)],
    calls: people(approval.asked),
  };
  return [
    asks,
    ...(approval.warnedAt === undefined ? [] : [reminder]),
    ...escalations(key, approval.name, approval.asked, names),
    ...(isOpen(approval) ? [] : [closedApproval(approval, key, names)]),
  ];
}

const outcomeWords: Record<NonNullable<Approval['outcome']>, string> = {
  approved: 'approved',
  rejected: 'rejected',
  expired: 'nobody answered in time',
  void: 'void, because what was to be approved has changed',
  proceeded: 'nobody answered in time, and the drill goes on',
  ended: 'no longer asked',
};

function closedApproval(approval: Approval, key: string, names: Names): Telling {
  const { outcome, why } = approval;
  const last = new Map(approval.clicks.filter(({ counted }) => counted).map(({ by, kind }) => [by, kind]));
  const who = (said: ClickKind) => [...last].flatMap(([by, kind]) => (kind === said ? [by] : []));
  return {
    key: `${key}/closed`,
    kind: 'approval',
    headline: `${approval.name}: ${outcome === undefined ? 'closed' : outcomeWords[outcome]}`,
    lines: [
      ...lineOf('Approved by', who('approve').length === 0 ? '' : listed(who('approve'), names)),
      ...lineOf('Rejected by', who('reject').length === 0 ? '' : listed(who('reject'), names)),
      ...lineOf('After', formatDuration(between(approval.openedAt, approval.closedAt))),
      ...lineOf('Chosen', chosenWords(approval)),
      // Of one that was approved it says who has: that stands above.
      ...lineOf('Why', outcome === 'approved' ? undefined : why),
    ],
    calls: [],
    question: { kind: 'approval', key },
  };
}

function chosenWords({ chosen, alternatives }: Approval): string {
  if (chosen === undefined || chosen.choice === 'approve') return '';
  const label = Object.hasOwn(alternatives, chosen.choice) ? alternatives[chosen.choice]?.label : undefined;
  return [label ?? chosen.choice, chosen.value].filter((one) => one !== undefined).join(': ');
}

function ofDecision(evidence: Evidence, decision: Decision, names: Names): Telling[] {
  const key = `decision/${decision.step}/${decision.attempt}`;
  const question = { kind: 'decision', key } as const;
  const { name, failure, offers, code } = decision;
  const asks: Telling = {
    key,
    kind: 'decision',
    headline: `A step has failed and waits for a decision: ${name}`,
    lines: [
      ...lineOf(failure.type, failure.message),
      ...lineOf('Asked', awaited(decision, names)),
      ...lineOf(
        'Offered',
        `${offers.join(', ')} (lifeboat decide ${evidence.run} ${offers[0] ?? 'abort'} --code ${code})`,
      ),
    ],
    calls: people(decision.asked.slice(0, 1)),
    question,
  };
  return [
    asks,
    ...escalations(key, name, decision.asked, names),
    ...(isOpen(decision) ? [] : [closedDecision(decision, key, names)]),
  ];
}

function closedDecision(
  { name, action, by, reason, openedAt, closedAt }: Decision,
  key: string,
  names: Names,
): Telling {
  return {
    key: `${key}/closed`,
    kind: 'decision',
    headline: `${name}: ${action ?? 'no longer asked'}`,
    lines: [
      ...lineOf('Decided by', by === undefined ? '' : nameOf(by, names)),
      ...lineOf('After', formatDuration(between(openedAt, closedAt))),
      ...lineOf('Reason', reason),
    ],
    calls: [],
    question: { kind: 'decision', key },
  };
}

/** Each group that is asked besides. */
function escalations(key: string, name: string, asked: readonly Asked[], names: Names): Telling[] {
  return asked.slice(1).map((one, index) => ({
    key: `${key}/escalation-${index + 1}`,
    kind: 'escalation',
    headline: `Escalated to ${one.group}: ${name}`,
    lines: lineOf(
      'Asked',
      `${listed(one.people, names)} since ${formatClock(one.since)}Z, until ${formatClock(one.until)}Z`,
    ),
    calls: one.people,
  }));
}

/** A drill always takes back what it has made; of a live run it says that it did not go well. */
function undoing({ mode, steps, aborted }: Evidence, names: Names): Telling[] {
  const undos = steps.filter((step) => step.kind === 'undo');
  if (mode !== 'live' || undos.length === 0) return [];
  return [
    {
      key: 'undo',
      kind: 'phase',
      headline: 'What was done is being taken back',
      lines: [
        ...lineOf('Aborted by', aborted === undefined ? '' : nameOf(aborted.by, names)),
        ...lineOf('Reason', aborted?.reason),
        ...lineOf('Failed', steps.find((step) => step.state === 'failed')?.failure?.message),
      ],
      calls: [],
    },
  ];
}

/** @param number which one it is, from 1 */
export function statusTelling(evidence: Evidence, names: Names, now: string, number: number): Telling {
  return {
    key: `status/${number}`,
    kind: 'status',
    headline: headline(evidence),
    lines: statusLines(evidence, names, now),
    calls: people(
      [...(evidence.approvals ?? []).filter((one) => !isAgreed(one)), ...(evidence.decisions ?? [])]
        .filter(isOpen)
        .flatMap((one) => one.asked),
    ),
  };
}

/** @param number which warning of this kind it is, from 1 */
export function lateTelling(evidence: Evidence, lateByMs: number, number: number): Telling {
  const { rtoMs } = evidence.objectives;
  return {
    key: `warning/late/${number}`,
    kind: 'warning',
    headline: `Will miss the RTO of ${formatDuration(rtoMs)} by ${formatDuration(lateByMs)}`,
    lines: [...lineOf('Expected end', expectedEnd(evidence)), ...lineOf('Done', done(evidence))],
    calls: [],
  };
}

export function endTelling(evidence: Evidence): Telling {
  const flags = flagsInWords(evidence);
  const skipped = evidence.steps.filter((step) => step.state === 'skipped').length;
  return {
    key: 'end',
    kind: 'end',
    headline: `${verdictWord(evidence)}: ${headline(evidence)}`,
    lines: [
      ...lineOf(evidence.failure?.type ?? '', evidence.failure?.message),
      ...lineOf('Took', formatDuration(between(evidence.startedAt, evidence.endedAt))),
      ...lineOf('Measured', measured(evidence)),
      ...(evidence.rpo.valueMs === undefined ? lineOf('Data lost', dataLost(evidence)) : []),
      ...lineOf('Note', flags.join(', ')),
      ...lineOf('Skipped', skipped === 0 ? '' : formatNumberOf(skipped, 'step')),
      ...lineOf('Left behind', evidence.leftBehind.join('; ')),
      ...lineOf('To do', evidence.toDo),
    ],
    calls: [],
  };
}

function clockAfter(at: string | undefined, ms: number): string {
  const time = Date.parse(at ?? '') + ms;
  return Number.isFinite(time) ? `${formatClock(new Date(time).toISOString())}Z` : 'unknown';
}
