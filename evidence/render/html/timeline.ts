/** When everything happened, on one line of time. */
import type { Evidence, Step } from '../../evidence.ts';
import { formatDuration } from '../../format.ts';
import { groupTitle, stateOf, stepsByGroup, tookMs } from '../words.ts';
import { html, type Markup } from './markup.ts';
import { percent, place } from './picture.ts';

interface Span {
  fromMs: number;
  lengthMs: number;
  at: string;
  ticks: number[];
}

export function timelineSection(evidence: Evidence, at: string): Markup | undefined {
  // A dry run has done nothing that lasted.
  if (evidence.steps.length === 0 || evidence.mode === 'dry-run') return undefined;
  const lengthMs = Math.max(1, tookMs(evidence, at));
  const span: Span = { fromMs: Date.parse(evidence.startedAt), lengthMs, at, ticks: ticksOf(lengthMs) };
  return html`<section aria-labelledby="timeline">
<h2 id="timeline">Timeline</h2>
<p class="how">Every step from the first moment of the run. Nothing else was done.</p>
<div class="timeline">
<div class="axis" aria-hidden="true"><span></span><svg>${span.ticks.map((ms) => tick(ms, span))}</svg><span></span></div>
${stepsByGroup(evidence).map(({ group, steps }) => html`${groupRow(group, steps, span)}${steps.map((step) => stepRow(step, evidence.steps.indexOf(step), span))}`)}
</div>
</section>`;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const spacings = [
  0.1 * second,
  0.2 * second,
  0.5 * second,
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 4, 8, 12, 24, 48, 168].map((n) => n * hour),
];

function ticksOf(lengthMs: number): number[] {
  const spacing = spacings.find((one) => lengthMs / one <= 6) ?? lengthMs / 6;
  return Array.from({ length: Math.floor(lengthMs / spacing) + 1 }, (_, index) => index * spacing);
}

function tick(ms: number, { lengthMs }: Span): Markup {
  const anchor = ms === 0 ? 'start' : ms / lengthMs > 0.97 ? 'end' : 'middle';
  return html`<text x="${percent(ms / lengthMs)}" y="85%" text-anchor="${anchor}">${formatDuration(ms)}</text>`;
}

function grid({ ticks, lengthMs }: Span): Markup[] {
  return ticks.map(
    (ms) => html`<line class="grid" x1="${percent(ms / lengthMs)}" x2="${percent(ms / lengthMs)}" y1="0" y2="100%"/>`,
  );
}

function groupRow(group: Step['group'], steps: Step[], span: Span): Markup {
  const from = Math.min(...steps.map((step) => Date.parse(step.startedAt)));
  const until = Math.max(...steps.map((step) => Date.parse(step.endedAt ?? span.at)));
  const { x, width } = place(from - span.fromMs, Math.max(0, until - from), span.lengthMs);
  return html`<div class="row head"><span>${groupTitle(group)}</span><svg aria-hidden="true">${grid(span)}<rect x="${x}" width="${width}" y="35%" height="30%" rx="2"/></svg><span class="num"></span></div>`;
}

function stepRow(step: Step, index: number, span: Span): Markup {
  const { tone, word } = stateOf(step);
  const took = tookMs(step, span.at);
  // However short a step was, it is seen: SVG draws nothing of a bar without a width.
  const { x, width } = place(
    Date.parse(step.startedAt) - span.fromMs,
    Math.max(took, span.lengthMs / 1e4),
    span.lengthMs,
  );
  return html`<div class="row ${tone}${step.state === 'running' ? ' going' : ''}"><a class="step" href="#step-${index}" title="${step.name}">${step.name}</a><svg aria-hidden="true">${grid(span)}<rect class="step-bar" x="${x}" width="${width}" y="22%" height="56%" rx="2"/></svg><span class="num">${formatDuration(took)}<span class="hidden">, ${word}</span></span></div>`;
}
