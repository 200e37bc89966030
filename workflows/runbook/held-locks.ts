/**
 * What a run keeps for itself while it is open: hosts, so that drills and backups exclude each other there, and the service, so that there
 * is one live recovery of it.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { ControlReads } from '../../activities/contract.ts';
import { durationText } from '../../plan/duration.ts';
import { Lock } from './hold.ts';
import type { Record } from './record.ts';
import type { Stubs } from './step.ts';
import type { Steps } from './steps.ts';

interface Surroundings {
  control: Stubs<ControlReads>;
  steps: Steps;
  record: Record;
  /** Ends the work in order, as a cancel does. */
  stop: (why: unknown) => void;
}

export class HeldLocks {
  readonly #locks: Lock[] = [];
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** @param withinMs how long to wait for a host that is in use, milliseconds */
  takeHost(host: string, withinMs: number): Promise<{ waitedMs: number }> {
    const alone = `no other drill or backup uses ${host} while this one goes on`;
    return this.#take(`lifeboat-host/${host}`, `host ${host}`, alone, withinMs);
  }

  /** A live recovery waits for nobody. */
  takeService(service: string): Promise<{ waitedMs: number }> {
    const alone = `no other live recovery of ${service} begins while this one goes on`;
    return this.#take(`lifeboat-lock/${service}`, `service ${service}`, alone, 0);
  }

  /** Of a dry run: takes nothing, and says who would be in the way of the real thing. */
  async lookAtHost(host: string): Promise<void> {
    await this.#look(`lifeboat-host/${host}`, `host ${host}`);
  }

  async lookAtService(service: string): Promise<void> {
    await this.#look(`lifeboat-lock/${service}`, `service ${service}`);
  }

  async #look(lock: string, what: string): Promise<void> {
    const { control, steps, record } = this.#around;
    const { workflowId, runId } = workflowInfo();
    await steps.take(`Whether ${what} is free`, 'record', async () => {
      const { other } = await control.holdsLock({ lock, me: { workflowId, runId } });
      const expected = `no other run that uses ${what}`;
      if (other === undefined) return { state: 'done', result: { found: `${what} is free`, expected } };
      record.evidence.inUse = [...(record.evidence.inUse ?? []), { what, by: other.holder }];
      const runbook = other.runbook === undefined ? '' : ` (${other.runbook})`;
      const found = `${what} is in use by ${other.holder}${runbook} since ${other.since}: the real thing could not begin now`;
      return { state: 'done', result: { found, expected } };
    });
  }

  async #take(id: string, what: string, alone: string, withinMs: number): Promise<{ waitedMs: number }> {
    if (this.#locks.some((held) => held.id === id)) return { waitedMs: 0 };
    const { control, steps, record } = this.#around;
    const named = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
    const lock = new Lock(id, named, control, () => this.#lost(lock, what));
    const taken = await steps.take(`Hold ${what}`, 'record', async (step) => {
      const { waitedMs, holder } = await lock.take({
        withinMs,
        waiting: (who) => {
          step.found = `in use by ${who}: waiting for it, at most ${durationText(withinMs)}`;
          record.show();
        },
      });
      const waited = waitedMs === 0 ? '' : `, after it has waited ${durationText(toSeconds(waitedMs))} for ${holder}`;
      return { state: 'done', result: { found: `${alone}${waited}`, waitedMs } };
    });
    this.#locks.push(lock);
    return { waitedMs: taken.waitedMs };
  }

  /** Before something is changed: a reset may have left the lock to the execution that it discards. */
  async keep(stepId: string): Promise<void> {
    // Side by side: in some changes each round trip is felt by those who wait to write.
    await Promise.all(this.#locks.map((lock, index) => lock.keep(index === 0 ? stepId : `${stepId}/${index + 1}`)));
  }

  /** What the run has made is its own to remove, whoever else may have taken the host meanwhile. */
  async keepForUndo(): Promise<void> {
    for (const lock of this.#locks) await lock.keep('closing/undo').catch(() => undefined);
  }

  /**
   * At the very end, when nothing of the history can follow: the lock that a discarded execution took would not go with this one, and
   * stay for nobody.
   */
  async takeAlong(): Promise<void> {
    const { runId, originalExecutionRunId = runId } = workflowInfo();
    if (runId === originalExecutionRunId) return;
    for (const lock of this.#locks) await lock.keep('closing/the-end').catch(() => undefined);
  }

  /** Somebody has ended the lock beside the run, which goes on: it is taken again, and if another run was faster, that one goes first. */
  #lost(lock: Lock, what: string): void {
    const { steps, stop } = this.#around;
    const again = steps.inGroup('opening', () =>
      steps.take(`Hold ${what} again (${lock.losses})`, 'record', async () => {
        await CancellationScope.nonCancellable(() => lock.take());
        return {
          state: 'done',
          result: {
            found: `the lock of ${what} was ended from outside while this run went on, and is taken again`,
            expected: 'a lock that nobody ends but its run',
          },
        };
      }),
    );
    again.catch(stop);
  }
}

function toSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000)) * 1000;
}
