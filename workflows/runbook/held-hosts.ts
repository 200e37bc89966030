/** Hosts that a run keeps for itself while it is open, so that drills and backups exclude each other there. */
import { CancellationScope } from '@temporalio/workflow';
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

export class HeldHosts {
  readonly #locks: Lock[] = [];
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** @param withinMs how long to wait for a host that is in use, milliseconds */
  async take(host: string, withinMs: number): Promise<{ waitedMs: number }> {
    const { control, steps, record } = this.#around;
    const lock = new Lock(`lifeboat-host/${host}`, `Host ${host}`, control, () => this.#lost(lock, host));
    const taken = await steps.take(`Hold host ${host}`, 'record', async (step) => {
      const { waitedMs, holder } = await lock.take({
        withinMs,
        waiting: (who) => {
          step.found = `in use by ${who}: waiting for it, at most ${durationText(withinMs)}`;
          record.show();
        },
      });
      const waited = waitedMs === 0 ? '' : `, after it has waited ${durationText(toSeconds(waitedMs))} for ${holder}`;
      const found = `no other drill or backup uses ${host} while this one goes on${waited}`;
      return { state: 'done', result: { found, waitedMs } };
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

  /** Somebody has ended the lock beside the run, which goes on: it is taken again, and if another run was faster, that one goes first. */
  #lost(lock: Lock, host: string): void {
    const { steps, stop } = this.#around;
    const again = steps.inGroup('opening', () =>
      steps.take(`Hold host ${host} again (${lock.losses})`, 'record', async () => {
        await CancellationScope.nonCancellable(() => lock.take());
        return {
          state: 'done',
          result: {
            found: `the lock of ${host} was ended from outside while this run went on, and is taken again`,
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
