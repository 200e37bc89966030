/** The report as one self-contained page: a manager's ten seconds first, the auditor's evidence below. The live view is the same page. */
import type { Evidence } from '../evidence.ts';
import { seenAt } from '../seen-at.ts';
import { equalitySection, measurementsSection, recordSection } from './html/annex.ts';
import { cards } from './html/cards.ts';
import { ledgerSection } from './html/ledger.ts';
import { html } from './html/markup.ts';
import { page } from './html/page.ts';
import { peopleSection, waitsPanels } from './html/people.ts';
import { phasesSection } from './html/phases.ts';
import { searchSection } from './html/search.ts';
import { stepsSection } from './html/steps.ts';
import { failurePanel, remarks, verdict } from './html/summary.ts';
import { timelineSection } from './html/timeline.ts';
import { asOf, headline, verdictWord } from './words.ts';

export interface HtmlOptions {
  /** Follow the run while it goes on; without it the page has no script. */
  live?: boolean;
  /** The time at which it is rendered, so that a run that goes on shows how long it has. */
  now?: string;
  /** What lies beside this page. */
  links?: { runs?: string; engine?: string; json?: string; markdown?: string };
  /** Of the stored evidence, hex. */
  sha256?: string;
}

const refreshMs = 2000;

const linkTexts = { runs: 'All runs', engine: 'Engine room', json: 'JSON', markdown: 'Markdown' } as const;

/** Renders every state of a run: running, ended well or badly, previewed. All text of the evidence is escaped. */
export function renderHtml(known: Evidence, { live = false, now, links = {}, sha256 }: HtmlOptions = {}): string {
  const at = asOf(known, now);
  const evidence = seenAt(known, at);
  const main = html`${verdict(evidence)}
${waitsPanels(evidence, at)}
${failurePanel(evidence)}
${searchSection(evidence)}
${cards(evidence, at)}
${remarks(evidence, at)}
${phasesSection(evidence, at)}
${peopleSection(evidence)}
${ledgerSection(evidence)}
${timelineSection(evidence, at)}
${stepsSection(evidence, at)}
${equalitySection(evidence)}
${measurementsSection(evidence)}
${recordSection(evidence, sha256)}`;
  return page({
    title: `${verdictWord(evidence)}: ${headline(evidence)} (${evidence.run})`,
    about: html`<b>Lifeboat</b> · ${evidence.service}`,
    links: (['runs', 'engine', 'json', 'markdown'] as const).flatMap((name) => {
      const href = links[name];
      return href === undefined ? [] : [{ href, text: linkTexts[name] }];
    }),
    main,
    footer: html`<p>Each number says how it was measured. Plan ${evidence.plan.sha256.slice(0, 8)} · Lifeboat ${evidence.lifeboatVersion}</p>`,
    ...(live && evidence.outcome === 'running' ? { refreshMs } : {}),
  });
}
