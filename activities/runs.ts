/** Runs as Temporal knows them: who holds a lock, whether a live recovery goes on. */

import { Context } from '@temporalio/activity';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { ControlReads } from './contract.ts';
import { failure } from './failure.ts';
import type { Found } from './shapes.ts';

type LockAsk = Parameters<ControlReads['lockHolder']>[0];
type LockAnswer = Awaited<ReturnType<ControlReads['lockHolder']>>;

export type Description = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>;

/**
 * Who holds a lock. An orphan, whose run is closed or was reset away, is ended here by its run id: then the lock is free.
 *
 * Safe to repeat. Temporal applies the parent close policy to the lock of a run that closes, but not to that of a run that was reset:
 * its lock outlives it.
 */
export async function lockHolder(ask: LockAsk): Promise<LockAnswer> {
  const { client } = Context.current();
  const lock = await describe(client, ask.lock);
  if (lock === undefined || !isOpen(lock)) return { free: true };
  const since = lock.startTime.toISOString();
  const parent = parentOf(lock);
  if (parent === undefined) return { free: false, holder: `${ask.lock}, which no run started`, since };
  if (parent.workflowId === ask.me.workflowId && parent.runId === ask.me.runId)
    return { free: false, mine: true, holder: parent.workflowId, since };
  const holder = await openHolder(client, parent);
  if (holder !== undefined && holder.runId !== ask.me.runId)
    return { free: false, holder: holder.workflowId, runbook: holder.type, since };
  const why =
    holder === undefined ? `${parent.workflowId}, which held it, is closed` : 'it was its own, before a reset';
  await end(client, lock, `Taken over by ${ask.me.workflowId}: ${why}`);
  return { free: true };
}

/**
 * Whether a lock is open and was started by this very execution. After a reset it never is: the lock belongs to the execution that was
 * discarded, or went with it.
 */
export async function holdsLock(ask: Parameters<ControlReads['holdsLock']>[0]): ReturnType<ControlReads['holdsLock']> {
  const { client } = Context.current();
  const lock = await describe(client, ask.lock);
  if (lock === undefined || !isOpen(lock)) return { held: false };
  const parent = parentOf(lock);
  if (parent?.workflowId === ask.me.workflowId && parent.runId === ask.me.runId) return { held: true };
  const since = lock.startTime.toISOString();
  if (parent === undefined) return { held: false, other: { holder: `${ask.lock}, which no run started`, since } };
  const holder = await openHolder(client, parent);
  // An orphan: whoever wants the lock takes it over.
  if (holder === undefined) return { held: false };
  return { held: false, other: { holder: holder.workflowId, runbook: holder.type, since } };
}

/**
 * @throws LiveRunInProgress naming the live recovery of this service that goes on
 */
export async function noLiveRun(ask: { service: string }): Promise<Found> {
  const { client } = Context.current();
  const lock = await describe(client, `lifeboat-lock/${ask.service}`);
  const expected = `no live recovery of ${ask.service}`;
  if (lock === undefined || !isOpen(lock)) return { found: `no live recovery of ${ask.service} is going on`, expected };
  const parent = parentOf(lock);
  const holder = parent === undefined ? lock : await openHolder(client, parent);
  if (holder === undefined)
    return {
      found: `no live recovery of ${ask.service} is going on; ${parent?.workflowId} left its lock behind`,
      expected,
    };
  throw failure(
    'LiveRunInProgress',
    `${holder.workflowId} (${holder.type}) recovers ${ask.service} since ${lock.startTime.toISOString()}. Start again when it has ended.`,
  );
}

/**
 * The open run that a lock belongs to: the parent itself, or what it became by a reset. A later run of the same name, which
 * did not take the lock, is not it.
 */
export async function openHolder(
  client: Client,
  parent: { workflowId: string; runId: string },
): Promise<Description | undefined> {
  const holder = await describe(client, parent.workflowId, parent.runId);
  if (holder === undefined || isOpen(holder)) return holder;
  const newest = await describe(client, parent.workflowId);
  if (newest === undefined || !isOpen(newest)) return undefined;
  return firstRunOf(newest) === firstRunOf(holder) ? newest : undefined;
}

export function parentOf(lock: Description): { workflowId: string; runId: string } | undefined {
  const { workflowId, runId } = lock.parentExecution ?? {};
  return workflowId && runId ? { workflowId, runId } : undefined;
}

export function firstRunOf(one: Description): string {
  return one.raw.workflowExecutionInfo?.firstRunId || one.runId;
}

/** `undefined` when Temporal does not know it, or no longer. */
export async function describe(client: Client, workflowId: string, runId?: string): Promise<Description | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

export function isOpen(one: Description): boolean {
  return one.status.name === 'RUNNING' || one.status.name === 'PAUSED';
}

/** By run id: should somebody else have taken it over in between, theirs is left alone. */
async function end(client: Client, lock: Description, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(lock.workflowId, lock.runId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
