/** The numbers of the first screen, each on a card with what was promised and how it was measured. */
import { anyBeyond } from '../../classes.ts';
import type { Evidence, Measured } from '../../evidence.ts';
import { formatBytes, formatDuration, formatNumberOf } from '../../format.ts';
import { equalityProven, partsOf, type Split, splitOf } from '../../outcome.ts';
import { totalOf } from '../plan-of-action.ts';
import { type ClassWord, classWords, overWord } from '../promises.ts';
import { equalitySentence, measuredWord, type Tone, tookMs, valueWord } from '../words.ts';
import { html, type Markup, prose } from './markup.ts';
import { objectiveBar } from './picture.ts';

export function cards(evidence: Evidence, at: string): Markup {
  return html`<div class="cards">${cardsOf(evidence, at)}</div>`;
}

function cardsOf(evidence: Evidence, at: string): Markup[] {
  if (evidence.mode === 'dry-run') return dryRunCards(evidence);
  if (!evidence.phases.some((phase) => phase.name === 'validation'))
    return [tookCard(evidence, at), ...peopleCards(evidence), ...recordCards(evidence)];
  return [recoveryCard(evidence, at), lossCard(evidence), equalityCard(evidence)];
}

interface Card {
  title: string;
  big: string;
  small?: string;
  bar?: Markup;
  over?: string;
  /** Promises for classes of data. */
  classes?: ClassWord[];
  how: (string | Markup | undefined)[];
}

function card({ title, big, small, bar, over, classes = [], how }: Card): Markup {
  return html`<section class="card"><h2>${title}</h2>
<p class="big${/\d/.test(big) ? '' : ' words-only'}">${big}${small !== undefined && html` <small>${small}</small>`}</p>
${bar}
${over !== undefined && over !== '' && html`<p class="over">${over}</p>`}
${classes.map(classLine)}
${how.filter((one) => one !== undefined).map((one) => html`<p class="how">${typeof one === 'string' ? prose(one) : one}</p>`)}</section>`;
}

function classLine({ text, state }: ClassWord): Markup {
  if (state === 'missed') return html`<p class="over">${text}</p>`;
  return html`<p class="kept">${state === 'kept' && html`<span class="good"><span class="glyph" aria-hidden="true">✓</span></span> `}${text}</p>`;
}

function allowed(ms: number): string {
  return `of ${formatDuration(ms)} allowed`;
}

/** Why nothing was measured, where that is so; the number stands above it. */
function hows({ valueMs, how }: Measured): string[] {
  if (valueMs !== undefined) return [how];
  const why = how.replace(/^not measured(: | yet)/, '');
  return why === '' ? [] : [why];
}

function promised({ valueMs }: Measured, ms: number): string {
  return valueMs === undefined ? `${formatDuration(ms)} allowed` : allowed(ms);
}

function toneFor(evidence: Evidence, of: 'rto' | 'rpo'): Tone {
  return anyBeyond(evidence, of) ? 'bad' : 'good';
}

function recoveryCard(evidence: Evidence, at: string): Markup {
  const { rto, objectives, outcome } = evidence;
  const title = 'Time to recover';
  if (outcome === 'running' && rto.valueMs === undefined) {
    const ms = tookMs({ startedAt: evidence.startedAt }, at);
    const bar = objectiveBar(ms / objectives.rtoMs, ms > objectives.rtoMs ? 'bad' : 'calm');
    return card({
      title,
      big: formatDuration(ms),
      small: `so far, ${allowed(objectives.rtoMs)}`,
      bar,
      classes: classWords(evidence, 'rto'),
      how: ['the clock stops when validation has passed'],
    });
  }
  return card({
    title,
    big: measuredWord(rto.valueMs),
    small: promised(rto, objectives.rtoMs),
    bar: objectiveBar((rto.valueMs ?? 0) / objectives.rtoMs, toneFor(evidence, 'rto')),
    over: overWord(rto),
    classes: classWords(evidence, 'rto'),
    how: [splitLine(splitOf(evidence)), ...hows(rto)],
  });
}

function splitLine(split: Split | undefined): Markup | undefined {
  if (split === undefined) return undefined;
  const parts = [
    `machine ${formatDuration(split.machineMs)}`,
    `people ${formatDuration(split.peopleMs)}`,
    `retries ${formatDuration(split.retriesMs)}`,
  ];
  return html`${parts.map((part, index) => html`${index > 0 && ' · '}<span class="whole">${part}</span>`)}`;
}

