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
  return client.workflow.start(runbooks[name], {
    taskQueue: controlQueue,
    workflowId: run,
    args: [input],
    staticSummary: `${name} of ${input.service ?? 'orders'}, from the demo`,
  });
}

/** Waits for the end of a run and returns its evidence. */
export async function ended(handle: WorkflowHandle, signal: AbortSignal): Promise<Evidence> {
  return follow(handle, signal, () => undefined);
}

interface Telling {
  signal: AbortSignal;
  color: boolean;
  print(line: string): void;
  /** Called each time that the run was told as far as it has come. */
  after?(evidence: Evidence): void;
}

/** Tells a run as it goes on, step by step, and then how it ended. */
export async function tell(
  handle: WorkflowHandle,
  { signal, color, print, after = () => undefined }: Telling,
): Promise<Evidence> {
  const printed = new Set<string>();
  const evidence = await follow(handle, signal, (sofar) => {
    // The heading of a drill names the moment of the disaster: it waits until that is known.
    if (sofar.runbook === 'monthly-drill' && sofar.incidentAt === undefined && sofar.outcome === 'running') return;
    for (const line of terminalSteps(sofar, printed, { color })) print(line);
    after(sofar);
  });
  print('');
  for (const line of terminalClosing(evidence, { color })) print(line);
  return evidence;
}

/**
 * Asks again and again, and never for long: a call that is still under way when the connection is closed would be tried
 * again by the SDK on a closed channel, outside of any promise.
 */
async function follow(
  handle: WorkflowHandle,
  signal: AbortSignal,
  see: (evidence: Evidence) => void,
): Promise<Evidence> {
  while ((await handle.describe()).status.name === 'RUNNING') {
    signal.throwIfAborted();
    const evidence = await handle.query(evidenceQuery).catch(() => undefined);
    if (evidence !== undefined) see(evidence);
    await pause(300);
  }
  return lastWords(handle, see);
}

async function lastWords(handle: WorkflowHandle, see: (evidence: Evidence) => void): Promise<Evidence> {
  try {
    const evidence = await handle.query(evidenceQuery);
    see(evidence);
    return evidence;
  } catch (error) {
    // It ended before it had any evidence: then the reason is all there is.
    await handle.result();
    throw error;
  }
}
