/** What a service promises. Workflows use this: types and plain functions only. */
import type { Plan } from './schema.ts';

/** In milliseconds: what the service promises, or the runbook where it promises something else. */
export function objectivesFor(plan: Pick<Plan, 'objectives'>, runbook: string): { rto: number; rpo: number } {
  const { rto, rpo, runbooks = {} } = plan.objectives;
  const own = Object.hasOwn(runbooks, runbook) ? runbooks[runbook] : undefined;
  return { rto: own?.rto ?? rto, rpo: own?.rpo ?? rpo };
}

/** What is promised for a class of data, in milliseconds. */
export interface ClassPromise {
  name: string;
  tables: string[];
  rtoMs?: number;
  rpoMs?: number;
}

/** The classes of data for which the plan promises something of its own, in the plan's order. */
export function dataClassesOf({ objectives }: Pick<Plan, 'objectives'>): ClassPromise[] {
  return Object.entries(objectives.dataClasses ?? {}).map(([name, { tables, rto, rpo }]) => ({
    name,
    tables,
    ...(rto === undefined ? {} : { rtoMs: rto }),
    ...(rpo === undefined ? {} : { rpoMs: rpo }),
  }));
}
