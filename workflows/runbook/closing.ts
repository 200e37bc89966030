/** How a run ends: undo, clean-up, outcome, evidence. */
import { ApplicationFailure, allHandlersFinished, condition, isCancellation } from '@temporalio/workflow';
import type { Evidence, Failure, Outcome, RunSummary } from '../../evidence/evidence.ts';
import type { FailureType } from '../../evidence/failures.ts';
import { settleEvidence } from '../../evidence/outcome.ts';
import type { RunInput } from '../messages.ts';
import type { Definition } from './definition.ts';
import { failureOf } from './failure.ts';
import type { Record } from './record.ts';
import type { Run } from './run.ts';
import { inStep, newStep } from './step.ts';

/** To be called where nothing can be cancelled. */
export async function close<I extends RunInput>(
  definition: Definition<I>,
  run: Run<I>,
  record: Record,
  error?: unknown,
): Promise<RunSummary> {
  const { evidence } = record;
  run.people.aborts.ends(error === undefined ? 'because its work is done' : `because of ${failureOf(error).type}`);
  await run.settle();
  if (error !== undefined || definition.alwaysUndo) await run.undoAll();
  await run.afterAll();
  if (error !== undefined)
    // What went wrong while cleaning up is told as left behind; it is not why the run ended.
    evidence.failure = whyItEnded(evidence, error);
  if (error !== undefined && run.stays.length > 0) evidence.notUndone = run.stays;
  settleEvidence(evidence);
  record.close(outcomeOf(definition, evidence, error));
  await record.finish();
  const summary = await writeWithMessages(run, evidence);
  await run.takeLocksAlong();
  if (error === undefined) return summary;
  if (isCancellation(error) && evidence.outcome === 'aborted') throw error;
  throw ended(evidence, evidence.failure ?? failureOf(error), summary);
}

// Ended by people, or by their silence.
const byPeople: readonly string[] = ['NotApproved', 'Undecided', 'Aborted'] satisfies FailureType[];

function whyItEnded({ steps }: Evidence, error: unknown): Failure {
  const last = failureOf(error);
  const failed = steps.find((step) => step.state === 'failed' && step.group !== 'closing')?.failure;
  return isCancellation(error) || byPeople.includes(last.type) ? last : (failed ?? last);
}

// What was refused before it began has proven nothing, either way.
const refusals: readonly string[] = ['LockHeld', 'LiveRunInProgress'] satisfies FailureType[];

function outcomeOf(definition: Pick<Definition, 'outcomes'>, evidence: Evidence, error: unknown): Outcome {
  if (error === undefined) return evidence.mode === 'dry-run' ? 'previewed' : definition.outcomes.good;
  const { type = '', step = '' } = evidence.failure ?? {};
  if (isCancellation(error) || byPeople.includes(type) || refusals.includes(type)) return 'aborted';
  return type === 'PlanInvalid' && step.startsWith('opening/') ? 'aborted' : definition.outcomes.bad;
}

// Somebody who sends messages without end does not keep a run from ending.
const timesWritten = 3;

/** Whoever has sent a message is answered before the run is gone, and finds it in the evidence: also while that is written. */
async function writeWithMessages<I extends RunInput>(run: Run<I>, evidence: Evidence): Promise<RunSummary> {
  for (let times = 1; ; times += 1) {
    const before = run.people.messages;
    const again = times === 1 ? '' : `-again-${times}`;
    const summary = await write(run, evidence, `closing/write-the-evidence${again}`);
    await condition(allHandlersFinished);
    if (run.people.messages === before || times === timesWritten) return summary;
  }
}

async function write<I extends RunInput>(run: Run<I>, evidence: Evidence, id: string): Promise<RunSummary> {
  const { location, sha256 } = await inStep(newStep(id, 'Write the evidence'), () =>
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
    ...(evidence.backup === undefined ? {} : { backup: evidence.backup.label }),
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
