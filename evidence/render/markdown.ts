/** Markdown (CommonMark with GitHub's tables): the full report, and the short page that the Temporal UI shows while a run goes on. */
import type { Evidence, Step } from '../evidence.ts';
import { formatBytes, formatClock, formatCount, formatDuration, formatMoment } from '../format.ts';
import { splitOf } from '../outcome.ts';
import { clipped, oneLine, visible } from './text.ts';
import {
  asOf,
  equalitySentence,
  flagWord,
  groupTitle,
  headline,
  kindWord,
  measuredWord,
  notExercisedSentence,
  outcomeWord,
  overWord,
  phaseGlyphs,
  phaseSpan,
  phaseState,
  phaseTitle,
  sentenceOf,
  stateOf,
  stepsByGroup,
  subtitle,
  tookMs,
  valueWord,
} from './words.ts';

/** Text in a line or a cell of a table: what Markdown or HTML would read as markup is shown instead. */
function plain(text: string): string {
  return oneLine(text)
    .replace(/[\\`*_{}[\]<>()#+!|~&$]/g, (mark) => `\\${mark}`)
    .replace(/(https?):/g, '$1&#58;')
    .replace(/@/g, '&#64;');
}

/** A code span that its own text cannot end. */
function code(text: string): string {
  const clean = oneLine(text).replace(/\|/g, '\\|');
  const longest = Math.max(0, ...[...clean.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const space = clean === '' || clean.startsWith('`') || clean.endsWith('`') ? ' ' : '';
  return `${fence}${space}${clean}${space}${fence}`;
}

/** A block of lines that its own text cannot end. */
function block(text: string, language = ''): string {
  const clean = visible(text);
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${clean}\n${fence}`;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** The whole report. */
export function renderMarkdown(evidence: Evidence): string {
  const sections = [
    `# ${outcomeWord(evidence.outcome)}: ${plain(headline(evidence))}`,
    subtitle(evidence).map(plain).join(' · '),
    ...failureSection(evidence),
    numbers(evidence),
    ...remarks(evidence),
    '## Phases against their budgets',
    phaseTable(evidence),
    '## What happened',
    ...stepSections(evidence),
    ...equalitySection(evidence),
    ...measurementSection(evidence),
    '## Record',
    record(evidence),
  ];
  return `${sections.join('\n\n')}\n`;
}

function failureSection(evidence: Evidence): string[] {
  const { failure } = evidence;
  if (failure === undefined) return [];
  return [`> **${plain(failure.type)}**: ${plain(failure.message)}`];
}

function numbers(evidence: Evidence): string {
  const split = splitOf(evidence);
  const parts =
    split === undefined
      ? ''
      : `machine ${formatDuration(split.machineMs)}, people ${formatDuration(split.peopleMs)}, retries ${formatDuration(split.retriesMs)}; `;
  const { rto, rpo, objectives } = evidence;
  return table(
    ['', 'Measured', 'Objective', 'How'],
    [
      [
        'Time to recover',
        `**${measuredWord(rto.valueMs)}** ${overWord(rto)}`.trim(),
        formatDuration(objectives.rtoMs),
        plain(parts + rto.how),
      ],
      [
        'Data lost',
        `**${measuredWord(rpo.valueMs)}** ${overWord(rpo)}`.trim(),
        formatDuration(objectives.rpoMs),
        plain(rpo.how),
      ],
      ['Equality', `**${equalTables(evidence)}**`, 'all critical tables', plain(equalitySentence(evidence))],
    ],
  );
}

function equalTables({ equality }: Evidence): string {
  if (equality === undefined) return 'not proven';
  return `${equality.tables.filter((one) => one.equal).length} of ${equality.tables.length}`;
}

function remarks(evidence: Evidence): string[] {
  const { flags, leftBehind, notExercised, toDo } = evidence;
  return [
    ...(flags.length > 0 ? [`**To be said:** ${flags.map(flagWord).join(', ')}`] : []),
    ...(leftBehind.length > 0 ? [['**Left behind:**', ...leftBehind.map((one) => `- ${plain(one)}`)].join('\n')] : []),
    ...(notExercised.length > 0 ? [`**Not exercised:** ${plain(notExercisedSentence(evidence))}`] : []),
    ...(toDo === undefined ? [] : [`**To do:** ${plain(toDo)}`]),
  ];
}

function phaseTable(evidence: Evidence, now?: string): string {
  const at = asOf(evidence, now);
  return table(
    ['', 'Phase', 'Time', 'People', 'Retries', ''],
    evidence.phases.map((phase) => [
      phaseGlyphs[phaseState(phase, evidence)],
      phaseTitle(phase.name),
      phaseSpan(phase, evidence, at),
      phase.peopleMs > 0 ? formatDuration(phase.peopleMs) : '',
      phase.retriesMs > 0 ? formatDuration(phase.retriesMs) : '',
      plain(phase.note ?? ''),
    ]),
  );
}

function stepSections(evidence: Evidence): string[] {
  const at = asOf(evidence);
  return stepsByGroup(evidence.steps).flatMap(({ group, steps }) => [
    `### ${groupTitle(group)}`,
    table(
      ['UTC', 'Step', 'Found', 'Expected', 'Took', 'Attempts', 'Worker'],
      steps.map((step) => [
        formatClock(step.startedAt),
        `${plain(step.name)} (${kindWord(step.kind)})`,
        `${stateOf(step).glyph} ${plain(foundOf(step))}`,
        plain(step.expected ?? ''),
        formatDuration(tookMs(step, at)),
        step.attempts === undefined ? '' : formatCount(step.attempts),
        plain((step.workers ?? []).join(', ')),
      ]),
    ),
    ...steps.filter((step) => step.log !== undefined).map(logOf),
  ]);
}

function foundOf(step: Step): string {
  const done = step.found ?? stateOf(step).word;
  const words = step.failure === undefined ? done : `${step.failure.type}: ${step.failure.message}`;
  return step.preview === undefined ? words : `${words} (would ${step.preview})`;
}

function logOf(step: Step): string {
  if (step.log === undefined) return '';
  return `Log of "${plain(step.name)}" on ${plain(step.log.host)}, ${code(step.log.path)}:\n\n${block(step.log.lastLines.join('\n'))}`;
}

function equalitySection(evidence: Evidence): string[] {
  const { equality } = evidence;
  if (equality === undefined) return [];
  return [
    '## Data compared with the anchor',
    plain(equalitySentence(evidence)),
    table(
      ['', 'Table', 'Rows', 'Expected rows', 'Fingerprint'],
      equality.tables.map((one) => [
        one.equal ? '✓ equal' : '✗ differs',
        plain(one.table),
        formatCount(one.rows),
        one.expectedRows === undefined ? '' : formatCount(one.expectedRows),
        code(one.fingerprint),
      ]),
    ),
  ];
}

function measurementSection({ measurements }: Evidence): string[] {
  if (measurements.length === 0) return [];
  return [
    '## Measurements',
    table(
      ['', 'Value', 'How'],
      measurements.map((one) => [plain(one.name), valueWord(one), plain(one.how)]),
    ),
  ];
}

function record(evidence: Evidence): string {
  const { backup, target, plan } = evidence;
  const rows: [string, string][] = [
    ...(backup === undefined
      ? []
      : [
          [
            'Backup',
            `${code(backup.label)}, ${plain(backup.type)}, ended ${formatMoment(backup.stoppedAt)}, ${formatBytes(backup.bytes)}`,
          ] as [string, string],
        ]),
    ...(target === undefined
      ? []
      : [
          [
            'Target',
            `${code(target.lsn)}, timeline ${target.timeline}${target.at === undefined ? '' : `, ${plain(target.at)}`}, chosen by ${target.chosenBy === 'archive' ? 'what the archive held' : 'a person'}`,
          ] as [string, string],
        ]),
    ...(evidence.incidentAt === undefined
      ? []
      : [['Moment of the disaster', plain(evidence.incidentAt)] as [string, string]]),
    ['Run', `${code(evidence.run)}, execution ${code(evidence.runId)}`],
    ['Started, ended', `${plain(evidence.startedAt)}, ${plain(evidence.endedAt ?? 'still running')}`],
    ['Requested by', plain(evidence.requestedBy ?? 'unknown')],
    ['Runbook, mode', `${plain(evidence.runbook)}, ${evidence.mode}`],
    ['Plan', `${plain(plan.file)}, sha256 ${code(plan.sha256)}`],
    ['Input', code(JSON.stringify(evidence.input))],
    ['Written by', `Lifeboat ${plain(evidence.lifeboatVersion)}, ${evidence.schema}`],
  ];
  return table(['', ''], rows);
}

/** Temporal refuses details beyond 20,000 bytes; the payload adds some. */
const liveBytes = 15_000;

/** The live page of the Temporal UI: where the run is, the newest steps, what failed. */
export function renderLivePage(evidence: Evidence, { pagesUrl }: { pagesUrl?: string } = {}): string {
  for (const newest of [12, 6, 3, 1]) {
    const page = livePage(evidence, newest, pagesUrl);
    if (bytesOf(page) < liveBytes) return page;
  }
  return `**${outcomeWord(evidence.outcome)}** ${plain(clipped(headline(evidence), 500))}\n${filler}`;
}

// The UI clips the last line of the page.
const filler = '\n&nbsp;\n\n&nbsp;\n';

function livePage(evidence: Evidence, newest: number, pagesUrl?: string): string {
  const short = (text: string) => plain(clipped(oneLine(text), 300));
  const { failure, toDo, rto, rpo } = evidence;
  const lines = [
    `**${outcomeWord(evidence.outcome)}** ${short(headline(evidence))}`,
    ...(failure === undefined ? [] : [`**${short(failure.type)}**: ${plain(clipped(oneLine(failure.message), 1000))}`]),
    ...(rto.valueMs === undefined && rpo.valueMs === undefined
      ? []
      : [
          `Time to recover **${measuredWord(rto.valueMs)}** of ${formatDuration(evidence.objectives.rtoMs)} · data lost **${measuredWord(rpo.valueMs)}** of ${formatDuration(evidence.objectives.rpoMs)}`,
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
    ...(pagesUrl === undefined
      ? []
      : [`[Report](<${encodeURI(pagesUrl)}/runs/${encodeURIComponent(oneLine(evidence.run))}>)`]),
  ];
  return `${lines.join('\n\n')}\n${filler}`;
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
