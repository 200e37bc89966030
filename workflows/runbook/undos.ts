/** What can be taken back, in which order, and what cannot. */
import { workflowInfo } from '@temporalio/workflow';
import { abortCode } from '../../evidence/abort-plan.ts';
import type { Evidence, Step } from '../../evidence/evidence.ts';
import type { AbortPlan } from '../../evidence/people.ts';
import type { PointOfNoReturn } from './change.ts';

interface Undo {
  /** Of the step whose change it takes back. */
  id: string;
  name: string;
  /** What that change does, as its preview has said it. */
  did: string;
  undo: () => Promise<unknown>;
}

export class Undos {
  /** Newest first. */
  #armed: Undo[] = [];
  readonly #stays: { id: string; name: string; why: string }[] = [];
  #sealed = false;

  /** Before the change begins. A step that is tried again keeps its first undo, which knows how the world was before it was touched. */
  arm(undo: Undo): void {
    if (this.#armed.every(({ id }) => id !== undo.id)) this.#armed.unshift(undo);
  }

  /** Before a change begins that has no way back. */
  pass({ id, name }: Pick<Step, 'id' | 'name'>, { pointOfNoReturn, seals }: PointOfNoReturn): void {
    this.#sealed ||= seals === true;
    if (seals) {
      const why = `not after "${name}": ${pointOfNoReturn}`;
      this.#stays.unshift(...this.#armed.splice(0).map((sealed) => ({ id: sealed.id, name: sealed.name, why })));
    }
    if (this.#stays.every((one) => one.id !== id)) this.#stays.unshift({ id, name, why: pointOfNoReturn });
  }

  /** There is only the way forward. */
  get sealed(): boolean {
    return this.#sealed;
  }

  get stays(): { name: string; why: string }[] {
    return this.#stays.map(({ name, why }) => ({ name, why }));
  }

  /** What an abort would do now. Reads only: it is asked for by a query. */
  plan({ steps }: Pick<Evidence, 'steps'>): AbortPlan {
    const undoes = this.#armed.map(({ name, did }) => ({ name, will: `takes back: ${did}` }));
    const { stays } = this;
    return {
      code: abortCode({ undoes, stays }, workflowInfo().runId),
      stops: steps.flatMap(({ state, name }) => (state === 'running' ? [name] : [])),
      undoes,
      stays,
    };
  }

  /** Each is handed out once, newest first. */
  *takeBack(): Generator<Undo> {
    for (let next = this.#armed.shift(); next !== undefined; next = this.#armed.shift()) yield next;
  }

  get any(): boolean {
    return this.#armed.length > 0;
  }
}
