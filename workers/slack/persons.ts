/** Who somebody in Slack is: a person of a service's plan, or a stranger. Read anew each time: a plan may have changed since. */
import type { Logger } from 'pino';
import { planFiles, readPlan } from '../../activities/plans.ts';
import type { Plan } from '../../plan/schema.ts';

export interface Known {
  plan: Plan;
  /** Id in the plan. */
  person: string;
}

export class Persons {
  readonly #where: string;
  readonly #logger: Logger;

  constructor(where: string, logger: Logger) {
    this.#where = where;
    this.#logger = logger;
  }

  /** Plans that say who people are. One that cannot be read is said in the log and left out. */
  async plans(): Promise<Plan[]> {
    const plans: Plan[] = [];
    for (const file of await this.#files())
      try {
        plans.push((await readPlan(file)).plan);
      } catch (error) {
        this.#logger.error(
          { file },
          `this plan cannot be used:\n${error instanceof Error ? error.message : String(error)}`,
        );
      }
    return plans.filter(({ people }) => people !== undefined);
  }

  async planOf(service: string): Promise<Plan | undefined> {
    return (await this.plans()).find((plan) => plan.service === service);
  }

  /** The services of which this user is a person. */
  async servicesOf(user: string): Promise<Known[]> {
    return (await this.plans()).flatMap((plan) => {
      const person = personOf(plan, user);
      return person === undefined ? [] : [{ plan, person }];
    });
  }

  /** Whoever is none hears nothing of the service's runs, not even that there are some. */
  async isPersonOf(user: string, service: string): Promise<boolean> {
    return (await this.servicesOf(user)).some(({ plan }) => plan.service === service);
  }

  async #files(): Promise<string[]> {
    try {
      return await planFiles(this.#where);
    } catch (error) {
      this.#logger.error(error instanceof Error ? error.message : String(error));
      return [];
    }
  }
}

export function personOf({ people }: Plan, user: string): string | undefined {
  return Object.entries(people?.persons ?? {}).find(([, { slack }]) => slack === user)?.[0];
}

/** Slack's ids of a plan's people, by which messages call them. */
export function slackIdsOf({ people }: Plan): Record<string, string> {
  return Object.fromEntries(
    Object.entries(people?.persons ?? {}).flatMap(([id, { slack }]) => (slack === undefined ? [] : [[id, slack]])),
  );
}
