import { TemporalFailure } from '@temporalio/workflow';
import { failure, failureOf } from './runbook/failure.ts';
import { inStep, newStep } from './runbook/step.ts';

/**
 * A question that somebody asks at a terminal. A mistake in it is an answer too: Temporal would try the same code again until whoever asks
 * has gone.
 */
export function answering<T>(id: string, name: string, look: () => Promise<T>): Promise<T> {
  return inStep(newStep(id, name), async () => {
    try {
      return await look();
    } catch (error) {
      throw error instanceof TemporalFailure ? error : failure('Bug', failureOf(error).message);
    }
  });
}
