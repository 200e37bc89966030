/** What is the same for every runbook: handlers, plan, cancel, a beginning and an end. A thin layer over plain Temporal code. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { ControlReads, ControlRecords } from '../../activities/contract.ts';
import type { RunSummary } from '../../evidence/evidence.ts';
import { checkInput } from '../inputs.ts';
import { controlQueue, evidenceQuery, outageSignal, type RunInput } from '../messages.ts';
import { close } from './closing.ts';
import type { Definition } from './definition.ts';
import { failure, failureOf } from './failure.ts';
import { firstPage } from './first-page.ts';
import { Desk } from './people/desk.ts';
import { Record } from './record.ts';
import { Run } from './run.ts';
import { activities, inStep, newStep } from './step.ts';
import { follow } from './updates.ts';

// Before the plan is known: how long a control worker may be silent and how soon its death is noticed.
const beforeThePlan = { taskQueue: controlQueue, startToCloseMs: 60_000, heartbeatMs: 20_000, answerWithinMs: 600_000 };

/**
 * Runs `body` as a runbook and writes its evidence, however it ends.
 *
 * @throws ApplicationFailure of the failure's type, with the RunSummary as detail, when the outcome is not the good one;
 *   CancelledFailure after a cancel, once everything is undone and written down
 */
export async function runbook<I extends RunInput>(
  definition: Definition<I>,
  given: I | undefined,
  body: (run: Run<I>) => Promise<void>,
): Promise<RunSummary> {
  const state: { record?: Record } = {};
  const desk = new Desk();
  setHandler(
    evidenceQuery,
    () => {
      if (state.record === undefined) throw new Error('The run has not read its plan yet.');
      return state.record.evidence;
    },
    { description: 'The evidence so far: phases, steps, measurements, outcome.' },
  );
  setHandler(outageSignal, (note) => state.record?.noteOutage(note), {
    description: 'From an activity: what it waits for, since when, and for how long it will go on.',
  });
  const refusal = checkInput(definition.name, given);
  if (refusal !== undefined) throw failure('InputInvalid', refusal);
  const input = { ...definition.usualInput, ...given } as Readonly<I>;

  const { plan, sha256, file } = await readPlan(input);
  const record = new Record(firstPage(definition, input, plan, { sha256, file }), plan.pages);
  state.record = record;
  follow({ record, plan, unattended: definition.unattended ?? false });
  const whole = CancellationScope.current();
  const work = new CancellationScope();
  const run = new Run<I>({ definition, plan, input, record, work });
  desk.open(run.people);
  try {
    await work.run(async () => {
      await run.people.begin(run.mayAsk, given ?? {});
      await body(run);
    });
    // Stopped when nothing was left to be stopped: whoever did it was told that it ends.
    if (run.stoppedBy !== undefined) throw run.stoppedBy;
    return await CancellationScope.nonCancellable(() => close(definition, run, record));
  } catch (error) {
    if (record.evidence.endedAt !== undefined) throw error;
    return await CancellationScope.nonCancellable(async () => {
      work.cancel();
      await run.settle();
      return close(definition, run, record, whyEnded(run, whole, error));
    });
  }
}

/** Of a run that was cancelled while a worker was dead, the step ends with that worker's silence; it is the cancel that ended the run. */
function whyEnded<I extends RunInput>(run: Run<I>, whole: CancellationScope, error: unknown): unknown {
  if (run.stoppedBy !== undefined) return run.stoppedBy;
  if (!whole.consideredCancelled || isCancellation(error)) return error;
  return new CancelledFailure('The run was cancelled.', [], error instanceof Error ? error : undefined);
}

async function readPlan(input: RunInput) {
  const control = activities<ControlReads & ControlRecords>(beforeThePlan);
  try {
    return await inStep(newStep('opening/read-the-plan', 'Read the plan'), () =>
      control.loadPlan(input.service === undefined ? {} : { service: input.service }),
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type, message } = failureOf(error);
    throw ApplicationFailure.create({ type, message, nonRetryable: true });
  }
}
