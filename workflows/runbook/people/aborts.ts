/** Ends a run on a person's word, after what that would do was shown. */
import { typedCode } from '../../../evidence/canonical.ts';
import type { AbortPlan } from '../../../evidence/people.ts';
import { and, isPerson, named, strangerWords, unsignedWords, type Verdict } from '../../../evidence/persons.ts';
import type { Statement } from '../../../evidence/signing.ts';
import { abortStatement } from '../../../evidence/statements.ts';
import { failure } from '../failure.ts';
import type { Undos } from '../undos.ts';
import { type House, isoNow, membersOf, personsOf, signedOnly } from './house.ts';
import type { Said } from './said.ts';
import type { Signed } from './signatures.ts';

interface Around {
  house: House;
  undos: Undos;
  /** Ends the work in order, as a cancel does. */
  stop: (why: unknown) => void;
  /** Whether somebody has done that, be it from the Temporal UI. */
  stopped: () => boolean;
}

export class Aborts {
  readonly #around: Around;
  #ending: string | undefined;

  constructor(around: Around) {
    this.#around = around;
  }

  /** Why the run is ending, in words; undefined while it goes on. */
  get ending(): string | undefined {
    return this.#ending ?? (this.#around.stopped() ? 'because it was stopped' : undefined);
  }

  /** From here on nobody needs to abort it. */
  ends(why: string): void {
    this.#ending ??= why;
  }

  plan(): AbortPlan {
    return this.#around.undos.plan(this.#around.house.record.evidence);
  }

  statement(said: Said): Statement {
    return abortStatement(this.#around.house.record.evidence, typedCode(said.code), said);
  }

  take(said: Said, { signed, objection }: Signed): Verdict {
    if (this.ending !== undefined)
      return { counted: false, refused: false, said: `The run is ending already, ${this.ending}.` };
    const plan = this.plan();
    const why =
      objection === undefined
        ? this.#refusal(said, signed === 'person' || signed === 'gateway', plan)
        : `Not counted: ${objection}.`;
    if (why !== undefined) return { counted: false, refused: true, said: why };
    const { by, reason } = said;
    const { record } = this.#around.house;
    record.evidence.aborted = { at: isoNow(), by, ...(reason === undefined ? {} : { reason }), ...plan };
    const who = named(personsOf(this.#around.house.plan), [by]);
    const words = reason === undefined || reason.trim() === '' ? '' : `: ${reason.trim()}`;
    this.#ending = `aborted by ${who}`;
    this.#around.stop(failure('Aborted', `${who} has aborted the run${words}.`));
    return { counted: true, refused: false, said: inWords(plan) };
  }

  #refusal({ by, code }: Said, isSigned: boolean, plan: AbortPlan): string | undefined {
    const { people } = this.#around.house.plan;
    if (typedCode(code) !== plan.code)
      return `Not counted: what an abort would do is not what you have read. It is ${plan.code} now; look at it again (query abortPlan).`;
    // Without people in the plan nobody is known, and whoever reaches Temporal can cancel the run just as well.
    if (people === undefined) return undefined;
    const persons = personsOf(this.#around.house.plan);
    const { requester } = this.#around.house.record.evidence;
    const groups = Object.keys(people.groups);
    if (!isPerson(persons, by)) return strangerWords(by);
    if (by !== requester?.person && !membersOf(this.#around.house.plan, groups).includes(by))
      return `Not counted: ${named(persons, [by])} has not started this run, and is in none of ${and(groups)}.`;
    return signedOnly(this.#around.house) && !isSigned ? unsignedWords : undefined;
  }
}

function inWords({ undoes, stays }: AbortPlan): string {
  const back = undoes.map(({ name }) => `"${name}"`);
  const rest = stays.map(({ name }) => `"${name}"`);
  return [
    'Counted: the run stops now.',
    back.length === 0 ? 'There is nothing to take back.' : `Then it takes back ${and(back)}.`,
    ...(rest.length === 0 ? [] : [`${and(rest)} cannot be taken back.`]),
  ].join(' ');
}
