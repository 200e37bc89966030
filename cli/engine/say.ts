/** A message of a person to a run: sent as an update, which answers at once. */
import { randomUUID } from 'node:crypto';
import { type WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { type Reply, replyIn } from '../../activities/people/reply.ts';
import type { Message } from '../../workflows/messages.ts';
import { grpc, grpcCode, grpcDetails } from './ask.ts';
import type { Reached } from './reach.ts';

// A worker that is there answers within a fraction of a second; verifying a signature is an activity of its own.
const answerWithinMs = 15_000;

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

function send(handle: WorkflowHandle, { kind, click }: Message): Promise<string> {
  // One id for all tries of this sending, another for the next: a repetition is the run's to answer.
  return handle.executeUpdate<string, [Message['click']]>(kind, { args: [click], updateId: `cli-${randomUUID()}` });
}

function replyOf(error: unknown): Reply {
  const reply = replyIn(error);
  if (reply !== undefined) return reply;
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
    return { kind: 'silent', why: `no answer within ${answerWithinMs / 1000} s` };
  const code = grpcCode(error);
  if (code !== undefined && silences.includes(code)) return { kind: 'silent', why: grpcDetails(error) };
  throw error;
}
