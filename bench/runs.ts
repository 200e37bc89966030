import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../evidence/evidence.ts';
import { drawRunName, startRun } from '../lab/demo/runs.ts';
import { evidenceQuery, type RunbookName, type RunInput } from '../workflows/messages.ts';

export interface Ended {
  evidence: Evidence;
  handle: WorkflowHandle;
  /** From its start to its end, on the engine's clock. */
  tookMs: number;
}

/** Runs a runbook as a client would, to its end, good or bad. */
export async function runbookEnded(
  client: Client,
  name: RunbookName,
  input: RunInput & Record<string, unknown>,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  return endOf(await startRun(client, name, drawRunName(), input), signal);
}

export async function endOf(handle: WorkflowHandle, signal: AbortSignal): Promise<Ended> {
  const { startTime, closeTime } = await closed(handle, signal);
  return {
    evidence: await handle.query(evidenceQuery),
    handle,
    tookMs: (closeTime?.getTime() ?? Number.NaN) - startTime.getTime(),
  };
}

/** Asked again and again, and never for long: so that an interrupted bench need not wait for the run. */
async function closed(handle: WorkflowHandle, signal: AbortSignal) {
  for (;;) {
    const description = await handle.describe();
    if (description.status.name !== 'RUNNING') return description;
    await pause(500, undefined, { signal });
  }
}
