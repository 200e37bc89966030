import { ChildWorkflowFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
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
import { inStep, newStep, type Stubs } from './step.ts';

export interface Patience {
  /** How long to wait for a lock that somebody holds, milliseconds. */
  withinMs: number;
  /** Told each time that it is looked at again. */
  waiting(holder: string): void;
}

const none: Patience = { withinMs: 0, waiting: () => undefined };

interface Taken {
  waitedMs: number;
  /** For whom was waited. */
  holder: string;
}

type Held = Awaited<ReturnType<ControlReads['lockHolder']>>;

/** A lock that a run holds for as long as it is open: `lifeboat-host/<host>` or `lifeboat-lock/<service>`. */
export class Lock {
  /** How often somebody else ended it. */
  losses = 0;
  readonly id: string;
  readonly #what: string;
  readonly #control: Stubs<ControlReads>;
  readonly #onLost: () => void;
  #checks = 0;
  #taking: Promise<Taken> | undefined;

  /** @param onLost called when somebody ends the lock while the run goes on */
  constructor(id: string, what: string, control: Stubs<ControlReads>, onLost: () => void) {
    this.id = id;
    this.#what = what;
    this.#control = control;
    this.#onLost = onLost;
  }

  /**
   * An orphan (its run is closed, or was reset away) is taken over.
   *
   * @returns how long was waited, and for whom
   * @throws LockHeld naming the run that holds it
   */
  take(patience: Patience = none): Promise<Taken> {
    // Two at a time would each take the other for a stranger.
    this.#taking ??= this.#take(patience).finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #take(patience: Patience): Promise<Taken> {
    const began = Date.now();
    const pauses = pausesWithin(patience.withinMs);
    let holder = '';
    for (let orphans = 0; ; ) {
      if (await this.#start()) return { waitedMs: holder === '' ? 0 : Date.now() - began, holder };
      const held = await this.#look();
      if (held.mine) return { waitedMs: 0, holder };
      if (held.free && orphans < 5) {
        orphans += 1;
        continue;
      }
      holder = inWords(held);
      const pauseMs = pauses.shift();
      if (pauseMs === undefined) throw heldBy(this.#what, held, patience.withinMs);
      patience.waiting(holder);
      await sleep(pauseMs, { summary: `${this.#what} is in use by ${holder}`.slice(0, 120) });
    }
  }

  #look(): Promise<Held> {
    const { workflowId, runId, originalExecutionRunId } = workflowInfo();
    return this.#control.lockHolder({
      lock: this.id,
      me: { workflowId, runId, firstRunId: originalExecutionRunId ?? runId },
    });
  }

  /**
   * Holding it is looked at again before anything is changed: a reset leaves the lock to the execution that it discards, and the history
   * does not tell.
   *
   * @param where tells the looks apart
   */
  async keep(where: string): Promise<void> {
    const { workflowId, runId } = workflowInfo();
    this.#checks += 1;
    await inStep(newStep(`${where}/lock-${this.#checks}`, `${this.#what} is still held`), async () => {
      const { held } = await this.#control.holdsLock({ lock: this.id, me: { workflowId, runId } });
      if (!held) await this.take();
    });
  }

  async #start(): Promise<boolean> {
    try {
      // In a scope that a cancel does not reach: else the lock would be gone while undo still runs.
      const child = await CancellationScope.nonCancellable(() =>
        startChild(lock, {
          workflowId: this.id,
          parentClosePolicy: ParentClosePolicy.TERMINATE,
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          staticSummary: `Held by ${workflowInfo().workflowId}`,
        }),
      );
      child.result().catch((error) => {
        if (!(error instanceof ChildWorkflowFailure)) throw error;
        this.losses += 1;
        this.#onLost();
      });
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }
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
