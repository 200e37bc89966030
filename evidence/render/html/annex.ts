/** For the auditor: what was compared, with what, how each number was measured, and what this record is a record of. */
import type { Evidence } from '../../evidence.ts';
import { formatBytes, formatCount, formatMoment } from '../../format.ts';
import { requesterWords } from '../people-words.ts';
import { promisesSentence } from '../promises.ts';
import { equalitySentence, valueWord } from '../words.ts';
import { html, type Markup, prose } from './markup.ts';

export function equalitySection(evidence: Evidence): Markup | undefined {
  const { equality } = evidence;
  if (equality === undefined) return undefined;
  return html`<section aria-labelledby="equality">
<h2 id="equality">Data compared with the anchor</h2>
<p class="how">An anchor is a point at which the content is known. Here: ${prose(equalitySentence(evidence))}. Beyond it, pulses, assertions and constraints speak for the data. A fingerprint is the sum of hash_record_extended(row, 0) over all rows.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Table</th><th scope="col">Result</th><th scope="col" class="right">Rows</th><th scope="col" class="right">Rows expected</th><th scope="col">Fingerprint</th></tr></thead>
<tbody>${equality.tables.map(
    (table) =>
      html`<tr><td>${table.table}</td><td class="${table.equal ? 'good' : 'bad'}"><span class="glyph">${table.equal ? '✓ equal' : '✗ differs'}</span></td><td class="right">${formatCount(table.rows)}</td><td class="right">${table.expectedRows === undefined ? '' : formatCount(table.expectedRows)}</td><td><code>${table.fingerprint}</code></td></tr>`,
  )}</tbody>
</table></div>
</section>`;
}

export function measurementsSection({ measurements }: Evidence): Markup | undefined {
  if (measurements.length === 0) return undefined;
  return html`<section aria-labelledby="measurements">
<h2 id="measurements">Measurements</h2>
<p class="how">Each with how it was measured.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">What</th><th scope="col" class="right">Value</th><th scope="col">How</th></tr></thead>
<tbody>${measurements.map((one) => html`<tr><td class="name">${one.name}</td><td class="right">${valueWord(one)}</td><td class="soft">${prose(one.how)}</td></tr>`)}</tbody>
</table></div>
</section>`;
}

type Fact = [name: string, value: Markup | undefined];

export function recordSection(evidence: Evidence, sha256?: string): Markup {
  return html`<section aria-labelledby="record">
<h2 id="record">Record</h2>
<div class="scroll"><table class="facts"><tbody>${[...restored(evidence), ...recordOf(evidence, sha256)].map(([name, value]) => value && html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>
</section>`;
}

function restored(evidence: Evidence): Fact[] {
  const { backup, target, incidentAt, isolatedOn, mode } = evidence;
  return [
    ['Promised', html`${promisesSentence(evidence)}`],
    [
      'Backup',
      backup &&
        html`<code>${backup.label}</code>, ${backup.type}, ended ${formatMoment(backup.stoppedAt)}, ${formatBytes(backup.bytes)}`,
    ],
    [
      'Target',
      target &&
        html`<code>${target.lsn}</code>, timeline ${target.timeline}${target.at !== undefined && `, ${target.at}`}, ${target.chosenBy === 'archive' ? 'the newest point that the archive held' : 'chosen by a person'}`,
    ],
    [
      mode === 'live' ? 'Start of the incident' : 'Pretended disaster',
      incidentAt === undefined ? undefined : html`${incidentAt}, on the database's clock`,
    ],
    ['Isolated on', isolatedOn === undefined ? undefined : html`${isolatedOn}`],
  ];
}

function recordOf(evidence: Evidence, sha256: string | undefined): Fact[] {
  return [
    ['Run', html`${evidence.run}, execution <code>${evidence.runId}</code>`],
    ['Runbook', html`${evidence.runbook}, ${evidence.mode}, for ${evidence.service}`],
    ['Requested by', html`${requesterWords(evidence)}`],
    ['Started', html`${evidence.startedAt}`],
    ['Ended', html`${evidence.endedAt ?? 'still running'}`],
    ['Plan', html`${evidence.plan.file}<br>sha256 <code>${evidence.plan.sha256}</code>`],
    ['Input', html`<pre>${JSON.stringify(evidence.input, undefined, 2)}</pre>`],
    ['Evidence', sha256 === undefined ? undefined : html`sha256 <code>${sha256}</code>`],
    ['Written by', html`Lifeboat ${evidence.lifeboatVersion}, ${evidence.schema}`],
  ];
}
