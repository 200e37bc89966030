/** Pure: what is known of the services, as Prometheus reads it. */
import type { StoredRun } from '../../activities/evidence/store.ts';
import type { Phase } from '../../evidence/evidence.ts';
import { cadences, newestBackupWithinMs } from '../../plan/cadence.ts';
import { dataClassesOf, objectivesFor } from '../../plan/objectives.ts';
import { nextTimes } from '../../plan/schedule-times.ts';
import { maxIntervalMs, parseSchedule } from '../../plan/schedule-words.ts';
import type { Plan } from '../../plan/schema.ts';
import { type RunbookName, runbooks } from '../../workflows/messages.ts';
import type { EngineRun } from '../pages/engine.ts';
import type { Sample, Samples } from './catalogue.ts';

export interface RunningRun extends EngineRun {
  inPhase?: { name: Phase; since: string };
}

export interface KnownService {
  plan: Plan;
  /** Newest first; absent until the store has answered once. */
  runs?: StoredRun[];
  waiting?: number;
  storeUp: boolean;
  readAt?: Date;
}

export interface Known {
  /** Absent until Temporal was asked for the first time. */
  temporalUp?: boolean;
  /** Absent while Temporal does not answer. */
  running?: RunningRun[];
  services: ReadonlyMap<string, KnownService>;
}

export function samplesOf({ temporalUp, running, services }: Known, now: Date): Samples {
  const all = [...services.values()];
  return {
    temporalUp: sample({}, temporalUp === undefined ? undefined : Number(temporalUp)),
    ...merged([...all.map((one) => ofService(one, now)), ofRunning(running, [...services.keys()])]),
  };
}

function ofService(known: KnownService, now: Date): Samples {
  const { plan, runs = [], waiting, storeUp, readAt } = known;
  const service = { service: plan.service };
  const proven = newest(runs.filter(({ mode, outcome }) => mode === 'drill' && outcome === 'proven'));
  return {
    ...ofPlan(plan, now),
    evidenceStoreUp: sample(service, Number(storeUp)),
    evidenceStoreRead: sample(service, seconds(readAt?.getTime())),
    evidenceWaiting: sample(service, waiting),
    lastProvenDrill: sample(service, proven && moment(proven.endedAt)),
    lastProvenDrillRto: sample(service, seconds(proven?.rtoMs)),
    lastProvenDrillRpo: sample(service, seconds(proven?.rpoMs)),
    lastRunEnd: newestBy(runs, ({ runbook, mode, outcome }) => ({ ...service, runbook, mode, outcome })),
    lastFailure: newestBy(runs, ({ runbook, failure }) =>
      failure === undefined ? undefined : { ...service, runbook, type: failure },
    ),
  };
}

/** What the plan promises, beside what was measured: rules compare the two. */
function ofPlan(plan: Plan, now: Date): Samples {
  const { service } = plan;
  const parsed = parseSchedule(plan.drills.monthly.schedule);
  const schedule = 'schedule' in parsed ? parsed.schedule : undefined;
  return {
    drillInterval: sample({ service }, schedule && seconds(maxIntervalMs(schedule))),
    nextDrill: sample({ service }, schedule && seconds(nextTimes(schedule, now, 1)[0]?.getTime())),
    objectiveRto: [
      ...sample({ service, runbook: '' }, seconds(plan.objectives.rto)),
      ...recovering.flatMap((runbook) => sample({ service, runbook }, seconds(objectivesFor(plan, runbook).rto))),
    ],
    objectiveRpo: [
      ...sample({ service, data_class: '' }, seconds(plan.objectives.rpo)),
      ...dataClassesOf(plan).flatMap(({ name, rpoMs }) => sample({ service, data_class: name }, seconds(rpoMs))),
    ],
    backupWithin: sample({ service }, seconds(newestWithin(plan))),
    phaseBudget: Object.entries(plan.phases).flatMap(([phase, ms]) => sample({ service, phase }, seconds(ms))),
  };
}

/** These promise nothing of a recovery: a backup, an anchor, a sweep, a search, an acceptance, a planned switchover, a shift of visitors, a standby's return, a cache. */
const keeping: readonly RunbookName[] = [
  'backup',
  'anchor',
  'sweep',
  'switchover',
  'region-switchover',
  'region-failback',
  'find',
  'standby-rebuild',
  'traffic-shift',
  'accept',
  'cache-recovery',
  'file-backup',
];
const recovering = (Object.keys(runbooks) as RunbookName[]).filter((runbook) => !keeping.includes(runbook));

/** A plan may leave its backups to somebody else. */
function newestWithin(plan: Plan): number | undefined {
  const said = plan.backups.physical.newestWithin !== undefined || cadences(plan).length > 0;
  return said ? newestBackupWithinMs(plan) : undefined;
}

/** Services without a run show 0, so that a rule can tell "none" from "not known". */
function ofRunning(running: RunningRun[] | undefined, services: string[]): Samples {
  if (running === undefined) return {};
  const groups = new Map<string, { labels: Record<string, string>; runs: RunningRun[] }>();
  for (const run of running) {
    const labels = { service: run.service ?? 'unknown', runbook: run.runbook, mode: run.mode ?? 'unknown' };
    const others = groups.get(JSON.stringify(labels))?.runs ?? [];
    groups.set(JSON.stringify(labels), { labels, runs: [...others, run] });
  }
  const idle = services.filter((service) => !running.some((run) => run.service === service));
  return {
    runsInProgress: [
      ...[...groups.values()].map(({ labels, runs }) => ({ labels, value: runs.length })),
      ...idle.map((service) => ({ labels: { service, runbook: '', mode: '' }, value: 0 })),
    ],
    runStarted: [...groups.values()].flatMap(({ labels, runs }) =>
      sample(labels, Math.min(...runs.map(({ startedAt }) => moment(startedAt)))),
    ),
    phaseStarted: running.flatMap(({ service = 'unknown', runbook, inPhase }) =>
      inPhase === undefined ? [] : sample({ service, runbook, phase: inPhase.name }, moment(inPhase.since)),
    ),
  };
}

function newest(runs: readonly StoredRun[]): StoredRun | undefined {
  return [...runs].sort((a, b) => moment(b.endedAt) - moment(a.endedAt))[0];
}

/** One sample a set of labels: its newest end. */
function newestBy(
  runs: readonly StoredRun[],
  labelsOf: (run: StoredRun) => Record<string, string> | undefined,
): Sample[] {
  const found = new Map<string, Sample>();
  for (const run of runs) {
    const labels = labelsOf(run);
    if (labels === undefined) continue;
    const key = JSON.stringify(labels);
    const value = moment(run.endedAt);
    if (value > (found.get(key)?.value ?? 0)) found.set(key, { labels, value });
  }
  return [...found.values()];
}

function merged(parts: Samples[]): Samples {
  const whole: Record<string, Sample[]> = {};
  for (const part of parts)
    for (const [name, samples] of Object.entries(part)) whole[name] = [...(whole[name] ?? []), ...samples];
  return whole;
}

function sample(labels: Record<string, string>, value: number | undefined): Sample[] {
  return value === undefined || !Number.isFinite(value) ? [] : [{ labels, value }];
}

function moment(at: string): number {
  return Date.parse(at) / 1000;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
