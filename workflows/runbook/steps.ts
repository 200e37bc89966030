/** What every step has in common, whatever it does: its name and group, its record, its place among those in flight. */
import { AsyncLocalStorage, isCancellation } from '@temporalio/workflow';
import type { Step } from '../../evidence/evidence.ts';
import { failureOf } from './failure.ts';
import type { Failed } from './people/decisions.ts';
import type { Record } from './record.ts';
import { slug } from './slug.ts';
import { Standing } from './standing.ts';
import { inStep, newStep, triedAgain } from './step.ts';

export type Group = Step['group'];

/** What a step does: how it ended, and what it yields. */
export type Doing<T> = (step: Step) => Promise<{ state: Step['state']; result: T }>;

/** What becomes of a step that has failed for good; undefined: it has failed. */
export type Decide = (failed: Failed) => Promise<{ action: 'retry' } | { action: 'skip'; found: string } | undefined>;

/** Of a step that people may be asked about when it fails: what the run goes on with without it, if it can. */
export interface Askable<T> {
  skip?: { yields: T } | undefined;
  /** Asked when it has failed: whether there is no time for an answer. */
  urgent?: () => boolean;
}

export class Steps {
  /** What the run has made for itself. */
  readonly standing: Standing;
  readonly #record: Record;
  readonly #groups = new AsyncLocalStorage<Group>();
  readonly #inFlight = new Set<Promise<unknown>>();

  readonly #decide: Decide;

  /** @param beforeAnew told of the step that makes anew what stood */
  constructor(record: Record, beforeAnew: (stepId: string) => Promise<void>, decide: Decide) {
    this.#record = record;
    this.#decide = decide;
    this.standing = new Standing((times, makeAll, why) =>
      this.take(`Make the server beside anew (${times})`, 'record', async (step) => {
        await beforeAnew(step.id);
        return { state: 'done', result: { found: `done again: ${await makeAll()}, because ${why}` } };
      }).then(() => undefined),
    );
  }

  /** The phase, or what comes before and after the phases. */
  get group(): Group {
    return this.#groups.getStore() ?? 'opening';
  }

  inGroup<T>(group: Group, body: () => Promise<T>): Promise<T> {
    return this.#groups.run(group, body);
  }

  /** @param askable given where people may be asked when it fails */
  take<T>(name: string, kind: Step['kind'], body: Doing<T>, askable?: Askable<T>): Promise<T> {
    const { group } = this;
    const step = this.#record.begin({ id: `${group}/${slug(name)}`, name, group, kind });
    const done = this.#attempts(step, body, askable);
    this.#inFlight.add(done);
    const gone = () => this.#inFlight.delete(done);
    done.then(gone, gone);
    return done;
  }

  /** Waits for every step in flight to have stopped. */
  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled([...this.#inFlight]);
  }

  async #attempts<T>(step: Step, body: Doing<T>, askable?: Askable<T>): Promise<T> {
    const first = newStep(step.id, step.name);
    for (let attempt = 1, by = first; ; attempt += 1, by = triedAgain(by, attempt)) {
      const beganAt = attempt === 1 ? step.startedAt : new Date(Date.now()).toISOString();
      try {
        const { state, result } = await inStep(by, () => this.standing.on(() => body(step)));
        this.#record.end(step, state, by, result);
        return result;
      } catch (error) {
        const why = failureOf(error, step.id);
        this.#record.fail(step, isCancellation(error) ? 'cancelled' : 'failed', by, why);
        if (askable === undefined || askable.urgent?.() || isCancellation(error)) throw error;
        const { skip } = askable;
        const decided = await this.#decide({ step, why, attempt, skippable: skip !== undefined });
        if (decided === undefined) throw error;
        if (decided.action === 'skip' && skip !== undefined) {
          this.#record.skip(step, decided.found);
          return skip.yields;
        }
        this.#record.resume(step, by, beganAt);
      }
    }
  }
}
