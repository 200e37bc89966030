import type { Awaited } from '../../evidence/asked.ts';
import type { Forecast, Outcome } from '../../evidence/evidence.ts';
import type { Kept } from '../../plan/schedule-kept.ts';
import type { Plan } from '../../plan/schema.ts';
import { changesOfPrimary, controlQueue } from '../../workflows/messages.ts';
import type { Engine, HeldLock, ListedRun, NewestAsk, Worker } from '../engine/engine.ts';
import { knownPlans, newestStoredRun } from '../plans.ts';
import { leftInTheMiddle } from './interrupted.ts';
import { type EndedEarly, lastCleanSweep, notSweptSince } from './left-behind.ts';
import { keptOf } from './punctual.ts';
import { type NewestRecovery, recoveries, withWhatIsKept } from './recovered.ts';
import { type OpenQuestions, openQuestions } from './waiting.ts';

export interface NewestRun {
  run: string;
  /** As the run's own result says; `unknown` when it left none. */
  outcome: Outcome | 'unknown';
  endedAt: string;
  rtoMs?: number;
  rpoMs?: number;
  failure?: { type: string; message: string };
  /** Label of the backup that it has taken. */
  backup?: string;
  /** It has left the front door closed. */
  doorClosed?: true;
  /** Of a switchover that has left the front door closed, as long as nobody has found it open since: what to do. */
  left?: string[];
  /** Temporal no longer knows it: this comes from the evidence store. */
  fromStore?: true;
}

export interface ServiceStatus {
  service: string;
  newestDrill?: NewestRun;
  /** The newest drill that was proven: one that was refused or cancelled since takes nothing away from it. */
  lastProven?: NewestRun;
  /** Also one that a switchover has taken at its end. */
  newestBackup?: NewestRun;
  newestSwitchover?: NewestRun;
  /** The newest that has brought the service back in place, or from nothing. */
  newestRecovery?: NewestRecovery;
  running: RunningRun[];
  /** What the plan schedules, where its plan is known here. */
  schedules: Kept[];
  /** Runs that could not clean up, and nobody has swept since. */
  endedEarly: EndedEarly[];
}

export interface RunningRun {
  run: string;
  runbook: string;
  mode?: string;
  phase?: string;
  startedAt: string;
  /** Whom it waits for: approvals and failed steps that are open. */
  waits: Awaited[];
  forecast?: Forecast;
}

export interface Status {
  address: string;
  namespace: string;
  services: ServiceStatus[];
  /** Running runs whose service is not known yet. */
  unassigned: RunningRun[];
  /** `orphan`: its run has ended or was reset away; the next run takes it over. */
  locks: (Omit<HeldLock, 'since'> & { since: string; orphan?: true })[];
  workers: string[];
  /** What could not be asked, in words. */
  notes: string[];
}

// Enough to name every service that did anything lately; older runs are asked for one by one.
const recentRuns = 300;

export async function collectStatus(
  engine: Engine,
  environment: Record<string, string | undefined>,
  only: string | undefined,
): Promise<Status> {
  const now = new Date();
  const [recent, running, locks, workers, known, schedules] = await Promise.all([
    engine.newestRuns(recentRuns),
    engine.runningRuns(),
    engine.locks(),
    engine.workers(controlQueue),
    knownPlans(environment),
    // Who may list runs may perhaps not list schedules: the runs are told all the same.
    engine.schedules.all().catch((error) => (error instanceof Error ? error : new Error(String(error)))),
  ]);
  const asked = await openQuestions(engine, running, workers.length > 0);
  const notes = [
    ...known.notes,
    ...asked.notes,
    ...(schedules instanceof Error ? [`Schedules were not read: ${schedules.message}`] : []),
  ];
  const planned = known.plans.map((plan) => plan.service);
  const names = [...new Set([...planned, ...servicesOf(recent), ...servicesOf(running)])].sort();
  const services: ServiceStatus[] = [];
  for (const service of names.filter((one) => only === undefined || one === only)) {
    const plan = known.plans.find((one) => one.service === service);
    services.push(
      await serviceStatus({ ...{ engine, environment, service, recent, running, asked, notes }, plan }, async () => {
        if (plan === undefined) return [];
        const onServer = schedules instanceof Error ? undefined : schedules;
        const found = await keptOf({ plan, runs: [...running, ...recent], schedules: onServer, now });
        notes.push(...found.notes.filter((note) => !notes.includes(note)));
        return found.kept;
      }),
    );
  }
  return {
    address: engine.address,
    namespace: engine.namespace,
    services,
    unassigned: running.filter((run) => run.service === undefined).map((run) => runningRun(run, asked)),
    locks: locks.map((lock) => ({
      ...lock,
      since: lock.since.toISOString(),
      ...(running.some(({ run }) => run === lock.holder) ? {} : { orphan: true }),
    })),
    workers: workers.map((worker: Worker) => worker.identity).sort(),
    notes,
  };
}

function servicesOf(runs: readonly ListedRun[]): string[] {
  return runs.flatMap((run) => (run.service === undefined ? [] : [run.service]));
}

interface Asked {
  engine: Engine;
  environment: Record<string, string | undefined>;
  service: string;
  recent: readonly ListedRun[];
  running: readonly ListedRun[];
  asked: OpenQuestions;
  notes: string[];
  plan: Plan | undefined;
}

