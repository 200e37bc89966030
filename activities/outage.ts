/**
 * Waiting for a store that is away. It is said at once, by heartbeat and to the run itself; it ends with the budget that the plan gives
 * the phase, all attempts of the activity together; what no waiting can mend ends it at once.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { formatDuration } from '../evidence/format.ts';
import { type OutageNote, outageSignalName } from '../evidence/waits.ts';
import { finalFailure } from './failure.ts';
import { beating, nowWaiting, pause } from './heartbeat.ts';
import type { Patience } from './shapes.ts';

type OutageType = 'ArchiveUnreachable' | 'StoreUnreachable';

const whats: Record<OutageType, string> = {
  ArchiveUnreachable: 'the backup repository',
  StoreUnreachable: 'the evidence store',
};

// Milliseconds between two tries; and what an outage is given that begins when the budget is nearly used up.
const longestPauseMs = 5_000;
const mostGraceMs = 60_000;
const longestSilenceSeconds = 10;
/** A store that comes and goes all the time must not fill the run's history. */
const mostTold = 20;

/** Of one activity: what it waits for, and how long it still may. */
export class Outage {
  readonly #type: OutageType;
  readonly #withinMs: number | undefined;
  /** On the process's own clock, which nobody sets. */
  #deadline: number;
  #extended = false;
  #since: number | undefined;
  #tries = 0;
  #told = 0;
  #open = false;

  constructor(type: OutageType, { outageWithinMs }: Patience) {
    this.#type = type;
    this.#withinMs = outageWithinMs;
    this.#deadline = performance.now() + (outageWithinMs === undefined ? 0 : outageWithinMs - spentMs());
  }

  get leftMs(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  /** How long something may say nothing before it counts as away: a budget of minutes cannot wait as long as one of hours. */
  get silentSeconds(): number {
    return Math.min(
      longestSilenceSeconds,
      Math.max(2, Math.floor((this.#withinMs ?? Number.POSITIVE_INFINITY) / 30_000)),
    );
  }

  get lasts(): boolean {
    return this.#since !== undefined;
  }

  get isTooLong(): boolean {
    return this.lasts && this.leftMs === 0;
  }

  async began(why: string): Promise<void> {
    const first = this.#since === undefined;
    if (first) this.#grace();
    this.#since ??= performance.now();
    nowWaiting(
      `${whats[this.#type]} is away for ${formatDuration(this.#lastedMs())}, waiting ${formatDuration(this.leftMs)} more: ${why}`,
    );
    if (first && this.#told < mostTold) {
      this.#told += 1;
      this.#open = true;
      await this.#tell(why, false);
    }
  }

  async over(): Promise<void> {
    if (this.#since === undefined) return;
    this.#since = undefined;
    nowWaiting(undefined);
    if (this.#open) await this.#tell('', true);
    this.#open = false;
  }

  /** Takes note of a failed try, and waits a moment. @throws the error, when it is no outage or has lasted too long */
  async #met(error: unknown): Promise<void> {
    if (!isOutage(error) || error.nonRetryable === true) throw error;
    this.#tries += 1;
    await this.began(error.message);
    if (this.isTooLong) throw this.tooLong(error.message);
    await pause(Math.min(longestPauseMs, 1_000 * this.#tries, this.leftMs));
  }

  /** Tries again for as long as nothing but an outage stands in the way, and the time for it lasts. */
  async waitOut<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#withinMs === undefined) return attempt();
    try {
      for (;;) {
        try {
          return await attempt();
        } catch (error) {
          await beating(
            () => undefined,
            () => this.#met(error),
          );
        }
      }
    } finally {
      await this.over();
    }
  }

  tooLong(why: string): Error {
    return finalFailure(
      this.#type,
      `${why} It was waited for, ${formatDuration(this.#lastedMs())} long, until the time that the plan gives this phase was used up.`,
    );
  }

  #lastedMs(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  #grace(): void {
    if (this.#extended) return;
    const least = performance.now() + Math.min(mostGraceMs, (this.#withinMs ?? 0) / 10);
    if (least <= this.#deadline) return;
    this.#deadline = least;
    this.#extended = true;
  }

  /** The run shows it. That it cannot be told is no reason to fail: the heartbeat says it too. */
  async #tell(why: string, over: boolean): Promise<void> {
    const { info } = Context.current();
    const { workflowId, runId } = info.workflowExecution ?? {};
    if (workflowId === undefined || runId === undefined) return;
    const note: OutageNote = {
      activity: info.activityId,
      what: whats[this.#type],
      why,
      over,
      sinceMs: Math.round(this.#lastedMs()),
      leftMs: Math.round(this.leftMs),
    };
    try {
      await Context.current().client.workflow.getHandle(workflowId, runId).signal(outageSignalName, note);
    } catch (error) {
      Context.current().log.debug(`the run was not told of the outage: ${String(error)}`);
    }
  }
}

/** What earlier attempts of the activity have used up. Both times are the engine's. */
function spentMs(): number {
  const { currentAttemptScheduledTimestampMs: now, scheduledTimestampMs: first } = Context.current().info;
  return Math.max(0, now - first);
}

/** Of an activity that has one piece of work to wait with. */
export function waitingOut<T>(
  type: OutageType,
  patience: Patience,
  attempt: (outage: Outage) => Promise<T>,
): Promise<T> {
  const outage = new Outage(type, patience);
  return outage.waitOut(() => attempt(outage));
}

/** The store answers, and says no: a wrong key, a certificate that is over. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'StoreRefused';
}

export function isOutage(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && typeof error.type === 'string' && Object.hasOwn(whats, error.type);
}
