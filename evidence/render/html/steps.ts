/** Every step, as an auditor reads it: when, what was expected and found, by whom, in how many attempts. */
import type { Evidence, Step } from '../../evidence.ts';
import { formatClock, formatDate, formatDuration, formatNumberOf } from '../../format.ts';
import { waitSentence } from '../../waits.ts';
import { stepNumbers, totalSentence } from '../plan-of-action.ts';
import { expectedWord, groupTitle, kindWord, stateOf, stepsByGroup, tookMs } from '../words.ts';
import { html, type Markup, prose } from './markup.ts';

export function stepsSection(evidence: Evidence, at: string): Markup | undefined {
  if (evidence.steps.length === 0) return undefined;
  const dry = evidence.mode === 'dry-run';
  const numbers = stepNumbers(evidence);
  const when = (step: Step) => (dry ? String(numbers.get(step) ?? '') : formatClock(step.startedAt));
  return html`<section aria-labelledby="steps">
<h2 id="steps">${dry ? 'What would happen' : 'What happened'}</h2>
<p class="how">${dry ? html`Together: ${totalSentence(evidence)}.` : html`Times are UTC, ${formatDate(evidence.startedAt)}.`} A check or a proof only reads; a change says what it will do before it does it.</p>
<table class="steps">
<thead><tr><th scope="col">${dry ? '#' : 'UTC'}</th><th scope="col">Step</th><th scope="col">Found</th><th scope="col" class="right">${dry ? 'Takes' : 'Took'}</th></tr></thead>
${stepsByGroup(evidence).map(
  ({ group, steps }) => html`<tbody>
<tr class="group"><th colspan="4" scope="rowgroup">${groupTitle(group)}<span class="soft">${formatNumberOf(steps.length, 'step')}</span></th></tr>
${steps.map((step) => stepRow(step, when(step), evidence.steps.indexOf(step), at))}</tbody>`,
)}
</table>
</section>`;
}

function stepRow(step: Step, when: string, index: number, at: string): Markup {
  return html`<tr id="step-${index}">
<td class="time">${when}</td>
<td class="what">${step.name}<span class="meta">${metaOf(step)}</span></td>
<td>${found(step)}${step.log !== undefined && log(step.log, index)}</td>
<td class="right">${step.state === 'previewed' || step.state === 'listed' ? expectedWord(step) : formatDuration(tookMs(step, at))}</td>
</tr>
`;
}

function metaOf({ kind, attempts, workers }: Step): string {
  return [
    kindWord(kind),
    ...(attempts === undefined || attempts === 1 ? [] : [formatNumberOf(attempts, 'attempt')]),
    ...(workers === undefined || workers.length === 0 ? [] : [`by ${workers.join(', ')}`]),
  ].join(' · ');
}

function found(step: Step): Markup {
  const { glyph, word, tone } = stateOf(step);
  const mark = html`<span class="${tone}"><span class="glyph" aria-hidden="true">${glyph}</span><span class="hidden">${word}: </span></span>`;
  return html`<p class="lines">${mark} ${headOf(step)}</p>
${step.failure !== undefined && step.found !== undefined && html`<p class="aside">${prose(step.found)}</p>`}
${step.preview !== undefined && step.state !== 'previewed' && html`<p class="aside">previewed: ${prose(step.preview)}</p>`}
${step.expected !== undefined && html`<p class="aside">expected: ${prose(step.expected)}</p>`}
${step.waits !== undefined && html`<p class="aside">${prose(waitSentence(step) ?? '')}</p>`}
`;
}

function headOf(step: Step): Markup {
  if (step.failure !== undefined)
    return html`<span class="${step.state === 'failed' ? 'why' : ''}"><b>${step.failure.type}</b>: ${prose(step.failure.message)}</span>`;
  if (step.state === 'previewed') return html`would ${prose(step.preview ?? step.name)}`;
  return prose(step.found ?? stateOf(step).word);
}

function log({ host, path, lastLines }: NonNullable<Step['log']>, index: number): Markup {
  return html`<details id="log-${index}"><summary id="log-${index}-fold">Last ${formatNumberOf(lastLines.length, 'line')} of its log</summary><p class="aside">${host}: <code>${path}</code></p><pre>${lastLines.join('\n')}</pre></details>`;
}
