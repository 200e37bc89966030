import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { terminalClosing, terminalSteps } from '../../evidence/render/terminal.ts';
import { controlQueue, evidenceQuery, type RunbookName, type RunInput, runbooks } from '../../workflows/messages.ts';

/** The same kind of name that the command line gives: the service and four hexadecimal digits. */
export function drawRunName(): string {
  return `orders-${randomBytes(2).toString('hex')}`;
}

export function startRun(client: Client, name: RunbookName, run: string, input: RunInput): Promise<WorkflowHandle> {
  return client.workflow.start(runbooks[name], { taskQueue: controlQueue, workflowId: run, args: [input] });
}

/** Waits for the end of a run and returns its evidence. */
export async function ended(handle: WorkflowHandle, signal: AbortSignal): Promise<Evidence> {
  return follow(handle, signal, () => undefined);
}

/** Tells a run as it goes on, step by step, and then how it ended. */
export async function tell(
  handle: WorkflowHandle,
  { signal, color, print }: { signal: AbortSignal; color: boolean; print(line: string): void },
): Promise<Evidence> {
  const printed = new Set<string>();
  const evidence = await follow(handle, signal, (sofar) => {
    // The heading names the moment of the disaster: it waits until that is known.
    if (sofar.incidentAt === undefined && sofar.outcome === 'running') return;
    for (const line of terminalSteps(sofar, printed, { color })) print(line);
  });
  print('');
  for (const line of terminalClosing(evidence, { color })) print(line);
  return evidence;
}

async function follow(
  handle: WorkflowHandle,
  signal: AbortSignal,
  see: (evidence: Evidence) => void,
): Promise<Evidence> {
  const run: { over: boolean; why?: unknown } = { over: false };
  const end = handle.result().then(
    () => {
      run.over = true;
    },
    (error: unknown) => {
      run.over = true;
      run.why = error;
    },
  );
  while (!run.over) {
    signal.throwIfAborted();
    const evidence = await handle.query(evidenceQuery).catch(() => undefined);
    if (evidence !== undefined) see(evidence);
    await Promise.race([end, pause(300)]);
  }
  return lastWords(handle, run.why, see);
}

async function lastWords(handle: WorkflowHandle, why: unknown, see: (evidence: Evidence) => void): Promise<Evidence> {
  try {
    const evidence = await handle.query(evidenceQuery);
    see(evidence);
    return evidence;
  } catch (error) {
    // It ended before it had any evidence: then the reason is all there is.
    throw why ?? error;
  }
}
