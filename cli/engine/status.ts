import type { WorkflowExecutionStatusName } from '@temporalio/client';
import type { RunStatus } from './engine.ts';

const statuses: Partial<Record<WorkflowExecutionStatusName, RunStatus>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
  // A run never continues as new; should one, then this execution is over and nothing is known of the next.
  CONTINUED_AS_NEW: 'terminated',
};

/** Paused, and whatever newer servers add, is not over yet. */
export function statusOf(name: WorkflowExecutionStatusName): RunStatus {
  return statuses[name] ?? 'running';
}
