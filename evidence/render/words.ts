/** What all renderings say alike: outcomes, states, headlines. */
import {
  type Evidence,
  type Flag,
  type Mode,
  type Outcome,
  type Phase,
  type PhaseRecord,
  phases,
  type Step,
} from '../evidence.ts';
import { formatBytes, formatCount, formatDuration, formatMoment, formatNumberOf } from '../format.ts';
import { equalityProven } from '../outcome.ts';
import type { Search } from '../search.ts';
import { waitSentence } from '../waits.ts';

/** How a thing is meant to feel; never said by colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm';

const outcomes: Record<Outcome, { word: string; tone: Tone }> = {
  running: { word: 'RUNNING', tone: 'calm' },
  proven: { word: 'PROVEN', tone: 'good' },
  'not-proven': { word: 'NOT PROVEN', tone: 'bad' },
  recovered: { word: 'RECOVERED', tone: 'good' },
  failed: { word: 'FAILED', tone: 'bad' },
  aborted: { word: 'ABORTED', tone: 'warn' },
  previewed: { word: 'PREVIEWED', tone: 'calm' },
  completed: { word: 'COMPLETED', tone: 'good' },
};

function outcomeWord(outcome: Outcome): string {
  return outcomes[outcome].word;
}

/** The word over a whole report. A dry run that could not go on says nothing of what was restored: nothing was. */
export function verdictWord({ outcome, mode }: { outcome: Outcome; mode?: Mode | undefined }): string {
  if (mode !== 'dry-run') return outcomeWord(outcome);
  if (outcome === 'not-proven' || outcome === 'failed') return 'DRY RUN FAILED';
  return outcome === 'aborted' ? 'DRY RUN ABORTED' : outcomeWord(outcome);
}

/** A good outcome with a flag is not plainly good. */
export function toneOf({ outcome, flags }: { outcome: Outcome; flags: readonly Flag[] }): Tone {
  const { tone } = outcomes[outcome];
  return tone === 'good' && flags.length > 0 ? 'warn' : tone;
}

const flagWords: Record<Flag, string> = {
  'door-closed': 'the front door is closed',
  late: 'late',
  'loss-beyond-objective': 'loss beyond the objective',
  'equality-not-proven': 'equality not proven',
  'clocks-differ': 'clocks differ',
  skips: 'steps were skipped',
  dirty: 'something was left behind',
};

/** What stands beside an outcome. Where nothing was proven at all, that equality was not goes without saying. */
export function flagsInWords({ outcome, flags }: { outcome: Outcome; flags: readonly Flag[] }): string[] {
  const bad = outcome === 'not-proven' || outcome === 'failed' || outcome === 'aborted';
  return flags.filter((flag) => !(bad && flag === 'equality-not-proven')).map((flag) => flagWords[flag]);
}

/** The whole report in one sentence. */
export function headline(evidence: Evidence): string {
  const { service, outcome, title } = evidence;
  const what = title.toLowerCase();
  if (evidence.mode === 'dry-run' && (outcome === 'not-proven' || outcome === 'failed'))
    return `A ${what} of ${service} would not succeed: its dry run could not go on`;
  switch (outcome) {
    case 'running':
      return `${title} of ${service}: ${whereItIs(evidence)}`;
    case 'proven':
      return `${service} can be recovered${but(evidence)}`;
    case 'not-proven':
      return `It is not proven that ${service} can be recovered`;
    case 'recovered':
      return `${service} is recovered${but(evidence)}`;
    case 'failed':
      return `The ${what} of ${service} failed`;
    case 'aborted':
      return `The ${evidence.mode === 'dry-run' ? 'dry run of a ' : ''}${what} of ${service} was stopped`;
    case 'previewed':
      return `What a ${what} of ${service} would do`;
    case 'completed':
      if (evidence.search !== undefined) return foundIn(service, evidence.search);
      return evidence.runbook === 'backup'
        ? `${service} is backed up${but(evidence)}`
        : `The ${what} of ${service} is done${but(evidence)}`;
  }
}

function foundIn(service: string, { findings, more }: Search): string {
  const count = findings.filter(({ weight }) => weight > 0).length + more;
  if (count === 0) return `Nothing in the WAL of ${service} looks like a disaster`;
  return `${formatNumberOf(count, 'transaction')} of ${service} ${count === 1 ? 'looks' : 'look'} like a disaster`;
}

