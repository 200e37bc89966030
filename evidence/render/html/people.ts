/** What people were asked, what they said, and how long that took: for the auditor, and while it is open for whoever is asked. */
import { awaitedOf } from '../../asked.ts';
import type { Evidence } from '../../evidence.ts';
import { factsOf } from '../../facts.ts';
import { formatClock, formatDuration } from '../../format.ts';
import type { Approval, Click, Decision, Subject } from '../../people.ts';
import { commandWords, questionTitle, whenWords, whoWords } from '../asked.ts';
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
import type { Tone } from '../words.ts';
import { html, type Markup, prose } from './markup.ts';

/** Above everything else while somebody is waited for: what, who, until when, and what to type. */
export function waitsPanels(evidence: Evidence, at: string): Markup[] {
  return awaitedOf(evidence).map(
    (one, index) => html`<section class="failure warn" aria-labelledby="waits-${index}">
<h2 id="waits-${index}">${questionTitle(one)}: ${one.name}</h2>
<p>${whoWords(one)}; ${whenWords(one, new Date(at))}</p>
${factsOfOpen(evidence, one.id, one.code)}
${commandIn(commandWords(evidence.run, one))}
</section>`,
  );
}

function commandIn(words: string | undefined): Markup | undefined {
  return words === undefined ? undefined : html`<pre>${words}</pre>`;
}

function factsOfOpen({ approvals = [], decisions = [] }: Evidence, id: string, code: string): Markup | undefined {
  const approval = approvals.find((one) => one.id === id && one.code === code);
  if (approval !== undefined) {
    const { subject, shown } = factsOf(approval);
    return facts({ ...subject, ...shown });
  }
  const failure = decisions.find((one) => one.step === id && one.code === code)?.failure;
  return failure && html`<p class="lines"><b>${failure.type}</b>: ${prose(failure.message)}</p>`;
}

export function peopleSection(evidence: Evidence): Markup | undefined {
  if (!hasPeople(evidence)) return undefined;
  const { approvals = [], decisions = [], clicks = [] } = evidence;
  return html`<section aria-labelledby="people">
<h2 id="people">People</h2>
<p class="how">Started by ${requesterWords(evidence)}. An answer counts for exactly the facts that it was shown, by their SHA-256, and for that one asking, by its code.</p>
${approvals.map(approvalPart)}
${decisions.map(decisionPart)}
${abortPart(evidence)}
${clicks.length > 0 && html`<h3>Other messages</h3>${clicksTable(clicks)}`}
${postsPart(evidence)}
</section>`;
}

function heading({ glyph, tone }: { glyph: string; tone: Tone }, name: string, sentence: string): Markup {
  return html`<h3><span class="${tone}"><span class="glyph" aria-hidden="true">${glyph}</span></span> ${name} <span class="soft">${prose(sentence)}</span></h3>`;
}

function approvalPart(approval: Approval): Markup {
  const { name, hash, code, quorum, asked, clicks, openedAt } = approval;
  const { subject, shown } = factsOf(approval);
  const people = asked.map(({ group, since }, at) => (at === 0 ? group : `${group} from ${formatClock(since)}Z`));
  return html`<article class="asked">
${heading(approvalMark(approval), name, approvalSentence(approval))}
<p class="aside">Asked at ${formatClock(openedAt)}Z for ${quorum} of ${people.join(', then ')}, until ${formatClock(asked.at(-1)?.until ?? '')}Z. SHA-256 <code>${hash}</code>, code <code>${code}</code></p>
${facts(subject)}
${Object.keys(shown).length > 0 && html`<p class="aside">Shown besides, not bound to the answer:</p>${facts(shown)}`}
${clicks.length === 0 ? html`<p class="aside">Nobody has answered.</p>` : clicksTable(clicks)}
</article>`;
}

function decisionPart(decision: Decision): Markup {
  const { name, failure, openedAt, asked, offers, clicks } = decision;
  return html`<article class="asked">
${heading(decisionMark(decision), name, decisionSentence(decision))}
<p class="aside">Failed at ${formatClock(openedAt)}Z; asked ${asked.map(({ group }) => group).join(', then ')}: ${offers.join(', ')}?</p>
<p class="lines"><b>${failure.type}</b>: ${prose(failure.message)}</p>
${clicks.length > 0 && clicksTable(clicks)}
</article>`;
}

function facts(subject: Subject): Markup {
  return html`<div class="scroll"><table class="facts"><tbody>${Object.entries(subject).map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${prose(String(value))}</td></tr>`)}</tbody></table></div>`;
}

function clicksTable(clicks: readonly Click[]): Markup {
  return html`<div class="scroll"><table class="clicks">
<thead><tr><th scope="col">UTC</th><th scope="col">Who</th><th scope="col">Said</th><th scope="col">From</th><th scope="col" class="right">After</th></tr></thead>
<tbody>${clicks.map(clickRow)}</tbody>
</table></div>`;
}

function clickRow(click: Click): Markup {
  const { at, by, counted, said, signed, reason, latencyMs } = click;
  const mark = counted
    ? html`<span class="good"><span class="glyph" aria-hidden="true">✓</span><span class="hidden">counted: </span></span>`
    : html`<span class="${signed === 'forged' ? 'bad' : 'warn'}"><span class="glyph" aria-hidden="true">✗</span><span class="hidden">did not count: </span></span>`;
  return html`<tr><td class="time">${formatClock(at)}</td><td><b>${by}</b></td>
<td>${mark} ${saidWord(click)}${reason !== undefined && reason !== '' && html`: ${prose(`"${reason}"`)}`}<span class="meta">${prose(said)}</span></td>
<td>${channelWord(click)}<span class="meta">${signedWord(click)}</span></td>
<td class="right">${latencyMs === undefined ? '' : formatDuration(latencyMs)}</td></tr>`;
}

function abortPart({ aborted, notUndone = [], steps }: Evidence): Markup | undefined {
  if (aborted === undefined) return undefined;
  const { at, by, reason, stops, undoes, stays, code } = aborted;
  const states = new Map(steps.map(({ name, state }) => [name, state]));
  const became = (name: string) => (states.get(`Undo: ${name}`) === 'done' ? 'undone' : 'not undone');
  return html`<article class="asked">
${heading({ glyph: '■', tone: 'warn' }, 'Abort', `by ${by} at ${formatClock(at)}Z${reason === undefined ? '' : `: ${reason}`}`)}
<p class="aside">What it was to do was shown before it was confirmed, as <code>${code}</code>.</p>
${list('Stopped first', stops)}
${list(
  'To be undone, in this order',
  undoes.map(({ name }) => `${name} (${became(name)})`),
)}
${list(
  'Stays as it is',
  stays.map(({ name, why }) => `${name}: ${why}`),
)}
${list(
  'Not undone',
  notUndone.map(({ name, why }) => `${name}: ${why}`),
)}
</article>`;
}

function list(title: string, items: readonly string[]): Markup | undefined {
  if (items.length === 0) return undefined;
  return html`<p class="aside">${title}:</p><ol>${items.map((one) => html`<li>${prose(one)}</li>`)}</ol>`;
}

function postsPart(evidence: Evidence): Markup | undefined {
  const sentence = postsSentence(evidence);
  if (sentence === undefined) return undefined;
  const lost = undelivered(evidence);
  return html`<article class="asked"><h3>What people were told <span class="soft">${sentence}</span></h3>
${lost.length > 0 && html`<ul>${lost.map((one) => html`<li>${prose(undeliveredSentence(one))}</li>`)}</ul>`}</article>`;
}
