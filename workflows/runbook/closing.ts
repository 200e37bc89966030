/** How a run ends: undo, clean-up, outcome, evidence. */
import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
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
