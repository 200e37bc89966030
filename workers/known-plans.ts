import type { Logger } from 'pino';
import { planFiles, readPlan } from '../activities/plans.ts';
import type { Plan } from '../plan/schema.ts';

/**
 * All plans that LIFEBOAT_PLANS names. One that is wrong is said loudly and left out: it must not stop the others.
 * Whoever asks for it is told again (PlanInvalid).
 */
export async function knownPlans(logger: Logger): Promise<Plan[]> {
  const where = process.env.LIFEBOAT_PLANS;
  if (where === undefined || where === '') {
    logger.error('LIFEBOAT_PLANS names no plan: set it to a folder of plans, or to files separated by ":"');
    return [];
  }
  const plans: Plan[] = [];
  for (const file of await listed(where, logger)) {
    try {
      const { plan } = await readPlan(file);
      plans.push(plan);
      logger.info({ service: plan.service, file }, 'plan read');
    } catch (error) {
      logger.error({ file }, `this plan cannot be used:\n${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return plans;
}

async function listed(where: string, logger: Logger): Promise<string[]> {
  try {
    return await planFiles(where);
  } catch (error) {
    logger.error(error instanceof Error ? error.message : String(error));
    return [];
  }
}
