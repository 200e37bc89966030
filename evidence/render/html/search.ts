/** Which transactions a search has found, and where to go back to. */
import type { Evidence } from '../../evidence.ts';
import { countSentence, findingSentence, namesOf, searchSentence, targetWords } from '../../search.ts';
import { html, type Markup, prose } from './markup.ts';

export function searchSection({ search }: Evidence): Markup | undefined {
  if (search === undefined) return undefined;
  const rows = search.findings.map(
    (one) =>
      html`<tr><td class="name">${prose(findingSentence(one))}</td><td><code>${one.target.lsn}</code>, ${targetWords(one)}</td><td>${one.at}</td><td class="soft">${namesOf(one)}</td></tr>`,
  );
  return html`<section aria-labelledby="search">
<h2 id="search">What the WAL shows</h2>
<p>${prose(countSentence(search))}</p>
${
  rows.length > 0 &&
  html`<div class="scroll"><table>
<thead><tr><th scope="col">Transaction</th><th scope="col">Target just before it</th><th scope="col">Committed</th><th scope="col">Named by</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>`
}
<p class="how">${prose(searchSentence(search))}</p>
${search.notes.map((note) => html`<p class="how">Note: ${prose(note)}</p>`)}
</section>`;
}
