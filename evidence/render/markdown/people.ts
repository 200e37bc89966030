/** What people were asked and what they said, as Markdown. */
import type { Evidence } from '../../evidence.ts';
import { factsOf } from '../../facts.ts';
import { formatClock, formatDuration } from '../../format.ts';
import type { Approval, Click, Decision, Subject } from '../../people.ts';
import {
  approvalMark,
  approvalSentence,
  channelWord,
  decisionMark,
  decisionSentence,
  hasPeople,
  postsSentence,
  requesterWords,
  saidWord,
  signedWord,
  undelivered,
  undeliveredSentence,
} from '../people-words.ts';
import { code, plain, table } from './marks.ts';

export function peopleSections(evidence: Evidence): string[] {
  if (!hasPeople(evidence)) return [];
  const { approvals = [], decisions = [], clicks = [] } = evidence;
  const posts = postsSentence(evidence);
  return [
    '## People',
    `Started by ${plain(requesterWords(evidence))}.`,
    ...approvals.flatMap(approvalPart),
    ...decisions.flatMap(decisionPart),
    ...abortPart(evidence),
    ...(clicks.length === 0 ? [] : ['### Other messages', clicksTable(clicks)]),
    ...(posts === undefined ? [] : ['### What people were told', plain(posts)]),
    ...undelivered(evidence).map((one) => `- ${plain(undeliveredSentence(one))}`),
  ];
}

function approvalPart(approval: Approval): string[] {
  const { name, hash, code: short, quorum, asked, clicks } = approval;
  const { subject, shown } = factsOf(approval);
  return [
    `### ${approvalMark(approval).glyph} ${plain(name)}: ${plain(approvalSentence(approval))}`,
    `${quorum} of ${plain(asked.map(({ group }) => group).join(', then '))}, until ${formatClock(asked.at(-1)?.until ?? '')}Z. SHA-256 ${code(hash)}, code ${code(short)}`,
    facts(subject),
    ...(Object.keys(shown).length === 0 ? [] : ['Shown besides, not bound to the answer:', facts(shown)]),
    ...(clicks.length === 0 ? ['Nobody has answered.'] : [clicksTable(clicks)]),
  ];
}

function decisionPart(decision: Decision): string[] {
  const { name, failure, clicks } = decision;
  return [
    `### ${decisionMark(decision).glyph} ${plain(name)}: ${plain(decisionSentence(decision))}`,
    `**${plain(failure.type)}**: ${plain(failure.message)}`,
    ...(clicks.length === 0 ? [] : [clicksTable(clicks)]),
  ];
}

function abortPart({ aborted, notUndone = [] }: Evidence): string[] {
  if (aborted === undefined) return [];
  const { at, by, reason, stops, undoes, stays, code: short } = aborted;
  const lines = [
    ...stops.map((name) => `- stopped: ${plain(name)}`),
    ...undoes.map(({ name }) => `- to be undone: ${plain(name)}`),
    ...stays.map(({ name, why }) => `- stays: ${plain(name)} (${plain(why)})`),
    ...notUndone.map(({ name, why }) => `- not undone: ${plain(name)} (${plain(why)})`),
  ];
  return [
    `### ■ Aborted by ${plain(by)} at ${formatClock(at)}Z${reason === undefined ? '' : `: ${plain(reason)}`}`,
    `As it was shown before it was confirmed, code ${code(short)}:`,
    ...(lines.length === 0 ? ['Nothing was to be undone.'] : [lines.join('\n')]),
  ];
}

function facts(subject: Subject): string {
  return table(
    ['', ''],
    Object.entries(subject).map(([name, value]) => [plain(name), plain(String(value))]),
  );
}

function clicksTable(clicks: readonly Click[]): string {
  return table(
    ['UTC', 'Who', 'Said', 'Counted', 'From', 'After'],
    clicks.map((click) => [
      formatClock(click.at),
      plain(click.by),
      plain(`${saidWord(click)}${click.reason ? `: "${click.reason}"` : ''}`),
      click.counted ? '✓' : `✗ ${plain(click.said)}`,
      `${channelWord(click)}, ${signedWord(click)}`,
      click.latencyMs === undefined ? '' : formatDuration(click.latencyMs),
    ]),
  );
}
