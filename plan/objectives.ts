/** What a service promises. Workflows use this: types and plain functions only. */
import type { Plan } from './schema.ts';

/** In milliseconds: what the service promises, or the runbook where it promises something else. */
export function objectivesFor(plan: Pick<Plan, 'objectives'>, runbook: string): { rto: number; rpo: number } {
  const { rto, rpo, runbooks = {} } = plan.objectives;
  const own = Object.hasOwn(runbooks, runbook) ? runbooks[runbook] : undefined;
  return { rto: own?.rto ?? rto, rpo: own?.rpo ?? rpo };
}
