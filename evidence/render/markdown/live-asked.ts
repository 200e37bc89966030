/** On the live page: each open question first, with what to paste into the Temporal UI's update form. */
import { type Awaited, awaitedOf } from '../../asked.ts';
import type { Evidence } from '../../evidence.ts';
import { commandWords, questionTitle, whenWords, whoWords } from '../asked.ts';
import { clipped, oneLine } from '../text.ts';
import { code, plain } from './marks.ts';

interface Room {
  /** Open questions that are told; whoever has more of them opens the report. */
  questions: number;
  /** Characters of each text of others. */
  text: number;
  facts: boolean;
}

const enough: Room = { questions: 5, text: 300, facts: true };
/** What must stand there, however long everything else is. */
export const scarce: Room = { questions: 3, text: 80, facts: false };

/** Text only changes with the next event of the run: no countdown stands here. */
export function liveQuestions(evidence: Evidence, room: Room = enough): string[] {
  const all = awaitedOf(evidence);
  const more = all.length - room.questions;
  const short = (text: string) => plain(clipped(oneLine(text), room.text));
  return [
    ...all
      .slice(0, room.questions)
      .flatMap((one) => [
        `**${questionTitle(one)}: ${short(one.name)}**, ${short(whoWords(one))}; ${whenWords(one)}`,
        ...(room.facts ? factsOf(evidence, one, short) : []),
        ...answerLine(evidence, one),
      ]),
    ...(more > 0 ? [`and ${more} more: ${code('lifeboat status')}`] : []),
  ];
}

function answerLine(evidence: Evidence, one: Awaited): string[] {
  const command = commandWords(evidence.run, one);
  if (command === undefined) return [];
  const update = one.kind === 'approval' ? 'approve' : 'decide';
  return [
    `${code(clipped(command, 200))}, or *Send an Update* ${code(update)}${unsignedNote(evidence)}: ${code(updateJson(one))}`,
  ];
}

function factsOf(
  { approvals = [], decisions = [] }: Evidence,
  { id, code: shown }: Awaited,
  short: (text: string) => string,
): string[] {
  const approval = approvals.find((one) => one.id === id && one.code === shown);
  if (approval !== undefined) {
    const facts = Object.entries({ ...approval.subject, ...approval.shown });
    return [facts.map(([name, value]) => `${short(name)} **${short(String(value))}**`).join(' · ')];
  }
  const failure = decisions.find((one) => one.step === id && one.code === shown)?.failure;
  return failure === undefined ? [] : [`**${short(failure.type)}**: ${short(failure.message)}`];
}

/** The UI knows nobody's name: who it is must be written, and nothing proves it. */
function updateJson({ kind, code: shown }: Awaited): string {
  const said =
    kind === 'approval' ? { by: 'YOUR-NAME', code: shown } : { by: 'YOUR-NAME', code: shown, action: 'retry' };
  return JSON.stringify({ ...said, channel: 'temporal-ui' });
}

function unsignedNote({ mode }: Evidence): string {
  return mode === 'live' ? ' (unsigned, so it counts only where the plan allows that)' : '';
}
