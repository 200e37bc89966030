/** What the old database holds that the recovered one does not: counts, and where the rows lie. Never a row. */
import type { Evidence } from '../../evidence.ts';
import { formatCount } from '../../format.ts';
import { csvMeaning, fileWords, type LedgerTable, ledgerSentence, ledgerSource } from '../../ledger.ts';
import { html, type Markup, prose } from './markup.ts';

export function ledgerSection({ ledger }: Evidence): Markup | undefined {
  if (ledger === undefined) return undefined;
  const { tables, counts = [], notes } = ledger;
  return html`<section aria-labelledby="ledger">
<h2 id="ledger">Lost writes</h2>
<p>${prose(ledgerSentence(ledger))}</p>
${
  tables.length > 0 &&
  html`<div class="scroll"><table>
<thead><tr><th scope="col">Table</th><th scope="col">Missing</th><th scope="col">Changed</th><th scope="col">New</th><th scope="col">Told apart by</th><th scope="col">Rows</th></tr></thead>
<tbody>${tables.map(rowOf)}</tbody>
</table></div>`
}
${
  counts.length > 0 &&
  html`<div class="scroll"><table>
<thead><tr><th scope="col">Table</th><th scope="col">Inserted</th><th scope="col">Updated</th><th scope="col">Deleted</th></tr></thead>
<tbody>${counts.map(({ table, inserted, updated, deleted }) => html`<tr><td class="name">${table}</td><td>${formatCount(inserted)}</td><td>${formatCount(updated)}</td><td>${formatCount(deleted)}</td></tr>`)}</tbody>
</table></div>`
}
<p class="how">${prose(ledgerSource(ledger))}</p>
${tables.some(({ file }) => file) && html`<p class="how">${csvMeaning}</p>`}
${tables.flatMap(({ table, notes: ofTable }) => ofTable.map((note) => html`<p class="how">Note on ${table}: ${prose(note)}</p>`))}
${notes.map((note) => html`<p class="how">Note: ${prose(note)}</p>`)}
</section>`;
}

function rowOf({ table, by, key = [], missing, changed, new: added, file }: LedgerTable): Markup {
  const told = by === 'primary key' ? `primary key (${key.join(', ')})` : by;
  const rows =
    file !== undefined &&
    html`${fileWords(file)}<br><code>${file.location}</code><br>sha256 <code>${file.sha256.slice(0, 16)}</code>`;
  return html`<tr><td class="name">${table}</td><td>${formatCount(missing)}</td><td>${by === 'whole rows' ? '' : formatCount(changed)}</td><td>${formatCount(added)}</td><td class="soft">${told}</td><td>${rows}</td></tr>`;
}
