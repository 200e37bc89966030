/** What the plans on this machine tell, when LIFEBOAT_PLANS names any: services by name, and where evidence is kept. */
import type { RunKind } from '../activities/evidence/store.ts';
import type { StoredRun } from '../activities/evidence/stored-run.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Plan } from '../plan/schema.ts';
import { nearest } from '../workflows/inputs.ts';
import { Problem } from './problem.ts';
import type { NewestRun } from './status/collect.ts';

// What ended before a moment is not read, however many the store names.
const manyRuns = 1000;

type Environment = Record<string, string | undefined>;

interface Known {
  plans: Plan[];
  /** Why a plan could not be read. */
  notes: string[];
}

export async function knownPlans(environment: Environment): Promise<Known> {
  const where = environment.LIFEBOAT_PLANS;
  if (where === undefined || where === '') return { plans: [], notes: [] };
  // Loaded only here: the schema library would cost every other command its start.
  const { planFiles, readPlan } = await import('../activities/plans.ts');
  const known: Known = { plans: [], notes: [] };
  const noted = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      known.notes.push(firstLine(error));
      return undefined;
    }
  };
  for (const file of (await noted(() => planFiles(where))) ?? []) {
    const read = await noted(() => readPlan(file));
    if (read !== undefined) known.plans.push(read.plan);
  }
  return known;
}

/**
 * The plans on this machine, for what cannot be done without them.
 *
 * @throws Problem LIFEBOAT_PLANS names none that can be read
 */
export async function plansHere(environment: Environment): Promise<Known> {
  const known = await knownPlans(environment);
  if (known.plans.length > 0) return known;
  if (known.notes.length > 0) throw new Problem('badInput', known.notes.join('\n'), 'PlanInvalid');
  throw new Problem(
    'badInput',
    'LIFEBOAT_PLANS names no plan, and without one nothing is scheduled: set it to a folder of plans, or to files separated by ":".',
  );
}

/**
 * The service that is meant when none is named: the only one that has a plan here.
 *
 * @throws Problem a plan cannot be read: the only other one may not be the one that is meant
 */
async function onlyService(environment: Environment): Promise<string | undefined> {
  const { plans, notes } = await knownPlans(environment);
  if (notes.length > 0)
    throw new Problem(
      'badInput',
      `${notes.join('\n')}\nWhich service is meant cannot be told: mend the plan (lifeboat plan validate), or name the service.`,
      'PlanInvalid',
    );
  return plans.length === 1 ? plans[0]?.service : undefined;
}

/**
 * The service to start a run for: the one that was named, or the only one that has a plan here.
 *
 * @throws Problem plans are known here, and none is of that service
 */
export async function serviceMeant(environment: Environment, named: string | undefined): Promise<string | undefined> {
  if (named === undefined) return onlyService(environment);
  const { plans, notes } = await knownPlans(environment);
  const services = plans.map((plan) => plan.service);
  // A plan that cannot be read may be the one that is meant: then the run itself says what is wrong with it.
  if (services.length === 0 || notes.length > 0 || services.includes(named)) return named;
  const near = nearest(named, services);
  throw new Problem(
    'badInput',
    `there is no plan for "${named}"${near === undefined ? '.' : `: did you mean "${near}"?`} LIFEBOAT_PLANS has plans of ${services.join(', ')}; without LIFEBOAT_PLANS the name is left to the worker.`,
    'InputInvalid',
  );
}

/** The evidence of a run in the stores of all known plans; `why` says what was looked at in vain. */
export async function storedEvidence(
  environment: Environment,
  run: string,
): Promise<{ evidence?: Evidence; why: string[] }> {
  const { plans, notes } = await knownPlans(environment);
  if (plans.length === 0)
    return {
      why: [...notes, 'The evidence stores were not asked: LIFEBOAT_PLANS names no plan that says where they are.'],
    };
  const { readEvidence } = await import('../activities/evidence/store.ts');
  const why = [...notes];
  for (const plan of plans) {
    try {
      const evidence = await readEvidence(plan.evidence, plan.service, run);
      if (evidence !== undefined) return { evidence, why };
      why.push(`The evidence store of ${plan.service} does not have it.`);
    } catch (error) {
      why.push(`The evidence store of ${plan.service} was not read: ${firstLine(error)}`);
    }
  }
  return { why };
}

/** The newest run of a kind that the store remembers: it outlives Temporal's retention. */
export async function newestStoredRun(
  environment: Environment,
  wanted: { service: string; runbook: string; mode: string; outcome?: string },
): Promise<{ run?: NewestRun; note?: string }> {
  const { plans } = await knownPlans(environment);
  const plan = plans.find((one) => one.service === wanted.service);
  if (plan === undefined) return {};
  const { runs, note } = await storedRunsOf(plan, { runbook: wanted.runbook, mode: wanted.mode });
  const stored = runs.find((one) => wanted.outcome === undefined || one.outcome === wanted.outcome);
  if (stored === undefined) return note === undefined ? {} : { note };
  const { run, outcome, endedAt, rtoMs, rpoMs } = stored;
  return {
    run: {
      run,
      outcome,
      endedAt,
      ...(rtoMs === undefined ? {} : { rtoMs }),
      ...(rpoMs === undefined ? {} : { rpoMs }),
    },
    ...(note === undefined ? {} : { note }),
  };
}

/** Newest first; `note` says why the store was not read: then only those are told whose evidence waits here. */
export async function storedRunsOf(
  { evidence, service }: Plan,
  kind: RunKind,
  since?: Date,
): Promise<{ runs: StoredRun[]; note?: string }> {
  const { listRuns, waitingRuns } = await import('../activities/evidence/store.ts');
  try {
    return { runs: await listRuns(evidence, service, { kind, ...(since && { since, limit: manyRuns }) }) };
  } catch (error) {
    return {
      runs: await waitingRuns(evidence, service, kind),
      note: `The evidence store of ${service} was not read: ${firstLine(error)}`,
    };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
