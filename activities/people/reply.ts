/** What became of a message to a run: the same words for the command line and for the gateway. */
import { WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

export type Reply =
  | { kind: 'answered' | 'refused'; words: string }
  /** The run has ended. */
  | { kind: 'over' }
  /** Nobody has answered: it may have arrived, or still arrive; the same may be sent again under the same id. */
  | { kind: 'silent'; why: string };

// By which Temporal names an update whose run closed before it was answered.
const closedMeanwhile = 'AcceptedUpdateCompletedWorkflow';

/** What the run, or its end, has answered with an error; `undefined` when the error is no answer. */
export function replyIn(error: unknown): Reply | undefined {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError) return { kind: 'over' };
  if (!(error instanceof WorkflowUpdateFailedError)) return undefined;
  const { cause } = error;
  if (cause instanceof ApplicationFailure && cause.type === closedMeanwhile) return { kind: 'over' };
  return { kind: 'refused', words: cause?.message ?? error.message };
}
