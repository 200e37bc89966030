/**
 * What a run came to: how long it took to recover, what would be lost, and all that has to be said beside its outcome.
 * Pure arithmetic over the evidence; the definitions are those that a report shows next to each number.
 */
import { adviceFor } from './advice.ts';
import { anyBeyond, worstMiss } from './classes.ts';
import type { ClockDifference, Evidence, Flag, Measured, Phase, PhaseRecord } from './evidence.ts';
import { formatClock, formatDuration, formatNumberOf } from './format.ts';

/** What stands in place of a measurement while the run goes on. */
export const notMeasuredYet = 'not measured yet';

/** The phases whose time counts as time to recover: a drill moves no traffic, so its clock ends with validation. */
const beforeTraffic: readonly Phase[] = ['assessment', 'database', 'application', 'validation'];

/** Whether the run restores something and proves it; a backup and a dry run do not. */
export function recovers(evidence: Pick<Evidence, 'mode' | 'phases'>): boolean {
  return evidence.mode !== 'dry-run' && evidence.phases.some((phase) => phase.name === 'validation');
}

export interface Split {
  machineMs: number;
  /** Waiting for people. */
  peopleMs: number;
  /** Attempts that failed, and the pauses after them. */
  retriesMs: number;
}

/** The time to recover, taken apart; the three add up to it. */
export function splitOf(evidence: Evidence): Split | undefined {
  const total = evidence.rto.valueMs;
  if (total === undefined) return undefined;
  return partsOf(
    total,
    evidence.phases.filter((phase) => clockPhases(evidence).includes(phase.name)),
  );
}

/** A time that was spent in these phases, taken apart. */
export function partsOf(total: number, phases: readonly PhaseRecord[]): Split {
  // Steps side by side may each wait: together they cannot have waited longer than the run took.
  const peopleMs = Math.min(total, sum(phases.map((phase) => phase.peopleMs)));
  const retriesMs = Math.min(total - peopleMs, sum(phases.map((phase) => phase.retriesMs)));
  return { machineMs: total - peopleMs - retriesMs, peopleMs, retriesMs };
}

/**
 * Time to recover: in a drill from its first moment to the end of validation, traffic excluded; in a live recovery from
 * the declared start of the incident to the end of the traffic phase, when the service's health check was green.
 *
 * Both ends of a drill are read from one clock, that of Temporal: the database's clock may differ from it.
 */
export function timeToRecover(evidence: Evidence): Measured {
  const objectiveMs = evidence.objectives.rtoMs;
  const not = (why: string): Measured => ({ objectiveMs, how: `not measured: ${why}` });
  if (evidence.mode === 'dry-run') return not('a dry run recovers nothing');
  if (!recovers(evidence)) return not('nothing is recovered in this runbook');
  if (evidence.failure !== undefined) return not('the run ended before the recovery was proven');
  const last = clockPhases(evidence).at(-1);
  const end = evidence.recoveredAt ?? evidence.phases.find((phase) => phase.name === last)?.endedAt;
  if (end === undefined) return { objectiveMs, how: notMeasuredYet };
  const drill = evidence.mode === 'drill';
  const from = drill ? evidence.startedAt : (evidence.incidentAt ?? evidence.startedAt);
  return {
    valueMs: Math.max(0, Date.parse(end) - Date.parse(from)),
    objectiveMs,
    how: drill
      ? "from the drill's first moment until validation had passed; traffic excluded"
      : 'from the start of the incident until the service was healthy through its front door',
  };
}

/** The phases whose time counts as time to recover. */
export function clockPhases(evidence: Pick<Evidence, 'mode'>): readonly Phase[] {
  return evidence.mode === 'live' ? [...beforeTraffic, 'traffic'] : beforeTraffic;
}

export interface LossAsk {
  /** The moment at which the primary is taken to have died, on the database's clock. */
  momentAt: string;
  /** The newest acknowledged pulse that came back; its time is on the database's clock too. */
  newest?: { at: string } | undefined;
  /** Pulses acknowledged before that moment that did not come back; absent where the plan has no pulse. */
  lost?: number;
  /** Whether a person chose the target: then what lies after it is not loss. */
  chosen: boolean;
  /** The database's clock was set back in between, by so much: then no time on it says anything of the loss. */
  setBackMs?: number | undefined;
  objectiveMs?: number;
}

/** Data lost: the moment of the disaster minus the newest acknowledged pulse that could be restored. */
export function dataLost({ momentAt, newest, lost, chosen, setBackMs, objectiveMs }: LossAsk): Measured {
  const objective = objectiveMs === undefined ? {} : { objectiveMs };
  if (chosen) return { ...objective, how: 'not measured: the target was chosen, so what comes after it is not loss' };
  if (newest === undefined)
    return {
      ...objective,
      how:
        lost === undefined
          ? 'not measured: the plan has no pulse'
          : 'not measured: no acknowledged pulse write lies before the target',
    };
  if (setBackMs !== undefined)
    return {
      ...objective,
      how: `not measured: the database's clock was set back by ${formatDuration(setBackMs)} between the newest write that came back and the moment of the disaster; ${lost ?? 0} acknowledged pulse writes were lost`,
    };
  const writes = lost === undefined ? '' : `${formatNumberOf(lost, 'pulse write')}, one a second, `;
  return {
    ...objective,
    valueMs: Math.max(0, Date.parse(momentAt) - Date.parse(newest.at)),
    how: `${writes}newer than what the archive held at ${formatClock(momentAt)}Z; the newest that came back is of ${formatClock(newest.at)}Z`,
  };
}