const buts: Record<Flag, string> = {
  'door-closed': 'but the front door is closed',
  late: 'but too late',
  'loss-beyond-objective': 'but more would be lost than promised',
  'equality-not-proven': 'but equality is not proven',
  'clocks-differ': 'but clocks differ',
  skips: 'but steps were skipped',
  dirty: 'but something was left behind',
};

function but({ flags }: Evidence): string {
  const [first] = flags;
  return first === undefined ? '' : `, ${buts[first]}`;
}

/** `phase 2 of 5, database`; all of those that go on. */
function whereItIs(evidence: Evidence): string {
  const going = evidence.phases.filter((phase) => phase.startedAt !== undefined && phase.endedAt === undefined);
  if (going.length > 0)
    return going
      .map((phase) => `phase ${evidence.phases.indexOf(phase) + 1} of ${evidence.phases.length}, ${phase.name}`)
      .join(' and ');
  return evidence.phases.some((phase) => phase.startedAt === undefined) && evidence.failure === undefined
    ? 'getting ready'
    : 'cleaning up';
}

/** What, when, where; and that production was left alone, where that is so. */
export function subtitle(evidence: Evidence): string[] {
  return [
    `${evidence.title} ${evidence.run}`,
    formatMoment(evidence.startedAt),
    ...(evidence.mode === 'dry-run' ? ['dry run: nothing is changed'] : []),
    ...(evidence.mode === 'drill' && evidence.isolatedOn !== undefined
      ? [`isolated on ${evidence.isolatedOn}`, 'production untouched']
      : []),
  ];
}

export function phaseTitle(name: Step['group']): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const groupTitles = { opening: 'Opening', closing: 'Clean-up' } as const;

export function groupTitle(group: Step['group']): string {
  return group === 'opening' || group === 'closing' ? groupTitles[group] : phaseTitle(group);
}

/** In the order in which the run goes through its phases; every rendering shows them so. */
export function stepsByGroup({ steps, phases: own }: Pick<Evidence, 'steps' | 'phases'>): {
  group: Step['group'];
  steps: Step[];
}[] {
  // Whatever a stored file says: no step is left out.
  const inOrder = new Set<Step['group']>(['opening', ...own.map(({ name }) => name), ...phases, 'closing']);
  return [...inOrder]
    .map((group) => ({ group, steps: steps.filter((step) => step.group === group) }))
    .filter((one) => one.steps.length > 0);
}

const states: Record<Step['state'], { glyph: string; word: string; tone: Tone }> = {
  running: { glyph: '…', word: 'running', tone: 'calm' },
  done: { glyph: '✓', word: 'done', tone: 'good' },
  failed: { glyph: '✗', word: 'failed', tone: 'bad' },
  cancelled: { glyph: '■', word: 'stopped', tone: 'warn' },
  previewed: { glyph: '→', word: 'previewed', tone: 'calm' },
  listed: { glyph: '·', word: 'not run in a dry run', tone: 'calm' },
  skipped: { glyph: '»', word: 'skipped', tone: 'warn' },
};

export function stateOf({ state, kind }: Pick<Step, 'state' | 'kind'>): { glyph: string; word: string; tone: Tone } {
  return kind === 'approval' && state === 'listed' ? wouldAsk : states[state];
}

const wouldAsk = { glyph: '?', word: 'asks people', tone: 'calm' } as const;

const kinds: Record<Step['kind'], string> = {
  check: 'check',
  change: 'change',
  prove: 'proof',
  approval: 'approval',
  undo: 'undo',
  record: 'record',
};

export function kindWord(kind: Step['kind']): string {
  return kinds[kind];
}

/** The one sentence of a step: what was found, else why it failed, else what it would do, else its name. */
export function sentenceOf(step: Step): string {
  // In the same words while the run goes on and after it.
  if (step.state === 'cancelled' && step.failure?.type === 'Cancelled') return `${step.name}: cancelled`;
  if (step.failure !== undefined) return `${step.name}: ${step.failure.message}`;
  if (step.state === 'previewed')
    return `would ${step.preview ?? step.name}${step.takesMs === undefined ? '' : ` (${expectedWord(step)})`}`;
  if (step.kind === 'approval' && step.found !== undefined) return `${step.name}: ${step.found}`;
  if (step.state === 'listed' || step.state === 'skipped') return `${step.name} (${stateOf(step).word})`;
  return [step.found ?? step.name, waitSentence(step)].filter((one) => one !== undefined).join('; ');
}

/** `about 12 s`, of a change that can tell. */
export function expectedWord({ takesMs, kind }: Pick<Step, 'takesMs' | 'kind'>): string {
  if (takesMs === undefined) return kind === 'change' ? 'not known' : '';
  return `about ${formatDuration(takesMs)}`;
}

