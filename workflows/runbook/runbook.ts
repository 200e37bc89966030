/** What is the same for every runbook: handlers, plan, evidence, cancel, undo, clean-up. A thin layer over plain Temporal code. */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ControlReads, ControlRecords } from '../../activities/contract.ts';
import {
  type Evidence,
  evidenceSchema,
  type Failure,
  type Outcome,
  type Phase,
  type RunSummary,
} from '../../evidence/evidence.ts';
import type { FailureType } from '../../evidence/failures.ts';
import { notMeasuredYet, settleEvidence } from '../../evidence/outcome.ts';
import { dataClassesOf, objectivesFor } from '../../plan/objectives.ts';
import type { Plan } from '../../plan/schema.ts';
import { checkInput, modeOf } from '../inputs.ts';
import { controlQueue, evidenceQuery, outageSignal, type RunbookName, type RunInput } from '../messages.ts';
import { version } from '../version.ts';
import { failure, failureOf } from './failure.ts';
import { Record } from './record.ts';
import { Run } from './run.ts';
import { activities, inStep, newStep } from './step.ts';

export interface Definition<I extends RunInput = RunInput> {
  name: RunbookName;
  /** As people say it: `Monthly drill`. */
  title: string;
  /** The phases that it goes through, in their order. */
  phases: readonly Phase[];
  /** What a good end is called, and a bad one. */
  outcomes: { good: Outcome; bad: Outcome };
  /** A drill undoes all that it made, also when all went well. */
  alwaysUndo: boolean;
  /** What an input that does not say it is taken to mean. */
  usualInput?: Partial<I>;
}

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
  const whole = CancellationScope.current();
  const work = new CancellationScope();
  const run = new Run<I>(plan, input, record.evidence.mode, record, () => work.cancel());
  try {
    await work.run(() => body(run));
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

function firstPage(
  definition: Omit<Definition, 'usualInput'>,
  input: RunInput,
  plan: Plan,
  read: Evidence['plan'],
): Evidence {
  const info = workflowInfo();
  const { rto, rpo } = objectivesFor(plan, definition.name);
  const classes = dataClassesOf(plan);
  return {
    schema: evidenceSchema,
    lifeboatVersion: version,
    run: info.workflowId,
    runId: info.originalExecutionRunId ?? info.runId,
    runbook: definition.name,
    title: definition.title,
    service: plan.service,
    mode: modeOf(definition.name, input),
    ...(input.requestedBy === undefined ? {} : { requestedBy: input.requestedBy }),
    input: { ...input },
    plan: read,
    startedAt: info.startTime.toISOString(),
    outcome: 'running',
    flags: [],
    objectives: { rtoMs: rto, rpoMs: rpo, ...(classes.length === 0 ? {} : { classes }) },
    rto: { objectiveMs: rto, how: notMeasuredYet },
    rpo: { objectiveMs: rpo, how: notMeasuredYet },
    phases: definition.phases.map((name) => ({ name, budgetMs: plan.phases[name], peopleMs: 0, retriesMs: 0 })),
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
  };
}

/** Undo, clean-up, outcome, evidence. Nothing in here can be cancelled. */
async function close<I extends RunInput>(
  definition: Definition<I>,
  run: Run<I>,
  record: Record,
  error?: unknown,
): Promise<RunSummary> {
  const { evidence } = record;
  await run.settle();
  if (error !== undefined || definition.alwaysUndo) await run.undoAll();
  await run.afterAll();
  if (error !== undefined)
    // What went wrong while cleaning up is told as left behind; it is not why the run ended.
    evidence.failure = isCancellation(error)
      ? failureOf(error)
      : (evidence.steps.find((step) => step.state === 'failed' && step.group !== 'closing')?.failure ??
        failureOf(error));
  settleEvidence(evidence);
  record.close(outcomeOf(definition, evidence, error));
  const summary = await write(run, evidence);
  if (error === undefined) return summary;
  if (isCancellation(error) && evidence.outcome === 'aborted') throw error;
  throw ended(evidence, evidence.failure ?? failureOf(error), summary);
}

// What was refused before it began has proven nothing, either way.
const refusals: readonly string[] = ['LockHeld', 'LiveRunInProgress'] satisfies FailureType[];

function outcomeOf(definition: Pick<Definition, 'outcomes'>, evidence: Evidence, error: unknown): Outcome {
  if (error === undefined) return evidence.mode === 'dry-run' ? 'previewed' : definition.outcomes.good;
  if (isCancellation(error)) return 'aborted';
  return refusals.includes(evidence.failure?.type ?? '') ? 'aborted' : definition.outcomes.bad;
}

async function write<I extends RunInput>(run: Run<I>, evidence: Evidence): Promise<RunSummary> {
  const { location, sha256 } = await inStep(newStep('closing/write-the-evidence', 'Write the evidence'), () =>
    run.control.writeEvidence({ store: run.plan.evidence, evidence }),
  );
  return {
    run: evidence.run,
    runbook: evidence.runbook,
    service: evidence.service,
    outcome: evidence.outcome,
    flags: evidence.flags,
    ...(evidence.rto.valueMs === undefined ? {} : { rtoMs: evidence.rto.valueMs }),
    ...(evidence.rpo.valueMs === undefined ? {} : { rpoMs: evidence.rpo.valueMs }),
    ...(evidence.failure === undefined ? {} : { failure: evidence.failure }),
    evidence: location,
    sha256,
  };
}

function ended(evidence: Evidence, why: Failure, summary: RunSummary): ApplicationFailure {
  return ApplicationFailure.create({
    type: why.type,
    message: `${evidence.run} ended ${evidence.outcome}: ${why.message}`,
    nonRetryable: true,
    details: [summary],
  });
}
