import { ApplicationFailure } from '@temporalio/common';
import { type FailureType, mayPass } from '../evidence/failures.ts';

/**
 * An error that a person can act on: the message says what was seen, what was expected and what to do next.
 * Whether Temporal tries again follows from the type.
 */
export function failure(type: FailureType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: !mayPass(type),
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** What could have passed by itself was waited for long enough: it is not tried again. */
export function finalFailure(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}
