/** The phases, each against its own budget. */
import type { Evidence, PhaseRecord } from '../../evidence.ts';
import { formatDuration } from '../../format.ts';
import {
  type PhaseState,
  phaseGlyphs,
  phaseNumber,
  phaseSpan,
  phaseState,
  phaseTitle,
  type Tone,
  tookMs,
} from '../words.ts';
import { html, type Markup } from './markup.ts';
import { budgetTrack, type Part, place } from './picture.ts';

const tones: Record<PhaseState, Tone> = {
  waiting: 'calm',
  running: 'calm',
  previewed: 'calm',
  done: 'good',
  failed: 'bad',
  stopped: 'warn',
};
const words: Record<PhaseState, string> = {
  waiting: 'not started',
  running: 'running',
  previewed: 'previewed',
  done: 'done',
  failed: 'failed',
  stopped: 'stopped',
};

export function phasesSection(evidence: Evidence, at: string): Markup {
  return evidence.mode === 'dry-run' ? allowedSection(evidence) : usedSection(evidence, at);
}

/** A dry run uses no time worth showing: what the plan allows, one phase after another. */
function allowedSection(evidence: Evidence): Markup {
  const budgets = evidence.phases.map((phase) => phase.budgetMs);
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  const total = Math.max(1, sum(budgets));
  const track = (index: number) => {
    const { x, width } = place(sum(budgets.slice(0, index)), budgets[index] ?? 0, total);
    return html`<svg class="track" aria-hidden="true"><rect class="allowed" x="${x}" width="${width}" height="100%"/></svg>`;
  };
  return html`<section aria-labelledby="phases">
<h2 id="phases">The time that the plan allows</h2>
<p class="how">One phase after another: ${formatDuration(total)} together.</p>
${evidence.phases.map((phase, index) => phaseRow(phase, evidence, evidence.startedAt, track(index)))}
</section>`;
}

function usedSection(evidence: Evidence, at: string): Markup {
  const used = {
    retries: evidence.phases.some((phase) => phase.retriesMs > 0),
    people: evidence.phases.some((phase) => phase.peopleMs > 0),
  };
  return html`<section aria-labelledby="phases">
<h2 id="phases">Phases against their budgets</h2>
<ul class="legend"><li>${key('machine')}machine at work</li>${used.retries && html`<li>${key('retries')}tried again</li>`}${used.people && html`<li>${key('people')}waiting for people</li>`}<li>${key('budget')}budget</li></ul>
${evidence.phases.map((phase) => phaseRow(phase, evidence, at, usedTrack(phase, evidence, at)))}
</section>`;
}

function key(name: string): Markup {
  return name === 'budget'
    ? html`<svg class="track" aria-hidden="true"></svg>`
    : html`<svg aria-hidden="true"><rect class="${name}" width="100%" height="100%"/></svg>`;
}

function usedTrack(phase: PhaseRecord, evidence: Evidence, at: string): Markup {
  if (phase.startedAt === undefined) return html`<svg class="track none" aria-hidden="true"></svg>`;
  const going = phaseState(phase, evidence) === 'running';
  return budgetTrack(partsOf(phase, evidence, at), phase.budgetMs, going);
}

function phaseRow(phase: PhaseRecord, evidence: Evidence, at: string, track: Markup): Markup {
  const state = phaseState(phase, evidence);
  return html`<div class="phase">
<p class="name"><span class="soft">${phaseNumber(phase.name, evidence)}</span>${phaseTitle(phase.name)}</p>
${track}
<p class="num">${phaseSpan(phase, evidence, at)} <span class="${tones[state]}"><span class="glyph" aria-hidden="true">${phaseGlyphs[state]}</span><span class="hidden">${words[state]}</span></span></p>
${noteOf(phase, evidence, at)}
</div>`;
}

function noteOf(phase: PhaseRecord, evidence: Evidence, at: string): Markup | undefined {
  const over = tookMs(phase, evidence.endedAt ?? at) - phase.budgetMs;
  const notes = [
    ...(phase.note === undefined ? [] : [phase.note]),
    ...(over > 0 ? [`${formatDuration(over)} beyond its budget`] : []),
    ...(phase.peopleMs > 0 ? [`${formatDuration(phase.peopleMs)} waiting for people`] : []),
    ...(phase.retriesMs > 0 ? [`${formatDuration(phase.retriesMs)} in attempts that failed`] : []),
  ];
  return notes.length === 0 ? undefined : html`<p class="note">${notes.join(' · ')}</p>`;
}

/** What a phase's time was spent on. Steps side by side may each wait or retry: together not longer than the phase took. */
function partsOf(phase: PhaseRecord, evidence: Evidence, at: string): Part[] {
  const total = tookMs(phase, evidence.endedAt ?? at);
  const people = Math.min(phase.peopleMs, total);
  const retries = Math.min(phase.retriesMs, total - people);
  return [
    { name: 'machine', ms: total - people - retries },
    { name: 'retries', ms: retries },
    { name: 'people', ms: people },
  ];
}
