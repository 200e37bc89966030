import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ParentClosePolicy,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import { lock } from '../lock.ts';
import { failure } from './failure.ts';
import type { Stubs } from './step.ts';

/**
 * Takes a lock for as long as this run is open.
 *
 * An orphan (its run is closed, or was reset away) is taken over.
 * @param lockId `lifeboat-host/<host>` or `lifeboat-lock/<service>`
 * @throws LockHeld naming the run that holds it
 */
export async function hold(lockId: string, what: string, control: Stubs<ControlReads>): Promise<void> {
  const me = workflowInfo();
  for (let tries = 1; ; tries += 1) {
    if (await take(lockId)) return;
    const holder = await control.lockHolder({
      lock: lockId,
      me: { workflowId: me.workflowId, runId: me.runId, firstRunId: me.originalExecutionRunId ?? me.runId },
    });
    if (holder.free && tries < 5) continue;
    throw failure(
      'LockHeld',
      `${what} is held by ${holder.holder ?? 'another run'}${holder.runbook ? ` (${holder.runbook})` : ''}${holder.since ? ` since ${holder.since}` : ''}. Wait for it, or cancel it, then start again.`,
    );
  }
}

async function take(lockId: string): Promise<boolean> {
  try {
    // In a scope that a cancel does not reach: else the lock would be gone while undo still runs.
    await CancellationScope.nonCancellable(() =>
      startChild(lock, {
        workflowId: lockId,
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `Held by ${workflowInfo().workflowId}`,
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
