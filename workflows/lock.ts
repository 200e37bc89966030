import { condition } from '@temporalio/workflow';

/** A lock is a workflow that never ends by itself: it goes when the run that holds it closes (parent close policy). */
export async function lock(): Promise<void> {
  await condition(() => false);
}