function lossCard(evidence: Evidence): Markup {
  const { rpo, objectives, mode, outcome } = evidence;
  const yet = rpo.valueMs === undefined && outcome === 'running';
  return card({
    title: mode === 'live' ? 'Data lost' : 'Data that would be lost',
    big: yet ? 'not yet measured' : measuredWord(rpo.valueMs),
    small: promised(rpo, objectives.rpoMs),
    bar: objectiveBar((rpo.valueMs ?? 0) / objectives.rpoMs, toneFor(evidence, 'rpo')),
    over: overWord(rpo),
    classes: classWords(evidence, 'rpo'),
    how: hows(rpo),
  });
}

function equalityCard(evidence: Evidence): Markup {
  const tables = evidence.equality?.tables ?? [];
  const equal = tables.filter((table) => table.equal).length;
  const tone = equalityProven(evidence) ? 'good' : 'bad';
  const going = evidence.outcome === 'running' && evidence.equality === undefined;
  return card({
    title: 'Data proven equal',
    big: going ? 'not yet compared' : tables.length === 0 ? 'not proven' : `${equal} of ${tables.length}`,
    small: tables.length === 0 ? 'the critical tables' : 'critical tables',
    bar: objectiveBar(tables.length === 0 ? 0 : equal / tables.length, tone),
    how: [going ? 'compared when replay pauses at the anchor' : equalitySentence(evidence)],
  });
}

function tookCard(evidence: Evidence, at: string): Markup {
  const budgetMs = evidence.phases.reduce((sum, phase) => sum + phase.budgetMs, 0);
  const ms = tookMs(evidence, at);
  const bar = objectiveBar(ms / budgetMs, ms > budgetMs ? 'bad' : 'good');
  const split = partsOf(ms, evidence.phases);
  return card({
    title: 'Took',
    big: formatDuration(ms),
    small: allowed(budgetMs),
    bar,
    how: [
      split.peopleMs + split.retriesMs > 0 ? splitLine(split) : undefined,
      'from its start to its end; the budgets of its phases together',
    ],
  });
}

/** How long people took, where they were asked. */
function peopleCards({ approvals = [], decisions = [], phases }: Evidence): Markup[] {
  if (approvals.length + decisions.length === 0) return [];
  const asked = [
    ...(approvals.length === 0 ? [] : [formatNumberOf(approvals.length, 'approval')]),
    ...(decisions.length === 0 ? [] : [formatNumberOf(decisions.length, 'decision')]),
  ];
  const ms = phases.reduce((sum, { peopleMs }) => sum + peopleMs, 0);
  return [
    card({
      title: 'Waiting for people',
      big: formatDuration(ms),
      small: asked.join(', '),
      how: ['counted apart from machine time; questions that were open side by side count once'],
    }),
  ];
}

function recordCards({ backup, measurements, outcome, runbook }: Evidence): Markup[] {
  const last = measurements.at(-1);
  const none = outcome === 'running' ? 'not yet taken' : 'none';
  return [
    ...(backup === undefined
      ? runbook === 'backup'
        ? [card({ title: 'Backup', big: none, how: [] })]
        : []
      : [
          card({
            title: 'Backup',
            big: formatBytes(backup.bytes),
            small: backup.type,
            how: [backup.label, 'size of the database once restored'],
          }),
        ]),
    ...(last === undefined ? [] : [card({ title: capital(last.name), big: valueWord(last), how: [last.how] })]),
  ];
}

function dryRunCards(evidence: Evidence): Markup[] {
  const { checks, passed, changes, approvals, proofs, takesMs, untold } = totalOf(evidence);
  const { rtoMs } = evidence.objectives;
  const asks = approvals === 0 ? '' : `, and asks people ${approvals === 1 ? 'once' : `${approvals} times`}`;
  return [
    card({
      title: 'Checks that pass',
      big: `${passed} of ${checks}`,
      bar: objectiveBar(checks === 0 ? 0 : passed / checks, passed === checks ? 'good' : 'bad'),
      how: ['read from the estate as it is now'],
    }),
    card({
      title: 'What it would do',
      big: formatNumberOf(changes, 'change'),
      how: [`and ${formatNumberOf(proofs, 'proof')} of what they made${asks}; none was done in this run`],
    }),
    untold === changes
      ? card({
          title: 'Time it may take',
          big: formatDuration(rtoMs),
          how: ['the recovery time objective; the phases have their budgets below'],
        })
      : card({
          title: 'Time it would take',
          big: `about ${formatDuration(takesMs)}`,
          small: allowed(rtoMs),
          how: [
            `what its changes expect to take, one after another${untold === 0 ? '' : `; ${untold} of ${changes} cannot tell`}; without the time that people take`,
          ],
        }),
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