async function serviceStatus(asked: Asked, schedules: () => Promise<Kept[]>): Promise<ServiceStatus> {
  const { service } = asked;
  const drill = { service, runbook: 'monthly-drill', mode: 'drill' } as const;
  const newestDrill = await newest(asked, drill);
  const lastProven =
    newestDrill?.outcome === 'proven' ? newestDrill : await newest(asked, { ...drill, outcome: 'proven' });
  const switchover = await newestChange(asked);
  const newestSwitchover = switchover === undefined ? undefined : await withWhatIsLeft(asked, switchover);
  const ownBackup = await newest(asked, { service, runbook: 'backup', mode: 'live' });
  const newestBackup =
    switchover?.backup !== undefined && switchover.endedAt > (ownBackup?.endedAt ?? '') ? switchover : ownBackup;
  const recovered = await Promise.all(
    recoveries.map((runbook) => newest(asked, { service, runbook, mode: 'live', outcome: 'recovered' })),
  );
  const [recovery] = recovered
    .flatMap((one) => one ?? [])
    .toSorted((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt));
  const newestRecovery =
    recovery === undefined
      ? undefined
      : await withWhatIsKept(
          asked.engine,
          asked.recent.filter((one) => one.service === service),
          recovery,
          asked.plan,
        );
  return {
    service,
    ...(newestDrill === undefined ? {} : { newestDrill }),
    ...(lastProven === undefined ? {} : { lastProven }),
    ...(newestBackup === undefined ? {} : { newestBackup }),
    ...(newestSwitchover === undefined ? {} : { newestSwitchover }),
    ...(newestRecovery === undefined ? {} : { newestRecovery }),
    running: asked.running.filter((run) => run.service === service).map((run) => runningRun(run, asked.asked)),
    schedules: await schedules(),
    endedEarly: await notSweptSince(asked.engine, asked.recent, service, asked.plan),
  };
}

/** Planned or not. */
async function newestChange(asked: Asked): Promise<NewestRun | undefined> {
  const { service } = asked;
  const changes = await Promise.all(
    changesOfPrimary.map((runbook) => newest(asked, { service, runbook, mode: 'live' })),
  );
  return changes.flatMap((one) => one ?? []).toSorted((a, b) => b.endedAt.localeCompare(a.endedAt))[0];
}

/** Of a run that was terminated that is told beside others that could not clean up. */
async function withWhatIsLeft({ engine, recent, service, plan }: Asked, run: NewestRun): Promise<NewestRun> {
  // A run that was cancelled leaves no result that would say so.
  if (!run.doorClosed && run.outcome !== 'aborted') return run;
  const sweptAt = await lastCleanSweep(
    engine,
    recent.filter((one) => one.service === service),
  );
  if (sweptAt !== undefined && sweptAt > run.endedAt) return run;
  return { ...run, left: await leftInTheMiddle(engine, run.run, plan) };
}

async function newest({ engine, environment, recent, notes }: Asked, ask: NewestAsk): Promise<NewestRun | undefined> {
  const listed = recent.find((run) => run.status !== 'running' && isOne(run, ask)) ?? (await engine.newestOf(ask));
  if (listed !== undefined) return resultOf(engine, listed);
  const stored = await newestStoredRun(environment, ask);
  if (stored.note !== undefined && !notes.includes(stored.note)) notes.push(stored.note);
  return stored.run === undefined ? undefined : { ...stored.run, fromStore: true };
}

function isOne(run: ListedRun, { service, runbook, mode, outcome }: NewestAsk): boolean {
  return (
    run.service === service &&
    run.runbook === runbook &&
    run.mode === mode &&
    (outcome === undefined || run.outcome === outcome)
  );
}

async function resultOf(engine: Engine, listed: ListedRun): Promise<NewestRun> {
  const { summary, failure, status } = await engine.watch(listed.run).ending();
  const why = summary?.failure ?? failure;
  return {
    run: listed.run,
    // Temporal gives a cancelled run no result; it undid all and wrote its evidence nevertheless.
    outcome: summary?.outcome ?? (status === 'cancelled' ? 'aborted' : 'unknown'),
    endedAt: (listed.endedAt ?? listed.startedAt).toISOString(),
    ...(summary?.rtoMs === undefined ? {} : { rtoMs: summary.rtoMs }),
    ...(summary?.rpoMs === undefined ? {} : { rpoMs: summary.rpoMs }),
    ...(why === undefined ? {} : { failure: { type: why.type, message: why.message } }),
    ...(summary?.backup === undefined ? {} : { backup: summary.backup }),
    ...(summary?.flags.includes('door-closed') ? { doorClosed: true as const } : {}),
  };
}

function runningRun(run: ListedRun, { byRun }: OpenQuestions): RunningRun {
  return {
    waits: [],
    ...byRun.get(run.run),
    run: run.run,
    runbook: run.runbook ?? 'unknown',
    ...(run.mode === undefined ? {} : { mode: run.mode }),
    ...(run.phase === undefined ? {} : { phase: run.phase }),
    startedAt: run.startedAt.toISOString(),
  };
}
