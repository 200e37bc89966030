/** What is asked, in full, for somebody who is about to answer. */
import { awaitedOf } from '../../evidence/asked.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { formatClock } from '../../evidence/format.ts';
import type { AbortPlan, Approval, Decision, Subject } from '../../evidence/people.ts';
import { whenWords, whoWords } from '../../evidence/render/asked.ts';
import { oneLine } from '../../evidence/render/text.ts';

export function approvalInWords(evidence: Evidence, approval: Approval, now: Date): string {
  const alternatives = Object.entries(approval.alternatives);
  return [
    `${oneLine(approval.name)}   of ${about(evidence)}`,
    '',
    ...factLines(approval.subject),
    ...(Object.keys(approval.shown).length === 0
      ? []
      : ['', '  besides, and not bound to the answer:', ...factLines(approval.shown)]),
    '',
    ...factLines({
      ...whoAndWhen(evidence, approval.id, now),
      'sha256 of all this': approval.hash,
      code: approval.code,
    }),
    ...(alternatives.length === 0
      ? []
      : [
          '',
          '  instead of a plain yes:',
          ...alternatives.map(
            ([choice, { label, wants }]) =>
              `    --choice ${choice}${wants === undefined ? '' : ` --value <${wants}>`}   ${oneLine(label)}`,
          ),
        ]),
  ].join('\n');
}

export function decisionInWords(evidence: Evidence, decision: Decision, now: Date): string {
  return [
    `${oneLine(decision.name)} has failed   in ${about(evidence)}`,
    '',
    `  ${oneLine(`${decision.failure.type}: ${decision.failure.message}`)}`,
    '',
    ...factLines({
      ...whoAndWhen(evidence, decision.step, now),
      'can be said': decision.offers.join(', '),
      code: decision.code,
    }),
  ].join('\n');
}

export function abortInWords(run: string, plan: AbortPlan): string {
  return `${whatAbortDoes(run, plan)}\n\ncode  ${plan.code}`;
}

/** @param plan computed at this moment */
export function whatAbortDoes(run: string, { stops, undoes, stays }: Omit<AbortPlan, 'code'>): string {
  const undone = undoes.map(({ name, will }, at) => `  ${at + 1}. ${oneLine(name)}${will ? `: ${oneLine(will)}` : ''}`);
  return [
    `An abort of ${run}, as things stand now:`,
    '',
    stops.length === 0 ? 'Nothing is in flight.' : 'is stopped first:',
    ...stops.map((name) => `  ${oneLine(name)}`),
    '',
    undone.length === 0 ? 'Nothing is to be undone.' : 'is undone then, in this order:',
    ...undone,
    ...(stays.length === 0
      ? []
      : ['', 'stays as it is:', ...stays.map(({ name, why }) => `  ${oneLine(name)}: ${oneLine(why)}`)]),
  ].join('\n');
}

function about({ run, title, service, mode }: Evidence): string {
  return oneLine(`${run}, ${title.toLowerCase()} of ${service} (${mode})`);
}

function whoAndWhen(evidence: Evidence, id: string, now: Date): Subject {
  const awaited = awaitedOf(evidence).find((one) => one.id === id);
  const closedAt = [...(evidence.approvals ?? []), ...(evidence.decisions ?? [])].find(
    (one) => ('id' in one ? one.id : one.step) === id,
  )?.closedAt;
  if (awaited === undefined) return closedAt === undefined ? {} : { closed: `at ${formatClock(closedAt)}Z` };
  return { asked: whoWords(awaited), open: whenWords(awaited, now) };
}

function factLines(facts: Subject): string[] {
  const width = Math.max(0, ...Object.keys(facts).map((name) => name.length));
  return Object.entries(facts).map(([name, value]) => `  ${oneLine(name).padEnd(width)}  ${oneLine(String(value))}`);
}
