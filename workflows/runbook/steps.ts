/** What every step has in common, whatever it does: its name and group, its record, its place among those in flight. */
import { AsyncLocalStorage, isCancellation } from '@temporalio/workflow';
import type { Step } from '../../evidence/evidence.ts';
import { failureOf } from './failure.ts';
import type { Record } from './record.ts';
import { Standing } from './standing.ts';
import { type CurrentStep, inStep, newStep } from './step.ts';

export type Group = Step['group'];

/** What a step does: how it ended, and what it yields. */
export type Doing<T> = (step: Step) => Promise<{ state: Step['state']; result: T }>;

export class Steps {
  /** What the run has made for itself. */
  readonly standing: Standing;
  readonly #record: Record;
  readonly #groups = new AsyncLocalStorage<Group>();
  readonly #inFlight = new Set<Promise<unknown>>();

  /** @param beforeAnew told of the step that makes anew what stood */
  constructor(record: Record, beforeAnew: (stepId: string) => Promise<void>) {
    this.#record = record;
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

  take<T>(name: string, kind: Step['kind'], body: Doing<T>): Promise<T> {
    const { group } = this;
    const step = this.#record.begin({ id: `${group}/${slug(name)}`, name, group, kind });
    const by = newStep(step.id, name);
    const done = inStep(by, () => this.#attempt(step, by, body));
    this.#inFlight.add(done);
    const gone = () => this.#inFlight.delete(done);
    done.then(gone, gone);
    return done;
  }

  /** Waits for every step in flight to have stopped. */
  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled([...this.#inFlight]);
  }

  async #attempt<T>(step: Step, by: CurrentStep, body: Doing<T>): Promise<T> {
    try {
      const { state, result } = await this.standing.on(() => body(step));
      this.#record.end(step, state, by, result);
      return result;
    } catch (error) {
      const failure = failureOf(error, step.id);
      this.#record.fail(step, isCancellation(error) ? 'cancelled' : 'failed', by, failure);
      throw error;
    }
  }
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
