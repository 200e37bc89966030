import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { Failure } from '../../evidence/evidence.ts';
import { type FailureType, failureTypes } from '../../evidence/failures.ts';

/** An error of the runbook itself; it ends the step at once, for what the workflow has judged will not change by itself. */
export function failure(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/** What people read of an error that a step ended with. */
export function failureOf(error: unknown, step?: string): Failure {
  const where = step === undefined ? {} : { step };
  if (isCancellation(error)) return { type: 'Cancelled', message: 'The run was cancelled.', ...where };
  if (error instanceof ActivityFailure) return { ...causeOf(error), ...where };
  if (error instanceof ApplicationFailure) return { type: error.type ?? 'Bug', message: error.message, ...where };
  return { type: 'Bug', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error), ...where };
}

function causeOf(error: ActivityFailure): Failure {
  const cause = error.cause;
  if (cause instanceof TimeoutFailure) return timeoutOf(cause, error.activityType);
  if (cause instanceof ApplicationFailure) {
    const known = cause.type !== undefined && cause.type !== null && cause.type in failureTypes;
    return known
      ? { type: cause.type ?? 'Bug', message: cause.message }
      : { type: 'Bug', message: `${error.activityType}: ${cause.type ?? 'Error'}: ${cause.message}` };
  }
  return { type: 'Bug', message: `${error.activityType}: ${cause?.message ?? error.message}` };
}

function timeoutOf(timeout: TimeoutFailure, activity: string): Failure {
  if (timeout.timeoutType === 'SCHEDULE_TO_START') {
    return {
      type: 'HostSilent',
      message: `No worker took up ${activity} in the time that the plan allows (workers.answerWithin). Start lifeboat-host on that host (or lifeboat-control), then start the runbook again.`,
    };
  }
  return {
    type: 'HostSilent',
    message: `The worker that did ${activity} went silent again and again (${timeout.timeoutType?.toLowerCase() ?? 'timeout'}). See its log, and whether its machine is alive.`,
  };
}
