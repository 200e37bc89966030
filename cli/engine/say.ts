/** A message of a person to a run: sent as an update, which answers at once. */
import { randomUUID } from 'node:crypto';
import {
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { abortUpdate, approveUpdate, decideUpdate, rejectUpdate } from '../../workflows/messages.ts';
import { grpc, grpcCode, grpcDetails } from './ask.ts';
import type { Message, Reply } from './engine.ts';
import type { Reached } from './reach.ts';

// A worker that is there answers within a fraction of a second; verifying a signature is an activity of its own.
const answerWithinMs = 15_000;

// By which Temporal names an update whose run closed before it was answered.
const closedMeanwhile = 'AcceptedUpdateCompletedWorkflow';

const silences: readonly number[] = [grpc.cancelled, grpc.deadlineExceeded, grpc.resourceExhausted, grpc.unavailable];

/** Never throws for what becomes of the message: whoever sent it must be told exactly that. */
export async function say(reached: Reached, handle: WorkflowHandle, message: Message): Promise<Reply> {
  try {
    const words = await reached.connection.withDeadline(Date.now() + answerWithinMs, () => send(handle, message));
    return { kind: 'answered', words };
  } catch (error) {
    return replyOf(error);
  }
}

function send(handle: WorkflowHandle, message: Message): Promise<string> {
  // One id for all tries of this sending, another for the next: a repetition is the run's to answer.
  const updateId = `cli-${randomUUID()}`;
  switch (message.kind) {
    case 'approve':
      return handle.executeUpdate(approveUpdate, { args: [message.click], updateId });
    case 'reject':
      return handle.executeUpdate(rejectUpdate, { args: [message.click], updateId });
    case 'decide':
      return handle.executeUpdate(decideUpdate, { args: [message.click], updateId });
    case 'abort':
      return handle.executeUpdate(abortUpdate, { args: [message.click], updateId });
  }
}

function replyOf(error: unknown): Reply {
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowFailedError) return { kind: 'over' };
  if (error instanceof WorkflowUpdateFailedError) {
    const { cause } = error;
    if (cause instanceof ApplicationFailure && cause.type === closedMeanwhile) return { kind: 'over' };
    return { kind: 'refused', words: cause?.message ?? error.message };
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return { kind: 'silent', why: `no answer within ${answerWithinMs / 1000} s` };
  const code = grpcCode(error);
  if (code !== undefined && silences.includes(code)) return { kind: 'silent', why: grpcDetails(error) };
  throw error;
}
