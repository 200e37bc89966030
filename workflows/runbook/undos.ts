/** What can be taken back, in which order, and what cannot. */
import { workflowInfo } from '@temporalio/workflow';
import { abortCode } from '../../evidence/abort-plan.ts';
import type { ClosedDoor, Evidence } from '../../evidence/evidence.ts';
import type { AbortPlan } from '../../evidence/people.ts';
import type { PointOfNoReturn } from './change.ts';

interface Undo {
  /** Of the step whose change it takes back. */
  id: string;
  name: string;
  /** What that change does, as its preview has said it. */
  did: string;
  undo: () => Promise<unknown>;
  /** It gives the service its front door back. */
  opensDoor?: boolean;
}

/** A change that has no way back, and how far it has come. */
interface Stay {
  id: string;
  name: string;
  /** What it is to do, as its preview has said it. */
  did: string;
  state: 'begun' | 'stopped' | 'done';
  why: PointOfNoReturn['pointOfNoReturn'];
  /** Set of what another change has put out of reach. */
  sealedBy?: Stay;
}

export class Undos {
  /** Newest first. */
  #armed: Undo[] = [];
  readonly #stays: Stay[] = [];
  #sealed = false;

  /** Before the change begins. A step that is tried again keeps its first undo, which knows how the world was before it was touched. */
  arm(undo: Undo): void {
    if (this.#armed.every(({ id }) => id !== undo.id)) this.#armed.unshift(undo);
  }

  /** Before a change begins that has no way back: until it is done nobody knows how far it has come. */
  pass({ id, name, did }: Pick<Stay, 'id' | 'name' | 'did'>, { pointOfNoReturn, seals }: PointOfNoReturn): void {
    const known = this.#stays.find((one) => one.id === id);
    const stay: Stay = known ?? { id, name, did, state: 'begun', why: pointOfNoReturn };
    stay.state = 'begun';
    this.#sealed ||= seals === true;
    if (seals)
      this.#stays.unshift(
        ...this.#armed.splice(0).map((one): Stay => ({ ...one, state: 'done', why: pointOfNoReturn, sealedBy: stay })),
      );
    if (known === undefined) this.#stays.unshift(stay);
  }

  /** What could be taken back until now is done for good. */
  settle(done: Pick<Stay, 'id' | 'name' | 'did'>, why: PointOfNoReturn): void {
    this.#armed = this.#armed.filter(({ id }) => id !== done.id);
    this.pass(done, why);
    this.ended(done.id, 'done');
  }

  /** What was done so far is good by itself, whatever becomes of the rest. */
  keep(why: string): void {
    this.#stays.unshift(...this.#armed.splice(0).map((one): Stay => ({ ...one, state: 'done', why })));
  }

  /** Whether a change that has no way back has come to its end. */
  ended(id: string, state: 'stopped' | 'done'): void {
    const stay = this.#stays.find((one) => one.id === id);
    if (stay !== undefined) stay.state = state;
  }

  /** There is only the way forward. */
  get sealed(): boolean {
    return this.#sealed;
  }

  get stays(): { name: string; why: string }[] {
    return this.#stays.map((stay) => ({ name: stay.name, why: whyItStays(stay) }));
  }

  /** What an abort would do now. Reads only: it is asked for by a query. */
  plan({ steps, doorClosed }: Pick<Evidence, 'steps' | 'doorClosed'>): AbortPlan {
    const undoes = this.#armed.map(({ name, did }) => ({ name, will: `takes back: ${did}` }));
    const opensAgain = this.#armed.some(({ opensDoor }) => opensDoor === true);
    const closed = doorClosed === undefined || opensAgain ? [] : [doorStays(doorClosed)];
    const stays = [...closed, ...this.stays];
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

/** What has not come to its end must not be told as if it had happened. */
function whyItStays({ state, did, why, sealedBy }: Stay): string {
  if (sealedBy !== undefined)
    return sealedBy.state === 'done'
      ? `not after "${sealedBy.name}": ${whyItStays(sealedBy)}`
      : `not once "${sealedBy.name}" was begun, which ${unfinished[sealedBy.state]}: it may have happened`;
  if (state === 'done') return typeof why === 'string' ? why : why();
  return `${unfinished[state]}, and how far it has come is not known; it was to ${did}`;
}

const unfinished = { begun: 'is not finished yet', stopped: 'has not come to its end' } as const;

/** Beside what cannot be taken back: what the run has closed, and nobody opens by itself. */
export function doorStays({ why, byHand }: ClosedDoor): { name: string; why: string } {
  return { name: 'The front door', why: `closed, nobody can write: ${why} ${byHand}` };
}
