/** What earlier runs took, for whom it helps to know: nobody waits for it long, and nothing fails of it. */
import { isCancellation } from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import type { Evidence, Mode } from '../../evidence/evidence.ts';
import { type EarlierRun, usualMs } from '../../evidence/forecast.ts';
import type { Plan } from '../../plan/schema.ts';
import { controlQueue } from '../messages.ts';
import { activities, inStep, newStep } from './step.ts';

/** `undefined`: the store is away; a run that needs it says so itself. */
export async function readEarlierRuns(
  { evidence: store, workers }: Plan,
  { service, runbook }: Evidence,
  mode: Mode,
): Promise<EarlierRun[] | undefined> {
  const { heartbeat, answerWithin } = workers;
  const limits = { taskQueue: controlQueue, startToCloseMs: 60_000, heartbeatMs: heartbeat, attempts: 2 };
  const control = activities<Pick<ControlReads, 'earlierRuns'>>({ ...limits, answerWithinMs: answerWithin });
  try {
    const { runs } = await inStep(newStep('opening/earlier-runs', 'What earlier runs took'), () =>
      control.earlierRuns({ store, service, runbook, mode }),
    );
    return runs;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}

/** For the changes of a dry run: what each of them took when it was done. Read when the first of them asks. */
export class EarlierRuns {
  readonly #plan: Plan;
  readonly #evidence: Evidence;
  #read: Promise<EarlierRun[] | undefined> | undefined;

  constructor(plan: Plan, evidence: Evidence) {
    this.#plan = plan;
    this.#evidence = evidence;
  }

  /** Milliseconds of machine time; `undefined` where no earlier run knows the step. */
  async usualMs(stepId: string): Promise<number | undefined> {
    const mode = this.#evidence.runbook === 'monthly-drill' ? 'drill' : 'live';
    this.#read ??= readEarlierRuns(this.#plan, this.#evidence, mode);
    return usualMs(stepId, (await this.#read) ?? [], this.#evidence.backup?.bytes);
  }
}
