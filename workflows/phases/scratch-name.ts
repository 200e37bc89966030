import { workflowInfo } from '@temporalio/workflow';

/** Name of the directories that a run makes. The same after a reset, and safe as a directory's name, whatever the run is called. */
export function scratchName(): string {
  const { workflowId, originalExecutionRunId, runId } = workflowInfo();
  const name = workflowId.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 24);
  return `${name}-${(originalExecutionRunId ?? runId).slice(0, 8)}`;
}