export type PhaseState = 'waiting' | 'running' | 'previewed' | 'done' | 'failed' | 'stopped';

export function phaseState(phase: PhaseRecord, evidence: Evidence): PhaseState {
  if (phase.startedAt === undefined) return 'waiting';
  const steps = evidence.steps.filter((step) => step.group === phase.name);
  if (steps.some((step) => step.state === 'failed')) return 'failed';
  if (steps.some((step) => step.state === 'cancelled')) return 'stopped';
  if (phase.endedAt === undefined) return 'running';
  return steps.some((step) => step.state === 'previewed' || step.state === 'listed') ? 'previewed' : 'done';
}

export const phaseGlyphs: Record<PhaseState, string> = {
  waiting: '',
  running: '…',
  previewed: '→',
  done: '✓',
  failed: '✗',
  stopped: '■',
};

/** Milliseconds from the start of something to its end, or to `asOf` while it goes on. */
export function tookMs(one: { startedAt?: string | undefined; endedAt?: string | undefined }, asOf: string): number {
  if (one.startedAt === undefined) return 0;
  const ms = Date.parse(one.endedAt ?? asOf) - Date.parse(one.startedAt);
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** The moment that the evidence shows: its end, or now, or the newest moment that it knows of. */
export function asOf(evidence: Evidence, now?: string): string {
  const known = evidence.endedAt ?? now;
  if (known !== undefined) return known;
  return evidence.steps
    .flatMap((step) => [step.startedAt, step.endedAt ?? step.startedAt])
    .concat(evidence.startedAt)
    .sort()
    .slice(-1)
    .join();
}

/** `36 s`, or a dash where it was not measured. */
export function measuredWord(valueMs: number | undefined): string {
  return valueMs === undefined ? 'not measured' : formatDuration(valueMs);
}

/** What was compared with the anchor, in one sentence. */
export function equalitySentence(evidence: Evidence): string {
  const { equality } = evidence;
  if (equality === undefined) return 'no anchor was compared';
  const different = equality.tables.filter((table) => !table.equal).map((table) => table.table);
  const verdict = equalityProven(evidence) ? 'equal to' : `${different.join(', ')} differ from`;
  const onwards =
    equality.transactionsAfter === undefined
      ? ''
      : `, then ${formatNumberOf(equality.transactionsAfter, 'transaction')} replayed`;
  return `${verdict} the anchor at ${equality.lsn} (${formatMoment(equality.at)}; ${equality.source})${onwards}`;
}

const leftOut: Record<string, string> = {
  swap: 'swapping the data directories',
  traffic: 'moving traffic',
  people: 'asking people',
};

/** `moving traffic (last proven 3 Oct 2026, 02:14:00Z)`; grouped where it was never proven. */
export function notExercisedSentence({ notExercised }: Evidence): string {
  const word = (what: string) => (Object.hasOwn(leftOut, what) ? (leftOut[what] ?? what) : what);
  const never = notExercised.filter((one) => one.lastProven === undefined).map((one) => word(one.what));
  const before = notExercised
    .filter((one) => one.lastProven !== undefined)
    .map((one) => `${word(one.what)} (last proven ${formatMoment(one.lastProven ?? '')})`);
  return [...(never.length > 0 ? [`${never.join(', ')} (never proven so far)`] : []), ...before].join('; ');
}

/** A measurement's value with its unit. */
export function valueWord({ value, unit }: { value: number; unit: Evidence['measurements'][number]['unit'] }): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value);
    case 's':
      return formatDuration(value * 1000);
    case 'bytes':
      return formatBytes(value);
    case 'rows':
      return formatNumberOf(value, 'row');
    case 'segments':
      return formatNumberOf(value, 'segment');
    case 'count':
      return formatCount(value);
  }
}

/** What a phase took of its budget: `3 s of 15 min`. */
export function phaseSpan(phase: PhaseRecord, evidence: Evidence, at: string): string {
  if (phase.startedAt === undefined && evidence.endedAt !== undefined) return 'not reached';
  if (phase.startedAt === undefined || evidence.mode === 'dry-run') return `${formatDuration(phase.budgetMs)} allowed`;
  return `${formatDuration(tookMs(phase, evidence.endedAt ?? at))} of ${formatDuration(phase.budgetMs)}`;
}

export function phaseNumber(name: Phase, evidence: Evidence): number {
  return evidence.phases.findIndex((phase) => phase.name === name) + 1;
}
