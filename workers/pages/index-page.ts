/** The first page: whether each service could be recovered, and all its runs. */
import type { Awaited } from '../../evidence/asked.ts';
import { formatDuration, formatMoment } from '../../evidence/format.ts';
import { html, type Markup } from '../../evidence/render/html/markup.ts';
import { page } from '../../evidence/render/html/page.ts';
import { flagsInWords, toneOf, verdictWord } from '../../evidence/render/words.ts';
import type { Ledger, ListedRun } from './ledger.ts';
import type { Readiness } from './readiness.ts';

const refreshMs = 5000;

export function indexPage({ readiness, runs, notes }: Ledger, now: Date, engineUrl: string | undefined): string {
  return page({
    title: 'Lifeboat: runs and readiness',
    about: html`<b>Lifeboat</b> · runs and readiness`,
    links: engineUrl === undefined ? [] : [{ href: engineUrl, text: 'Engine room' }],
    main: html`<h1 class="page">Could we recover?</h1>
${notes.map((note) => html`<p class="notice lines">${note}</p>`)}
${readiness.length === 0 ? html`<p class="soft">No service is known yet: a plan in LIFEBOAT_PLANS, or a first run, makes one known.</p>` : html`<div class="cards few">${readiness.map((one) => readinessCard(one))}</div>`}
<section aria-labelledby="runs">
<h2 id="runs">Runs</h2>
${runs.length === 0 ? html`<p class="how">None so far. The first one: lifeboat drill</p>` : runsTable(runs, now)}
</section>`,
    footer: html`<p>As of ${formatMoment(now.toISOString())}. This server only reads.</p>`,
    refreshMs,
  });
}

function readinessCard(readiness: Readiness): Markup {
  const { service, tone, proven, failedSince, troubles, next } = readiness;
  const big =
    proven === undefined
      ? 'never proven'
      : failedSince !== undefined
        ? 'not proven'
        : `proven ${formatDuration(coarse(proven.ageMs))} ago`;
  return html`<section class="card ${tone}"><h2>${service}</h2>
<p class="big words-only"><span class="glyph" aria-hidden="true">${glyphs[tone]}</span> ${big}</p>
${failedSince !== undefined && html`<p class="over">the newest drill did not succeed: ${runLink(failedSince.run)}, ${formatMoment(failedSince.at)}</p>`}
${troubles.map((trouble) => html`<p class="over">${trouble}</p>`)}
${proven !== undefined && html`<p class="how">last proven by ${runLink(proven.run)}, ${formatMoment(proven.at)}${inParentheses(flagsInWords({ outcome: 'proven', flags: proven.flags }))}</p><p class="how">${proven.sketchy ? 'what it measured is in its evidence, which the store has not shown yet' : `RTO ${measured(proven.rtoMs)} · RPO ${measured(proven.rpoMs)}`}</p>`}
<p class="how">${next === undefined ? 'no schedule is known here' : html`next drill in the plan: ${formatMoment(next)}`}</p>
</section>`;
}

const glyphs = { good: '✓', warn: '!', bad: '✗', calm: '…' } as const;

function coarse(ms: number): number {
  const minute = 60_000;
  return ms < minute ? ms : Math.floor(ms / minute) * minute;
}

function measured(ms: number | undefined): string {
  return ms === undefined ? 'not measured' : formatDuration(ms);
}

function inParentheses(words: readonly string[]): string {
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

export function runPath(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}

function runLink(run: string): Markup {
  return html`<a href="${runPath(run)}">${run}</a>`;
}

function runsTable(runs: readonly ListedRun[], now: Date): Markup {
  return html`<div class="scroll"><table class="runs">
<thead><tr><th scope="col">Outcome</th><th scope="col">Run</th><th scope="col">Service</th><th scope="col">Runbook</th><th scope="col">Started</th><th scope="col" class="right">Took</th><th scope="col" class="right">RTO</th><th scope="col" class="right">RPO</th></tr></thead>
<tbody>${runs.map((run) => runRow(run, now))}</tbody>
</table></div>`;
}

function runRow(run: ListedRun, now: Date): Markup {
  const took = Date.parse(run.endedAt ?? now.toISOString()) - Date.parse(run.startedAt);
  const beside = run.outcome === 'running' && run.phase !== undefined ? [run.phase] : flagsInWords(run);
  return html`<tr>
<td><span class="${toneOf(run)}"><span class="pill word">${verdictWord(run)}</span></span>${beside.length > 0 && html`<span class="meta">${beside.join(', ')}</span>`}</td>
<td>${runLink(run.run)}${run.awaits?.map(awaitedLine)}</td><td>${run.service ?? ''}</td><td>${run.runbook}${run.mode === 'dry-run' && html`<span class="meta">${run.mode}</span>`}</td>
<td class="time">${formatMoment(run.startedAt)}</td>${number('took', Math.max(0, took))}${number('RTO', run.rtoMs)}${number('RPO', run.rpoMs)}
</tr>
`;
}

/** `waits for ana, ben: approval of the switchover` */
function awaitedLine({ kind, name, waitsFor, until, agreed }: Awaited): Markup {
  if (agreed) return html`<span class="meta">approved, and its facts are read once more: ${name}</span>`;
  const what = kind === 'approval' ? name : `a decision about "${name}"`;
  return html`<span class="meta">waits for ${waitsFor.join(', ') || 'nobody who is left'}: ${what}, until ${formatMoment(until)}</span>`;
}

/** Where the table is too wide for the screen, its columns have no heading: then the name stands beside the number. */
function number(name: string, ms: number | undefined): Markup {
  return html`<td class="right" data-name="${name}">${ms === undefined ? '' : formatDuration(ms)}</td>`;
}