/** Whether every critical table was compared with its anchor and found equal. */
export function equalityProven(evidence: Evidence): boolean {
  const tables = evidence.equality?.tables ?? [];
  return tables.length > 0 && tables.every((table) => table.equal);
}

/** `the clock of host db2 is at least 60 min ahead of that of the database` */
export function differenceInWords({ clock, of, aheadMs }: ClockDifference): string {
  return `the clock of ${clock} is at least ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of ${of}`;
}

/** All that is true of a run, in the order in which a report says it. */
export function flagsOf(evidence: Evidence): Flag[] {
  const flags: Record<Flag, boolean> = {
    'door-closed': evidence.doorClosed !== undefined,
    late: anyBeyond(evidence, 'rto'),
    'loss-beyond-objective': anyBeyond(evidence, 'rpo'),
    // Of a run that failed nothing is proven at all: its failure says so.
    // Where nothing was restored there is nothing that could be equal to what it was restored from.
    'equality-not-proven':
      evidence.failure === undefined &&
      evidence.target !== undefined &&
      recovers(evidence) &&
      !equalityProven(evidence),
    skips: evidence.steps.some((step) => step.state === 'skipped'),
    dirty: evidence.leftBehind.length > 0,
    'clocks-differ': (evidence.clocks ?? []).length > 0,
  };
  return (Object.keys(flags) as Flag[]).filter((flag) => flags[flag]);
}

/** One sentence: what to do next; the most urgent thing only. */
export function oneLineToDo(evidence: Evidence): string {
  const { failure, flags, service, doorClosed, leftFenced } = evidence;
  if (doorClosed !== undefined) return `Nobody can write: the front door is closed. ${doorClosed.byHand}`;
  if (failure !== undefined) return adviceFor(failure.type, service);
  if (leftFenced !== undefined)
    return `${leftFenced.host} is left fenced, and ${service} has one standby less: ${leftFenced.why}. ${leftFenced.byHand}`;
  if (flags.includes('dirty'))
    return `Remove what was left behind (lifeboat sweep ${service}), then find out why it was.`;
  if (flags.includes('loss-beyond-objective')) {
    const { byMs, name } = worstMiss(evidence, 'rpo');
    return `Archive more often (archive_timeout): ${formatDuration(byMs)} more would be lost than the plan promises${name === undefined ? '' : ` for ${name}`}.`;
  }
  if (flags.includes('late')) {
    const { byMs, name } = worstMiss(evidence, 'rto');
    return `Make the recovery ${formatDuration(byMs)} faster, or agree on a longer RTO${name === undefined ? '' : ` for ${name}`}.`;
  }
  if (flags.includes('equality-not-proven'))
    return `Take an anchor (lifeboat anchor ${service}) before the next drill: without one, equality cannot be proven.`;
  if (flags.includes('skips')) {
    const why = evidence.steps.find((step) => step.state === 'skipped')?.failure;
    return why === undefined ? 'Look at what was skipped, and prove it in the next run.' : adviceFor(why.type, service);
  }
  const [difference] = evidence.clocks ?? [];
  if (difference !== undefined)
    return `Correct the clock that is wrong (chronyc tracking): ${differenceInWords(difference)}.`;
  if (evidence.mode === 'dry-run') return `${afterOthers(evidence)}: lifeboat ${command(evidence)}`;
  if (evidence.notExercised.some((one) => one.lastProven === undefined))
    return 'Nothing now. Plan a rehearsal of what has never been proven.';
  return evidence.backup !== undefined && !recovers(evidence)
    ? 'Nothing. Whether it restores is what the next drill shows.'
    : 'Nothing.';
}

function afterOthers({ inUse = [] }: Evidence): string {
  if (inUse.length === 0) return 'For the real thing';
  const whose = [...new Set(inUse.map(({ by }) => by))].join(' and ');
  return `Not yet: ${whose} goes on, and holds ${inUse.map(({ what }) => what).join(' and ')}. Once it has ended`;
}

function command({ runbook, service, input }: Evidence): string {
  const words = { ...input };
  // Said by the command itself, or of this one run alone.
  for (const own of ['mode', 'service', 'requestedBy', 'requestSignature']) delete words[own];
  const given = Object.keys(words).length === 0 ? '' : ` --input '${JSON.stringify(words).replaceAll("'", "'\\''")}'`;
  if (runbook === 'monthly-drill')
    return `drill ${service}${typeof words.target === 'string' ? ` --target ${words.target}` : ''}`;
  if (runbook === 'backup') return `backup ${service}${typeof words.type === 'string' ? ` --type ${words.type}` : ''}`;
  if (runbook === 'anchor') return `anchor ${service}`;
  // Without a mode `start` would only look once more.
  return `start ${runbook} ${service} --mode live${given}`;
}

/** Completes the evidence once nothing more will be done: measurements, flags, what to do. The outcome is the runbook's to say. */
export function settleEvidence(evidence: Evidence): void {
  evidence.rto = timeToRecover(evidence);
  if (evidence.rto.how === notMeasuredYet)
    evidence.rto = { ...evidence.rto, how: 'not measured: nothing had to be recovered' };
  if (evidence.rpo.how === notMeasuredYet)
    evidence.rpo = { ...evidence.rpo, how: `not measured: ${whyNoLoss(evidence)}` };
  evidence.flags = flagsOf(evidence);
  evidence.toDo = oneLineToDo(evidence);
}

function whyNoLoss(evidence: Evidence): string {
  if (evidence.mode === 'dry-run') return 'a dry run restores nothing';
  if (!recovers(evidence)) return 'nothing is restored in this runbook';
  return 'the run ended before pulse writes were compared';
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
