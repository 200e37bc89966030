import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../evidence/evidence.ts';
import { drawRunName, startRun } from '../lab/demo/runs.ts';
import { evidenceQuery, type RunbookName, type RunInput } from '../workflows/messages.ts';

export interface Ended {
  evidence: Evidence;
  handle: WorkflowHandle;
  /** From the call that started it to the answer that it has ended. */
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
  const started = performance.now();
  const handle = await startRun(client, name, drawRunName(), input);
  await handle.result().catch(() => undefined);
  const tookMs = performance.now() - started;
  return { evidence: await handle.query(evidenceQuery), handle, tookMs };
}
