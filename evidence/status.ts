/** Where a run is, in a few lines: what a status update says, and the first lines of every other one. */
import { isAgreed } from './approvals.ts';
import type { Evidence, PhaseRecord } from './evidence.ts';
import { formatClock, formatDuration } from './format.ts';
import { splitOf } from './outcome.ts';
import type { Approval, Asked, Decision } from './people.ts';
import { openWait, waitSentence } from './waits.ts';

/** One thing that is said of a run: `Phase`, `2 of 5, database, 12 min of 45 min`. */
export interface Line {
  label: string;
  text: string;
}

/** Names of people by their ids; an id without a name stands for itself. */
export type Names = Readonly<Record<string, string>>;

/** @param now ISO 8601, UTC */
export function statusLines(evidence: Evidence, names: Names, now: string): Line[] {
  return [
    ...lineOf('Waiting for', waitingFor(evidence, names)),
    ...lineOf('Phase', whereItIs(evidence, now)),
    ...lineOf('Now', doing(evidence)),
    ...lineOf('Done', done(evidence)),
    ...lineOf('Next', next(evidence)),
    ...lineOf('Expected end', expectedEnd(evidence)),
    ...lineOf('Data lost', dataLost(evidence)),
  ];
}

export function lineOf(label: string, text: string | undefined): Line[] {
  return text === undefined || text === '' ? [] : [{ label, text }];
}

/** `phase 2 of 5, database: 12 min of 45 min` */
function whereItIs(evidence: Evidence, now: string): string | undefined {
  return evidence.phases
    .filter((phase) => phase.startedAt !== undefined && phase.endedAt === undefined)
    .map((phase) => {
      const number = `${evidence.phases.indexOf(phase) + 1} of ${evidence.phases.length}`;
      return `${number}, ${phase.name}: ${formatDuration(between(phase.startedAt, now))} of ${formatDuration(phase.budgetMs)}`;
    })
    .join('; ');
}

/** Steps that go on, and what they wait for. Those that wait for people are told of elsewhere. */
function doing({ steps, approvals = [] }: Evidence): string {
  const reread = approvals.filter(isAgreed).map(({ name }) => `${name}: approved, its facts are read once more`);
  const going = steps
    .filter((step) => step.state === 'running' && step.kind !== 'approval')
    .slice(0, 5)
    .map((step) => (openWait(step) === undefined ? step.name : `${step.name} (${waitSentence(step)})`));
  return [...reread, ...going].join('; ');
}

export function done({ phases }: Evidence): string {
  return phases
    .filter((phase) => phase.endedAt !== undefined)
    .map((phase) => `${phase.name} (${spent(phase)})`)
    .join(', ');
}

export function spent(phase: PhaseRecord): string {
  return `${formatDuration(between(phase.startedAt, phase.endedAt))} of ${formatDuration(phase.budgetMs)}`;
}

function next({ phases, outcome, failure }: Evidence): string {
  if (outcome !== 'running' || failure !== undefined) return '';
  return phases
    .filter((phase) => phase.startedAt === undefined)
    .map((phase) => phase.name)
    .join(', ');
}

/** `16:12:40Z (3 earlier runs); 12 min past the RTO of 4 h` */
export function expectedEnd({ forecast, objectives, approvals = [], decisions = [] }: Evidence): string | undefined {
  if (forecast === undefined) return undefined;
  const { endsAt, how, lateByMs } = forecast;
  const late =
    lateByMs === undefined
      ? ''
      : `; recovered ${formatDuration(lateByMs)} past the RTO of ${formatDuration(objectives.rtoMs)}`;
  const open = [...approvals.filter((one) => !isAgreed(one)), ...decisions].some(isOpen);
  return `${formatClock(endsAt)}Z, by ${how}${late}${open ? '; later by as long as people are waited for' : ''}`;
}

/** What is known of the loss by now: measured, or as far as the target tells. */
export function dataLost({ rpo, objectives, target, incidentAt, mode }: Evidence): string | undefined {
  if (mode === 'dry-run') return undefined;
  const promised = ` of ${formatDuration(objectives.rpoMs)} promised`;
  if (rpo.valueMs !== undefined) return `${formatDuration(rpo.valueMs)}${promised}`;
  if (target?.at === undefined || incidentAt === undefined || target.chosenBy === 'person') return rpo.how;
  const estimate = between(target.at, incidentAt);
  return `about ${formatDuration(estimate)}${promised}: the newest commit that can be recovered is of ${formatClock(target.at)}Z (not measured yet)`;
}

/** Everybody who is being waited for: for what, since when, until when. */
export function waitingFor({ approvals = [], decisions = [] }: Evidence, names: Names): string {
  return [
    ...approvals
      .filter(isOpen)
      .filter((one) => !isAgreed(one))
      .map((one) => `${awaited(one, names)}: ${one.name}`),
    ...decisions.filter(isOpen).map((one) => `${awaited(one, names)}: a decision about "${one.name}"`),
  ].join('; ');
}

export function isOpen({ closedAt }: { closedAt?: string }): boolean {
  return closedAt === undefined;
}

/** `Ana, Ben (2 of dba) since 14:02:11Z, until 14:17:11Z` */
export function awaited(question: Approval | Decision, names: Names): string {
  const last = question.asked.at(-1);
  const until = last === undefined ? '' : `, until ${formatClock(last.until)}Z`;
  const quorum = 'quorum' in question ? ` (${question.quorum} of them)` : '';
  return `${listed(people(question.asked), names)}${quorum} since ${formatClock(question.openedAt)}Z${until}`;
}

/** Those who are asked by now, each once. */
export function people(asked: readonly Asked[]): string[] {
  return [...new Set(asked.flatMap((one) => one.people))];
}

export function listed(ids: readonly string[], names: Names): string {
  return ids.map((id) => nameOf(id, names)).join(', ') || 'nobody';
}

export function nameOf(id: string, names: Names): string {
  return Object.hasOwn(names, id) ? (names[id] ?? id) : id;
}

export function between(from: string | undefined, to: string | undefined): number {
  const ms = Date.parse(to ?? '') - Date.parse(from ?? '');
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** `recovered in 36 s of 4 h (machine 30 s, people 6 s); data lost 23 s of 5 min` */
export function measured(evidence: Evidence): string {
  const { rto, rpo, objectives } = evidence;
  const split = splitOf(evidence);
  const parts =
    split === undefined || split.peopleMs + split.retriesMs === 0
      ? ''
      : ` (machine ${formatDuration(split.machineMs)}, people ${formatDuration(split.peopleMs)}, retries ${formatDuration(split.retriesMs)})`;
  return [
    ...(rto.valueMs === undefined
      ? []
      : [`time to recover ${formatDuration(rto.valueMs)} of ${formatDuration(objectives.rtoMs)}${parts}`]),
    ...(rpo.valueMs === undefined
      ? []
      : [`data lost ${formatDuration(rpo.valueMs)} of ${formatDuration(objectives.rpoMs)}`]),
  ].join('; ');
}
