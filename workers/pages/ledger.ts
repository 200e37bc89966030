/** The runs of all services: those that Temporal still knows, and those that only the evidence stores remember. */
import pMap from 'p-map';
import type { StoredRun } from '../../activities/evidence/store.ts';
import type { ListedSchedule } from '../../activities/schedules.ts';
import { type Awaited, awaitedOf } from '../../evidence/asked.ts';
import type { Flag, Mode, Outcome } from '../../evidence/evidence.ts';
import type { Plan } from '../../plan/schema.ts';
import { type Engine, type EngineRun, Unanswered } from './engine.ts';
import { type Readiness, readinessOf } from './readiness.ts';
import { type Stores, storeSilent } from './stores.ts';

export interface ListedRun {
  run: string;
  service?: string;
  runbook: string;
  mode?: Mode;
  outcome: Outcome;
  flags: Flag[];
  startedAt: string;
  endedAt?: string;
  phase?: string;
  /** Of a backup. */
  type?: string;
  rtoMs?: number;
  rpoMs?: number;
  /** Told by Temporal alone, which knows neither flags nor measurements. */
  sketchy?: true;
  /** What people are asked, while it goes on. */
  awaits?: Awaited[];
}

export interface Ledger {
  readiness: Readiness[];
  runs: ListedRun[];
  /** Who did not answer, so that what is missing is known to be missing. */
  notes: string[];
}

const atMost = 100;
const askedAtOnce = 8;

export async function ledger(engine: Engine, stores: Stores, now: Date): Promise<Ledger> {
  const { plans, notes } = await stores.plans();
  const [fromEngine, schedules, ...fromStores] = await Promise.all([
    ofEngine(engine),
    scheduled(engine),
    ...plans.map((plan) => ofStore(stores, plan)),
  ]);
  const stored = fromStores.flatMap((one) => one.runs);
  const runs = merged(fromEngine.runs, stored);
  const services = [
    ...new Set([...plans.map((plan) => plan.service), ...runs.flatMap((run) => run.service ?? [])]),
  ].sort();
  return {
    readiness: services.map((service) => {
      const plan = plans.find((one) => one.service === service);
      const own = runs.filter((run) => run.service === service);
      return readinessOf({ service, runs: own, plan, schedules, now });
    }),
    runs: await withAwaited(engine, runs.filter((run) => !isQuiet(run)).slice(0, atMost)),
    notes: [...notes, ...fromEngine.notes, ...fromStores.flatMap((one) => one.notes)],
  };
}

/** Only a run itself knows whom it waits for. One that does not answer is shown without: its own page says why. */
async function withAwaited(engine: Engine, runs: readonly ListedRun[]): Promise<ListedRun[]> {
  let silent = false;
  const asked = async (run: ListedRun): Promise<ListedRun> => {
    if (run.outcome !== 'running' || silent) return run;
    const evidence = await engine.evidence(run.run).catch((error: unknown) => {
      if (!(error instanceof Unanswered)) throw error;
      silent = true;
    });
    const awaits = evidence === undefined ? [] : awaitedOf(evidence);
    return awaits.length === 0 ? run : { ...run, awaits };
  };
  return pMap(runs, asked, { concurrency: askedAtOnce });
}

/** An anchor each hour that went well would hide all else. */
function isQuiet({ runbook, outcome, flags }: ListedRun): boolean {
  return runbook === 'anchor' && outcome === 'completed' && flags.length === 0;
}

/** `undefined`: nobody knows; that Temporal is silent is said of its runs already. */
async function scheduled(engine: Engine): Promise<ListedSchedule[] | undefined> {
  try {
    return await engine.schedules();
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    return undefined;
  }
}

async function ofEngine(engine: Engine): Promise<{ runs: EngineRun[]; notes: string[] }> {
  try {
    return { runs: await engine.list(atMost), notes: [] };
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    return { runs: [], notes: [`${error.message} Runs that go on at the moment are not shown.`] };
  }
}

async function ofStore(stores: Stores, plan: Plan): Promise<{ runs: ListedRun[]; notes: string[] }> {
  try {
    return { runs: (await stores.list(plan)).map((run) => fromStore(plan.service, run)), notes: [] };
  } catch (error) {
    const waiting = await stores.waiting(plan).catch(() => []);
    return {
      runs: waiting.map((run) => fromStore(plan.service, run)),
      notes: [storeSilent(plan.service, error)],
    };
  }
}

function fromStore(service: string, stored: StoredRun): ListedRun {
  const { runId: _runId, location: _location, failure: _failure, ...run } = stored;
  return { service, ...run };
}

/** The store knows more of a run that is over; Temporal alone knows of one that goes on, and hears of an end a second late. */
function merged(fromEngine: readonly EngineRun[], stored: readonly ListedRun[]): ListedRun[] {
  const isStored = ({ run, startedAt }: EngineRun) =>
    stored.some((one) => one.run === run && Date.parse(one.endedAt ?? one.startedAt) >= Date.parse(startedAt));
  const others = fromEngine.filter((run) => !isStored(run)).map(listed);
  return [...others, ...stored].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
}

function listed({ status, outcome, ...run }: EngineRun): ListedRun {
  return { ...run, flags: [], outcome: outcomeOf(status, outcome), ...(status === 'running' ? {} : { sketchy: true }) };
}

/** A run that was terminated, or refused at once, has not said what became of it. */
function outcomeOf(status: EngineRun['status'], said: Outcome | undefined): Outcome {
  if (status === 'running') return 'running';
  if (said !== undefined && said !== 'running') return said;
  return status === 'failed' || status === 'timed-out' ? 'failed' : 'aborted';
}
