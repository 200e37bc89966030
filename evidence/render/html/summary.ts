/** The first screen: what a manager must know in ten seconds. */
import type { Evidence } from '../../evidence.ts';
import { failureTypes } from '../../failures.ts';
import { formatDuration } from '../../format.ts';
import { openWait, waitSentence } from '../../waits.ts';
import { forecastSentence } from '../people-words.ts';
import {
  flagsInWords,
  headline,
  notExercisedSentence,
  subtitle,
  type Tone,
  toneOf,
  tookMs,
  verdictWord,
} from '../words.ts';
import { html, type Markup, prose } from './markup.ts';

export function verdict(evidence: Evidence): Markup {
  return html`<div class="verdict ${toneOf(evidence)}">
${seal(evidence)}
<div><p class="words"><span class="pill word">${verdictWord(evidence)}</span>${flagsInWords(evidence).map((flag) => html`<span class="pill warn">${flag}</span>`)}</p>
<h1>${headline(evidence)}</h1></div>
<p class="sub">${subtitle(evidence).map((one) => html`<span>${one}</span>`)}</p>
</div>`;
}

const strokes = {
  tick: 'M20 33l9 9 16-19',
  cross: 'M23 23l18 18M41 23l-18 18',
  mark: 'M32 18v18M32 45.5v.5',
  list: 'M22 24h20M22 32h20M22 40h12',
  clock: 'M32 19v13l9 6',
} as const;

const toneStrokes: Record<Tone, keyof typeof strokes> = { good: 'tick', warn: 'mark', bad: 'cross', calm: 'list' };

function seal(evidence: Evidence): Markup {
  const stroke = evidence.outcome === 'running' ? 'clock' : toneStrokes[toneOf(evidence)];
  return html`<svg class="seal" viewBox="0 0 64 64" aria-hidden="true"><circle cx="32" cy="32" r="29" stroke-width="2"/><path d="${strokes[stroke]}"/></svg>`;
}

/** What went wrong, as large as it is. */
export function failurePanel(evidence: Evidence): Markup | undefined {
  const { failure, outcome, toDo } = evidence;
  if (failure === undefined) return undefined;
  const step = evidence.steps.findIndex((one) => one.id === failure.step);
  const means = Object.entries(failureTypes).find(([type]) => type === failure.type)?.[1].means;
  return html`<section class="failure ${outcome === 'aborted' ? 'warn' : 'bad'}" aria-labelledby="failure">
<h2 id="failure">${failure.type}${means !== undefined && html`<span class="means">: ${means}</span>`}</h2>
<p class="lines">${prose(failure.message)}</p>
${toDo !== undefined && html`<p><b>What to do:</b> ${toDo}</p>`}
${step >= 0 && html`<p class="how"><a href="#step-${step}">The step that failed</a></p>`}
</section>`;
}

/** What goes on, what was left behind, what was not exercised, what to do. */
export function remarks(evidence: Evidence, at: string): Markup | undefined {
  const { leftBehind, failure } = evidence;
  const toDo = failure === undefined ? evidence.toDo : undefined;
  const now = evidence.steps.filter((step) => step.state === 'running');
  const missed = notExercisedWords(evidence);
  const ends = evidence.outcome === 'running' ? forecastSentence(evidence) : undefined;
  if (leftBehind.length === 0 && missed === '' && toDo === undefined && now.length === 0 && ends === undefined)
    return undefined;
  return html`<dl class="say">
${now.length > 0 && html`<dt>Now</dt><dd>${now.map((step) => html`<p><b>${step.name}</b>, for ${formatDuration(tookMs(step, at))}${step.preview !== undefined && html`<span class="meta">${step.preview}</span>`}${openWait(step) !== undefined && html`<span class="over">${waitSentence(step)}</span>`}</p>`)}</dd>`}
${ends !== undefined && html`<dt>Expected</dt><dd${evidence.forecast?.lateByMs !== undefined && html` class="over"`}>${ends}</dd>`}
${leftBehind.length > 0 && html`<dt>Left behind</dt><dd><ul>${leftBehind.map((one) => html`<li>${one}</li>`)}</ul></dd>`}
${missed !== '' && html`<dt>Not exercised</dt><dd>${missed}</dd>`}
${toDo !== undefined && html`<dt>To do</dt><dd class="do">${toDo}</dd>`}
</dl>`;
}

/** What this kind of run leaves out, and the phases that this one did not get to. */
function notExercisedWords(evidence: Evidence): string {
  const unreached =
    evidence.endedAt === undefined ? [] : evidence.phases.filter((phase) => phase.startedAt === undefined);
  return [
    ...(unreached.length > 0 ? [`${unreached.map((phase) => phase.name).join(', ')} (not reached in this run)`] : []),
    ...(evidence.notExercised.length > 0 ? [notExercisedSentence(evidence)] : []),
  ].join('; ');
}
