/** A run in the terminal: whole, or line by line while it goes on. */
import type { Evidence, PhaseRecord, Step } from '../evidence.ts';
import { formatBytes, formatClock, formatDuration } from '../format.ts';
import { seenAt } from '../seen-at.ts';
import { stepNumbers, totalSentence } from './plan-of-action.ts';
import { classWords, overWord } from './promises.ts';
import { ledgerBlock } from './terminal/ledger.ts';
import { type Look, paint, toneColors } from './terminal/paint.ts';
import { peopleBlock } from './terminal/people.ts';
import { searchBlock } from './terminal/search.ts';
import { oneLine } from './text.ts';
import {
  asOf,
  flagsInWords,
  groupTitle,
  measuredWord,
  type PhaseState,
  phaseGlyphs,
  phaseNumber,
  phaseSpan,
  phaseState,
  phaseTitle,
  sentenceOf,
  stateOf,
  stepsByGroup,
  type Tone,
  toneOf,
  verdictWord,
} from './words.ts';

/** Column at which a phase's time ends. */
const width = 66;

const phaseTones: Record<PhaseState, Tone> = {
  waiting: 'calm',
  running: 'calm',
  previewed: 'calm',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
};

/** The run as a whole: what it is about, its phases with their steps, how it ended. */
export function renderTerminal(known: Evidence, look: Look): string {
  const evidence = seenAt(known, asOf(known, look.now));
  const numbers = evidence.mode === 'dry-run' ? stepNumbers(evidence) : new Map<Step, number>();
  const blocks = [
    heading(evidence, look),
    ...groupsOf(evidence).map(({ group, steps, phase }) => [
      phase === undefined ? paint(groupTitle(group), 'bold', look) : phaseLine(phase, evidence, look),
      ...steps.map((step) => stepLine(step, evidence, look, numbers.get(step))),
    ]),
    peopleBlock(evidence, look),
    searchBlock(evidence),
    ledgerBlock(evidence),
    terminalClosing(evidence, look),
  ].filter((lines) => lines.length > 0);
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

/** The lines that are new since the last call; `printed` remembers what was told. */
export function terminalSteps(evidence: Evidence, printed: Set<string>, look: Look): string[] {
  const lines: string[] = [];
  const once = (key: string, tell: () => string[]) => {
    if (printed.has(key)) return;
    printed.add(key);
    lines.push(...tell());
  };
  once('heading', () => heading(evidence, look));
  const groups = groupsOf(evidence).filter(({ phase, steps }) => phase?.startedAt !== undefined || steps.length > 0);
  for (const [index, { group, steps, phase }] of groups.entries()) {
    const over = phase !== undefined && (phase.endedAt !== undefined || index < groups.length - 1);
    const seenBefore = printed.has(`${group} begins`);
    once(`${group} begins`, () => ['', beginning(group, phase, over, evidence, look)]);
    // Its heading has told the time already.
    if (over && !seenBefore) printed.add(`${group} ended`);
    for (const step of steps) if (step.state !== 'running') once(step.id, () => [stepLine(step, evidence, look)]);
    if (over) once(`${group} ended`, () => [ending(phase, evidence, look)]);
  }
  return lines;
}

function groupsOf(evidence: Evidence): { group: Step['group']; steps: Step[]; phase?: PhaseRecord }[] {
  const withSteps = stepsByGroup(evidence);
  const stepsOf = (group: Step['group']) => withSteps.find((one) => one.group === group)?.steps ?? [];
  const beside = (group: 'opening' | 'closing') =>
    stepsOf(group).length > 0 ? [{ group, steps: stepsOf(group) }] : [];
  const phases = evidence.phases.map((phase) => ({ group: phase.name, steps: stepsOf(phase.name), phase }));
  return [...beside('opening'), ...phases, ...beside('closing')];
}

function heading(evidence: Evidence, look: Look): string[] {
  const { mode, isolatedOn, incidentAt, objectives } = evidence;
  const what = mode === 'dry-run' ? 'DRY RUN' : mode === 'drill' ? 'DRILL' : evidence.title.toUpperCase();
  const where =
    mode === 'dry-run'
      ? ' · nothing is changed'
      : mode === 'drill' && isolatedOn !== undefined
        ? ` · isolated on ${oneLine(isolatedOn)} · production untouched`
        : '';
  const restores = evidence.phases.some((phase) => phase.name === 'validation');
  const pretend =
    mode === 'drill' && incidentAt !== undefined ? `Pretend the primary died at ${formatClock(incidentAt)}Z.   ` : '';
  return [
    `${paint(oneLine(what), 'bold', look)} ${paint(oneLine(evidence.run), 'bold', look)}${where}`,
    ...(restores
      ? [`${pretend}RTO ${formatDuration(objectives.rtoMs)} · RPO ${formatDuration(objectives.rpoMs)}`]
      : []),
  ];
}

function phaseLine(phase: PhaseRecord, evidence: Evidence, look: Look): string {
  return aligned(phaseName(phase, evidence), spanOf(phase, evidence, look), phase, evidence, look);
}

/** A phase that was seen from its beginning tells its time at its end; one that was over when it was first seen, at once. */
function beginning(
  group: Step['group'],
  phase: PhaseRecord | undefined,
  over: boolean,
  evidence: Evidence,
  look: Look,
): string {
  if (phase === undefined) return paint(groupTitle(group), 'bold', look);
  if (over) return phaseLine(phase, evidence, look);
  const allowed = `${formatDuration(phase.budgetMs)} allowed`;
  const name = phaseName(phase, evidence);
  return `${paint(name, 'bold', look)}${paint(allowed.padStart(Math.max(2, width - name.length)), 'dim', look)}`;
}

function ending(phase: PhaseRecord, evidence: Evidence, look: Look): string {
  return aligned('', spanOf(phase, evidence, look), phase, evidence, look);
}

function phaseName({ name }: PhaseRecord, evidence: Evidence): string {
  return `${phaseNumber(name, evidence)} ${phaseTitle(name)}`;
}

function spanOf(phase: PhaseRecord, evidence: Evidence, { now }: Look): string {
  const note = phase.note === undefined ? '' : `${oneLine(phase.note)}, `;
  return `${note}${phaseSpan(phase, evidence, asOf(evidence, now))}`;
}

function aligned(name: string, span: string, phase: PhaseRecord, evidence: Evidence, look: Look): string {
  const state = phaseState(phase, evidence);
  const glyph = paint(phaseGlyphs[state], toneColors[phaseTones[state]], look);
  return `${paint(name, 'bold', look)}  ${span.padStart(width - name.length - 2)}  ${glyph}`.trimEnd();
}

function stepLine(step: Step, evidence: Evidence, look: Look, number?: number): string {
  const { glyph, tone } = stateOf(step);
  const place = number === undefined ? '' : `${String(number).padStart(3)} `;
  return `  ${place}${paint(glyph, toneColors[tone], look)} ${oneLine(toldBelow(step, evidence) ?? (evidence.mode === 'dry-run' ? plannedWords(step) : sentenceOf(step)))}`;
}

/** A plan of action names what is done in each line: `as replicator` alone tells nobody which check has passed. */
function plannedWords(step: Step): string {
  const sentence = sentenceOf(step);
  return step.state === 'done' && step.found !== undefined && step.kind !== 'approval'
    ? `${step.name}: ${sentence}`
    : sentence;
}

/** The failure that ended the run is told in full by the closing lines. */
function toldBelow({ name, failure, state }: Step, evidence: Evidence): string | undefined {
  if (state === 'cancelled') return undefined;
  const same = failure !== undefined && failure.message === evidence.failure?.message;
  return same && evidence.outcome !== 'running' ? `${name}: ${failure.type}` : undefined;
}

/** How it ended, what was not exercised, what to do. */
export function terminalClosing(evidence: Evidence, look: Look): string[] {
  const { failure, leftBehind, notExercised, toDo } = evidence;
  const flags = flagsInWords(evidence);
  const word = paint(verdictWord(evidence), toneColors[toneOf(evidence)], look);
  return [
    [word, ...numbersOf(evidence)].join('   '),
    ...classLines(evidence, look),
    ...(failure === undefined ? [] : [`${paint(oneLine(failure.type), 'red', look)}: ${oneLine(failure.message)}`]),
    ...(flags.length === 0 ? [] : [paint(`Note: ${flags.join(', ')}`, 'yellow', look)]),
    ...leftBehind.map((one) => `Left behind: ${oneLine(one)}`),
    ...(notExercised.length === 0 ? [] : [`Not exercised: ${notExercised.map((one) => oneLine(one.what)).join(', ')}`]),
    ...(toDo === undefined ? [] : [`To do: ${oneLine(toDo)}`]),
  ];
}

function numbersOf(evidence: Evidence): string[] {
  const { outcome, mode, rto, rpo, backup } = evidence;
  if (outcome === 'running') return [];
  if (mode === 'dry-run') return [totalSentence(evidence), 'nothing was changed'];
  if (outcome === 'completed' && backup !== undefined)
    return [`${oneLine(backup.type)} backup ${oneLine(backup.label)}, ${formatBytes(backup.bytes)}`];
  if (rto.valueMs === undefined && rpo.valueMs === undefined) return [];
  const excluded = mode === 'drill' && rto.valueMs !== undefined ? 'traffic excluded' : '';
  return [
    `RTO ${measuredWord(rto.valueMs)}${parenthesis(excluded, overWord(rto))}`,
    `RPO ${measuredWord(rpo.valueMs)}${parenthesis(overWord(rpo))}`,
  ];
}

function classLines(evidence: Evidence, look: Look): string[] {
  return (['rto', 'rpo'] as const).flatMap((of) =>
    classWords(evidence, of)
      .filter(({ state }) => state !== 'open')
      .map(({ text, state }) => {
        const line = `${of.toUpperCase()} of ${oneLine(text)}`;
        return state === 'missed' ? paint(line, 'yellow', look) : line;
      }),
  );
}

function parenthesis(...words: string[]): string {
  const said = words.filter((one) => one !== '');
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}
