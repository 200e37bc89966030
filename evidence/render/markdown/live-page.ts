/** The short page that the Temporal UI shows while a run goes on. */
import type { Evidence } from '../../evidence.ts';
import { formatClock, formatDuration } from '../../format.ts';
import { lastingForecast } from '../people-words.ts';
import { classWords } from '../promises.ts';
import { clipped, oneLine } from '../text.ts';
import {
  headline,
  measuredWord,
  phaseGlyphs,
  phaseState,
  phaseTitle,
  sentenceOf,
  stateOf,
  tookMs,
  verdictWord,
} from '../words.ts';
import { liveQuestions, scarce } from './live-asked.ts';
import { plain, table } from './marks.ts';

/** Temporal refuses details beyond 20,000 bytes; the payload adds some. */
const liveBytes = 15_000;

/** The live page of the Temporal UI: where the run is, the newest steps, what failed. */
export function renderLivePage(evidence: Evidence, { pagesUrl }: { pagesUrl?: string } = {}): string {
  for (const newest of [12, 6, 3, 1]) {
    const page = livePage(evidence, newest, pagesUrl);
    if (bytesOf(page) < liveBytes) return page;
  }
  const questions = liveQuestions(evidence, scarce).map((line) => `\n\n${line}`);
  return `**${verdictWord(evidence)}** ${plain(clipped(headline(evidence), 500))}${questions.join('')}\n${filler}`;
}

// The UI clips the last line of the page. It shows entities as they are written, and would drop a line that is empty.
const filler = '\n\u00a0\n\n\u00a0\n';

function livePage(evidence: Evidence, newest: number, pagesUrl?: string): string {
  const short = (text: string) => plain(clipped(oneLine(text), 300));
  const { failure, toDo, rto, rpo } = evidence;
  const ends = evidence.outcome === 'running' ? lastingForecast(evidence) : undefined;
  const lines = [
    `**${verdictWord(evidence)}** ${short(headline(evidence))}${reportLink(evidence, pagesUrl)}`,
    ...liveQuestions(evidence),
    ...(ends === undefined ? [] : [`Expected: ${short(ends)}`]),
    ...(failure === undefined ? [] : [`**${short(failure.type)}**: ${plain(clipped(oneLine(failure.message), 1000))}`]),
    ...(rto.valueMs === undefined && rpo.valueMs === undefined
      ? []
      : [
          `Time to recover **${measuredWord(rto.valueMs)}** of ${formatDuration(evidence.objectives.rtoMs)} · data lost **${measuredWord(rpo.valueMs)}** of ${formatDuration(evidence.objectives.rpoMs)}`,
          ...classWords(evidence, 'rto').map(({ text }) => `Time to recover, ${short(text)}`),
          ...classWords(evidence, 'rpo').map(({ text }) => `Data lost, ${short(text)}`),
        ]),
    table(
      ['', 'Phase', 'Started (UTC)', 'Budget ends', 'Took'],
      evidence.phases.map((phase) => [
        phaseGlyphs[phaseState(phase, evidence)],
        phaseTitle(phase.name),
        phase.startedAt === undefined ? '' : formatClock(phase.startedAt),
        phase.startedAt === undefined ? formatDuration(phase.budgetMs) : clockAfter(phase.startedAt, phase.budgetMs),
        phase.startedAt !== undefined && phase.endedAt !== undefined
          ? formatDuration(tookMs(phase, phase.endedAt))
          : '',
      ]),
    ),
    ...(evidence.steps.length === 0
      ? []
      : [
          table(
            ['UTC', 'Step', ''],
            evidence.steps
              .slice(-newest)
              .reverse()
              .map((step) => [
                formatClock(step.startedAt),
                short(step.name),
                `${stateOf(step).glyph} ${short(sentenceOf(step))}`,
              ]),
          ),
        ]),
    ...(toDo === undefined ? [] : [`To do: ${short(toDo)}`]),
  ];
  return `${lines.join('\n\n')}\n${filler}`;
}

/** On the first line: whoever opens this page wants the report, and the UI shows little of a long page. */
function reportLink({ run }: Evidence, pagesUrl: string | undefined): string {
  return pagesUrl === undefined ? '' : ` · [Report](<${reportAddress(run, pagesUrl)}>)`;
}

/** Of a run's report on the pages that lifeboat-pages serves. */
export function reportAddress(run: string, pagesUrl: string): string {
  return `${encodeURI(pagesUrl.replace(/\/+$/, ''))}/runs/${encodeURIComponent(oneLine(run))}`;
}

function clockAfter(at: string, ms: number): string {
  const time = Date.parse(at) + ms;
  return Number.isFinite(time) ? formatClock(new Date(time).toISOString()) : '';
}

/** Length in UTF-8; the workflow sandbox has no Buffer. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
