import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ParentClosePolicy,
  sleep,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import { durationText } from '../../plan/duration.ts';
import { lock } from '../lock.ts';
import { failure } from './failure.ts';
import { pausesWithin } from './pauses.ts';
import type { Stubs } from './step.ts';

export interface Patience {
  /** How long to wait for a lock that somebody holds, milliseconds. */
  withinMs: number;
  /** Told each time that it is looked at again. */
  waiting(holder: string): void;
}

/**
 * Takes a lock for as long as this run is open.
 *
 * An orphan (its run is closed, or was reset away) is taken over.
 * @param lockId `lifeboat-host/<host>` or `lifeboat-lock/<service>`
 * @returns how long was waited, and for whom
 * @throws LockHeld naming the run that holds it
 */
export async function hold(
  lockId: string,
  what: string,
  control: Stubs<ControlReads>,
  patience: Patience,
): Promise<{ waitedMs: number; holder: string }> {
  const began = Date.now();
  const pauses = pausesWithin(patience.withinMs);
  let holder = '';
  for (let orphans = 0; ; ) {
    if (await take(lockId)) return { waitedMs: holder === '' ? 0 : Date.now() - began, holder };
    const held = await lookAt(lockId, control);
    if (held.free && orphans < 5) {
      orphans += 1;
      continue;
    }
    holder = inWords(held);
    const pauseMs = pauses.shift();
    if (pauseMs === undefined) throw heldBy(what, held, patience.withinMs);
    patience.waiting(holder);
    await sleep(pauseMs, { summary: `${what} is in use by ${holder}`.slice(0, 120) });
  }
}

type Held = Awaited<ReturnType<ControlReads['lockHolder']>>;

function lookAt(lockId: string, control: Stubs<ControlReads>): Promise<Held> {
  const { workflowId, runId, originalExecutionRunId } = workflowInfo();
  return control.lockHolder({
    lock: lockId,
    me: { workflowId, runId, firstRunId: originalExecutionRunId ?? runId },
  });
}

function inWords({ holder, runbook }: Held): string {
  return `${holder ?? 'another run'}${runbook ? ` (${runbook})` : ''}`;
}

function heldBy(what: string, held: Held, waitedMs: number): Error {
  const waited = waitedMs === 0 ? '' : ` It did not become free in ${durationText(waitedMs)} (schedules.startWithin).`;
  return failure(
    'LockHeld',
    `${what} is held by ${inWords(held)}${held.since ? ` since ${held.since}` : ''}.${waited} Wait for it, or cancel it, then start again.`,
  );
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
