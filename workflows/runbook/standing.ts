import { failureOf } from './failure.ts';

interface Made {
  name: string;
  again: () => Promise<unknown>;
}

/**
 * What the run has made for itself, and throws away at its end. After a reset the history says that it stands, and what stands there, if
 * anything, is what the discarded execution left: then it is made anew.
 */
export class Standing {
  #made: Made[] = [];
  #times = 0;
  #anew: Promise<void> | undefined;
  readonly #atWork = new Set<Promise<unknown>>();
  readonly #asStep: (times: number, makeAll: () => Promise<string>, why: string) => Promise<void>;

  /** @param asStep makes all of it anew as a step of the run */
  constructor(asStep: (times: number, makeAll: () => Promise<string>, why: string) => Promise<void>) {
    this.#asStep = asStep;
  }

  add(name: string, again: () => Promise<unknown>): void {
    this.#made.push({ name, again });
  }

  clear(): void {
    this.#made = [];
  }

  /** Does the work of a step; steps that miss what stands, side by side, go on once it was made anew, once for all of them. */
  async on<R>(body: () => Promise<R>): Promise<R> {
    const times = this.#times;
    try {
      return await this.#noted(body());
    } catch (error) {
      const { type, message } = failureOf(error);
      if (this.#made.length === 0 || type !== 'BesideLost') throw error;
      if (times === this.#times) this.#anew = this.#makeAnew(message);
      await this.#anew;
      return body();
    }
  }

  #noted<R>(work: Promise<R>): Promise<R> {
    this.#atWork.add(work);
    const over = () => this.#atWork.delete(work);
    work.then(over, over);
    return work;
  }

  async #makeAnew(why: string): Promise<void> {
    this.#times += 1;
    // Nobody may still be at work on what is replaced.
    await Promise.allSettled([...this.#atWork]);
    const makeAll = async () => {
      for (const one of this.#made) await one.again();
      return this.#made.map(({ name }) => name).join(', ');
    };
    await this.#asStep(this.#times, makeAll, why);
  }
}
