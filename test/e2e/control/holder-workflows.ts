/** A run that holds a lock as runbooks do, and stands still. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { condition, defineSignal, ParentClosePolicy, setHandler, startChild } from '@temporalio/workflow';
import { lock } from '../../../workflows/lock.ts';

export { lock };

const leave = defineSignal('leave');

/** @param outlives the lock stays when the run ends; otherwise only a reset does that */
export async function holder(lockId: string, outlives: boolean): Promise<void> {
  let left = false;
  setHandler(leave, () => {
    left = true;
  });
  await take(lockId, outlives ? ParentClosePolicy.ABANDON : ParentClosePolicy.TERMINATE);
  await condition(() => left);
}

/** A run that was reset to before it took its lock meets that lock. */
async function take(lockId: string, parentClosePolicy: ParentClosePolicy): Promise<void> {
  try {
    await startChild(lock, { workflowId: lockId, parentClosePolicy });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export async function bystander(): Promise<void> {
  await condition(() => false);
}
