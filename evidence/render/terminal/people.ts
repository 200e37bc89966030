/** In the terminal: whom a run waits for while it goes on, and what people were asked and said once it is over. */
import { type Awaited, awaitedOf } from '../../asked.ts';
import type { Evidence } from '../../evidence.ts';
import { formatClock } from '../../format.ts';
import type { Click, Subject } from '../../people.ts';
import { commandWords, whenWords, whoWords } from '../asked.ts';
import {
  approvalMark,
  approvalSentence,
  clickSentence,
  decisionMark,
  decisionSentence,
  hasPeople,
  postsSentence,
  requesterWords,
  undelivered,
  undeliveredSentence,
} from '../people-words.ts';
import { oneLine } from '../text.ts';
import { type Look, paint, toneColors } from './paint.ts';

const indent = '      ';

/** Questions that were not told so far, and what was said to those that were. */
export function terminalAsked(evidence: Evidence, printed: Set<string>, look: Look): string[] {
  const lines: string[] = [];
  const once = (key: string, tell: () => string[]) => {
    if (printed.has(key)) return;
    printed.add(key);
    lines.push(...tell());
  };
  for (const one of awaitedOf(evidence)) {
    const key = `asked ${one.id} ${one.code}`;
    once(key, () => questionLines(evidence, one, look));
    if (one.groups.length > 1)
      once(`${key} ${one.groups.length}`, () => [`${indent}asked now: ${oneLine(whoWords(one))}`]);
  }
  for (const [id, clicks] of clicksById(evidence))
    for (const [at, click] of clicks.entries())
      once(`click ${id} ${at}`, () => [`${indent}${oneLine(clickSentence(click))}`]);
  return lines;
}

function clicksById({ approvals = [], decisions = [], clicks = [] }: Evidence): [string, Click[]][] {
  return [
    ...approvals.map((one): [string, Click[]] => [one.id, one.clicks]),
    ...decisions.map((one): [string, Click[]] => [`${one.step} ${one.attempt}`, one.clicks]),
    ['run', clicks],
  ];
}

function questionLines(evidence: Evidence, awaited: Awaited, look: Look): string[] {
  const what = awaited.kind === 'approval' ? 'to be approved' : 'has failed, and waits for a decision';
  const command = commandWords(evidence.run, awaited);
  return [
    `  ${paint('?', 'yellow', look)} ${paint(oneLine(awaited.name), 'bold', look)} ${what}, code ${oneLine(awaited.code)}`,
    ...factsOf(evidence, awaited).map((line) => indent + line),
    `${indent}${oneLine(whoWords(awaited))}`,
    `${indent}${whenWords(awaited)}`,
    ...(command === undefined ? [] : [`${indent}${paint(oneLine(command), 'cyan', look)}`]),
  ];
}

function factsOf(evidence: Evidence, { kind, id, code }: Awaited): string[] {
  if (kind === 'approval') {
    const approval = evidence.approvals?.find((one) => one.id === id && one.code === code);
    return approval === undefined ? [] : [subjectWords(approval.subject), subjectWords(approval.shown)].filter(Boolean);
  }
  const failure = evidence.decisions?.find((one) => one.step === id && one.code === code)?.failure;
  return failure === undefined ? [] : [oneLine(`${failure.type}: ${failure.message}`)];
}

function subjectWords(subject: Subject): string {
  return oneLine(
    Object.entries(subject)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
  );
}

/** All that concerns people, for the report. */
export function peopleBlock(evidence: Evidence, look: Look): string[] {
  if (!hasPeople(evidence)) return [];
  const { approvals = [], decisions = [], clicks = [], aborted } = evidence;
  const posts = postsSentence(evidence);
  return [
    paint('People', 'bold', look),
    `  started by ${oneLine(requesterWords(evidence))}`,
    ...approvals.flatMap((one) => [
      marked(approvalMark(one), `${one.name}: ${approvalSentence(one)}`, look),
      indent +
        oneLine(
          `sha256 ${one.hash}, code ${one.code}, ${one.quorum} of ${one.asked.map(({ group }) => group).join(' and ')}`,
        ),
      ...one.clicks.map((click) => indent + oneLine(clickSentence(click))),
    ]),
    ...decisions.flatMap((one) => [
      marked(decisionMark(one), `${one.name} (${one.failure.type}): ${decisionSentence(one)}`, look),
      ...one.clicks.map((click) => indent + oneLine(clickSentence(click))),
    ]),
    ...(aborted === undefined
      ? []
      : [
          marked(
            { glyph: '■', tone: 'warn' },
            `aborted by ${aborted.by} at ${formatClock(aborted.at)}Z${aborted.reason === undefined ? '' : `: ${aborted.reason}`}`,
            look,
          ),
        ]),
    ...clicks.map((click) => `  ${oneLine(clickSentence(click))}`),
    ...(posts === undefined ? [] : [`  told: ${posts}`]),
    ...undelivered(evidence).map((one) => indent + oneLine(undeliveredSentence(one))),
  ];
}

function marked({ glyph, tone }: { glyph: string; tone: keyof typeof toneColors }, text: string, look: Look): string {
  return `  ${paint(glyph, toneColors[tone], look)} ${oneLine(text)}`;
}
