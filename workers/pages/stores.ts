/** What the pages ask of the plans on this machine, and of the evidence stores that they name. */
import { listRuns, readEvidence, type StoredRun, waitingRuns } from '../../activities/evidence/store.ts';
import { planFiles, readPlan } from '../../activities/plans.ts';
import type { Evidence, Mode } from '../../evidence/evidence.ts';
import { scheduleEntries } from '../../plan/schedule-entries.ts';
import { lastTime } from '../../plan/schedule-times.ts';
import type { Plan } from '../../plan/schema.ts';
import type { RunbookName } from '../../workflows/messages.ts';
import { remember } from './remember.ts';

export interface Stores {
  /** The plans that can be read, and why others cannot. */
  plans(): Promise<{ plans: Plan[]; notes: string[] }>;
  /** Newest first. */
  list(plan: Plan): Promise<StoredRun[]>;
  /** Those whose evidence waits on this machine for the store to come back. */
  waiting(plan: Plan): Promise<StoredRun[]>;
  /** The evidence of a run in any of the stores; `silent` says which ones did not answer. */
  read(run: string): Promise<{ evidence?: Evidence; silent: string[] }>;
}

// A page that is open asks every few seconds; a store is asked for a hundred small objects each time.
const plansForMs = 10_000;
const listForMs = 5_000;
const monthlyDrill: { runbook: RunbookName; mode: Mode } = { runbook: 'monthly-drill', mode: 'drill' };
/** Two years of them. */
const drillsLookedAt = 24;
const backup: { runbook: RunbookName; mode: Mode } = { runbook: 'backup', mode: 'live' };
/** One every two hours for a month. */
const backupsLookedAt = 400;
const answerWithinMs = 15_000;

export function storesOf(where: string | undefined): Stores {
  const plans = remember(plansForMs, () => readPlans(where));
  const known = new Map<string, StoredRun[]>();
  const list = remember(listForMs, async (service: string) => {
    const plan = (await plans('')).plans.find((one) => one.service === service);
    return plan === undefined ? [] : inTime(newestRuns(plan, known));
  });
  return {
    plans: () => plans(''),
    list: (plan) => list(plan.service),
    waiting: (plan) => waitingRuns(plan.evidence, plan.service),
    read: async (run) => {
      const silent: string[] = [];
      for (const { service, evidence: store } of (await plans('')).plans)
        try {
          const evidence = await inTime(readEvidence(store, service, run));
          if (evidence !== undefined) return { evidence, silent };
        } catch (error) {
          silent.push(storeSilent(service, error));
        }
      return { silent };
    },
  };
}

/**
 * The newest of all, the newest drills, and every backup since a full one was due: a service that is backed up four times a day, with an
 * anchor each hour between, has more than a hundred runs in four days.
 */
async function newestRuns(plan: Plan, known: Map<string, StoredRun[]>): Promise<StoredRun[]> {
  const { evidence, service } = plan;
  const lists = [
    await listRuns(evidence, service, { known }),
    await listRuns(evidence, service, { known, kind: monthlyDrill, limit: drillsLookedAt }),
    await listRuns(evidence, service, {
      known,
      kind: backup,
      limit: backupsLookedAt,
      since: lastDue(plan, new Date()),
    }),
  ];
  return [...new Map(lists.flat().map((run) => [`${run.run} ${run.runId}`, run])).values()];
}

function lastDue(plan: Plan, now: Date): Date {
  const backups = scheduleEntries(plan).filter(({ name }) => /^[a-z]+-backup$/.test(name));
  return new Date(Math.min(now.getTime(), ...backups.map(({ schedule }) => lastTime(schedule, now).getTime())));
}

export function storeSilent(service: string, error: unknown): string {
  return `The evidence store of ${service} was not read: ${words(error)}`;
}

async function readPlans(where: string | undefined): Promise<{ plans: Plan[]; notes: string[] }> {
  if (where === undefined || where === '')
    return { plans: [], notes: ['LIFEBOAT_PLANS names no plan: runs that Temporal has forgotten cannot be shown.'] };
  const plans: Plan[] = [];
  const notes: string[] = [];
  try {
    for (const file of await planFiles(where))
      try {
        plans.push((await readPlan(file)).plan);
      } catch (error) {
        notes.push(`The plan ${file} cannot be read: ${words(error)}`);
      }
  } catch (error) {
    notes.push(words(error));
  }
  return { plans, notes };
}

/** A store that hangs must not hang the page. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${answerWithinMs / 1000} s`)), answerWithinMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
