/** One question to the server: with a deadline, and its silence told apart from its answers. */
import { isGrpcServiceError, NamespaceNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { Problem } from '../problem.ts';
import { Silence } from './engine.ts';
import type { Reached } from './reach.ts';

// gRPC status codes: https://grpc.io/docs/guides/status-codes/
export const grpc = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const silent: readonly number[] = [grpc.cancelled, grpc.deadlineExceeded, grpc.resourceExhausted, grpc.unavailable];

export function grpcCode(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof Error && error.cause !== undefined ? grpcCode(error.cause) : undefined;
}

export function grpcDetails(error: unknown): string {
  if (isGrpcServiceError(error)) return error.details;
  if (error instanceof Error) return error.cause === undefined ? error.message : grpcDetails(error.cause);
  return String(error);
}

/**
 * Asks within `withinMs`.
 *
 * @throws Silence when there was no answer, Problem when the answer means that asking again is pointless
 */
export async function ask<T>(reached: Reached, withinMs: number, question: () => Promise<T>): Promise<T> {
  try {
    return await reached.connection.withDeadline(Date.now() + withinMs, question);
  } catch (error) {
    throw inWords(reached, error);
  }
}

function inWords({ address, namespace }: Reached, error: unknown): unknown {
  // Some of the server's calls say it in words alone.
  if (error instanceof NamespaceNotFoundError || (grpcCode(error) === grpc.notFound && ofNamespace(error)))
    return new Problem(
      'engineUnreachable',
      `Temporal at ${address} has no namespace "${namespace}". Name the right one with TEMPORAL_NAMESPACE or a profile.`,
    );
  if (error instanceof WorkflowNotFoundError) return error;
  const code = grpcCode(error);
  if (code === grpc.permissionDenied || code === grpc.unauthenticated)
    return new Problem('engineUnreachable', `Temporal at ${address} does not let us in: ${grpcDetails(error)}.`);
  if (code !== undefined && silent.includes(code))
    return new Silence('engine', `Temporal at ${address} does not answer: ${grpcDetails(error)}`);
  return error;
}

function ofNamespace(error: unknown): boolean {
  return /^namespace \S+ (is )?not found/i.test(grpcDetails(error));
}
