/** The full report as Markdown. */

import { classVerdicts } from '../classes.ts';
import type { Evidence, Step } from '../evidence.ts';
import { formatBytes, formatClock, formatCount, formatDuration, formatMoment } from '../format.ts';
import { splitOf } from '../outcome.ts';
import { seenAt } from '../seen-at.ts';
import { waitSentence } from '../waits.ts';
import { ledgerSection } from './markdown/ledger.ts';
import { block, code, plain, table } from './markdown/marks.ts';
import { peopleSections } from './markdown/people.ts';
import { searchSection } from './markdown/search.ts';
import { requesterWords } from './people-words.ts';
import { stepNumbers, totalSentence } from './plan-of-action.ts';
import { overWord, promisesSentence } from './promises.ts';
import {
  asOf,
  equalitySentence,
  expectedWord,
  flagsInWords,
  groupTitle,
  headline,
  kindWord,
  measuredWord,
  notExercisedSentence,
  phaseGlyphs,
  phaseSpan,
  phaseState,
  phaseTitle,
  stateOf,
  stepsByGroup,
  subtitle,
  tookMs,
  valueWord,
  verdictWord,
} from './words.ts';

export { renderLivePage } from './markdown/live-page.ts';

/** The whole report. @param now when it is looked at, for a run that goes on */
export function renderMarkdown(known: Evidence, { now }: { now?: string } = {}): string {
  const at = asOf(known, now);
  const evidence = seenAt(known, at);
  const sections = [
    `# ${verdictWord(evidence)}: ${plain(headline(evidence))}`,
    subtitle(evidence).map(plain).join(' · '),
    ...failureSection(evidence),
    numbers(evidence),
    ...remarks(evidence),
    '## Phases against their budgets',
    phaseTable(evidence, at),
    ...peopleSections(evidence),
    evidence.mode === 'dry-run' ? '## What would happen' : '## What happened',
    ...stepSections(evidence, at),
    ...equalitySection(evidence),
    ...searchSection(evidence),
    ...ledgerSection(evidence),
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
      ...classRows(evidence, 'rto', 'Time to recover'),
      [
        'Data lost',
        `**${measuredWord(rpo.valueMs)}** ${overWord(rpo)}`.trim(),
        formatDuration(objectives.rpoMs),
        plain(rpo.how),
      ],
      ...classRows(evidence, 'rpo', 'Data lost'),
      ['Equality', `**${equalTables(evidence)}**`, 'all critical tables', plain(equalitySentence(evidence))],
    ],
  );
}

function classRows(evidence: Evidence, of: 'rto' | 'rpo', what: string): string[][] {
  return classVerdicts(evidence, of).map((verdict) => [
    `${what}, ${plain(verdict.name)}`,
    `**${measuredWord(verdict.valueMs)}** ${overWord(verdict)}`.trim(),
    formatDuration(verdict.objectiveMs),
    plain(`the same for all data; ${verdict.name} is ${verdict.tables.join(', ')}`),
  ]);
}

function equalTables({ equality }: Evidence): string {
  if (equality === undefined) return 'not proven';
  return `${equality.tables.filter((one) => one.equal).length} of ${equality.tables.length}`;
}

function remarks(evidence: Evidence): string[] {
  const { leftBehind, notExercised, toDo } = evidence;
  const flags = flagsInWords(evidence);
  return [
    ...(flags.length > 0 ? [`**Note:** ${flags.join(', ')}`] : []),
    ...(leftBehind.length > 0 ? [['**Left behind:**', ...leftBehind.map((one) => `- ${plain(one)}`)].join('\n')] : []),
    ...(notExercised.length > 0 ? [`**Not exercised:** ${plain(notExercisedSentence(evidence))}`] : []),
    ...(toDo === undefined ? [] : [`**To do:** ${plain(toDo)}`]),
  ];
}

function phaseTable(evidence: Evidence, at: string): string {
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

function stepSections(evidence: Evidence, at: string): string[] {
  const dry = evidence.mode === 'dry-run';
  const numbers = stepNumbers(evidence);
  const sections = stepsByGroup(evidence).flatMap(({ group, steps }) => [
    `### ${groupTitle(group)}`,
    table(
      [dry ? '#' : 'UTC', 'Step', 'Found', 'Expected', dry ? 'Takes' : 'Took', 'Attempts', 'Worker'],
      steps.map((step) => [
        dry ? String(numbers.get(step) ?? '') : formatClock(step.startedAt),
        `${plain(step.name)} (${kindWord(step.kind)})`,
        `${stateOf(step).glyph} ${plain(foundOf(step))}`,
        plain(step.expected ?? ''),
        dry ? expectedWord(step) : formatDuration(tookMs(step, at)),
        step.attempts === undefined ? '' : formatCount(step.attempts),
        plain((step.workers ?? []).join(', ')),
      ]),
    ),
    ...steps.filter((step) => step.log !== undefined).map(logOf),
  ]);
  return dry ? [`Together: ${plain(totalSentence(evidence))}.`, ...sections] : sections;
}

function foundOf(step: Step): string {
  const done = step.found ?? stateOf(step).word;
  const said = step.failure === undefined ? done : `${step.failure.type}: ${step.failure.message}`;
  const words = [said, waitSentence(step)].filter((one) => one !== undefined).join('; ');
  if (step.preview === undefined) return words;
  return step.state === 'previewed' ? `would ${step.preview}` : `${words} (previewed: ${step.preview})`;
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
    ['Promised', plain(promisesSentence(evidence))],
    ['Run', `${code(evidence.run)}, execution ${code(evidence.runId)}`],
    ['Started, ended', `${plain(evidence.startedAt)}, ${plain(evidence.endedAt ?? 'still running')}`],
    ['Requested by', plain(requesterWords(evidence))],
    ['Runbook, mode', `${plain(evidence.runbook)}, ${evidence.mode}`],
    ['Plan', `${plain(plan.file)}, sha256 ${code(plan.sha256)}`],
    ['Input', code(JSON.stringify(evidence.input))],
    ['Written by', `Lifeboat ${plain(evidence.lifeboatVersion)}, ${evidence.schema}`],
  ];
  return table(['', ''], rows);
}
