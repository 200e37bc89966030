/** Where messages of people arrive: each is read, judged, kept and answered in words, whatever becomes of it. */
import { setHandler } from '@temporalio/workflow';
import type { Click, ClickKind } from '../../../evidence/people.ts';
import { and, type Verdict } from '../../../evidence/persons.ts';
import { approvalStatement, decisionStatement } from '../../../evidence/statements.ts';
import {
  abortPlanQuery,
  abortSignal,
  abortUpdate,
  approveSignal,
  approveUpdate,
  decideSignal,
  decideUpdate,
  rejectSignal,
  rejectUpdate,
} from '../../messages.ts';
import { failure } from '../failure.ts';
import type { Aborts } from './aborts.ts';
import type { Approvals } from './approvals.ts';
import type { Decisions } from './decisions.ts';
import { type House, isoNow } from './house.ts';
import { readSaid, type Said, type Unreadable } from './said.ts';
import { type Signed, whoSigned } from './signatures.ts';

/** What a desk has behind it once the plan is read. */
export interface Behind {
  house: House;
  approvals: Approvals;
  decisions: Decisions;
  aborts: Aborts;
}

const howTo = '{"by": "ana", "code": "..."}, with the code that is shown; "reason" as you like.';

export class Desk {
  #behind: Behind | undefined;
  #messages = 0;
  /** Of messages that came before the plan was read. */
  #early: Click[] = [];

  /** To be made before anything else is done: a message that finds no handler is lost. */
  constructor() {
    setHandler(approveUpdate, (payload: unknown) => this.#answer('approve', payload), {
      description: `Yes to an open approval, or one of its alternatives ("choice"): ${howTo}`,
    });
    setHandler(rejectUpdate, (payload: unknown) => this.#answer('reject', payload), {
      description: `No to an open approval: ${howTo}`,
    });
    setHandler(decideUpdate, (payload: unknown) => this.#answer('decide', payload), {
      description:
        'What becomes of a failed step: {"by": "ana", "code": "...", "action": "retry"}; or skip with a "reason", or abort.',
    });
    setHandler(abortUpdate, (payload: unknown) => this.#answer('abort', payload), {
      description:
        'Ends the run and takes back what it can: {"by": "ana", "code": "..."}, with the code of the query abortPlan.',
    });
    setHandler(approveSignal, (payload: unknown) => this.#note('approve', payload), { description: 'As the update.' });
    setHandler(rejectSignal, (payload: unknown) => this.#note('reject', payload), { description: 'As the update.' });
    setHandler(decideSignal, (payload: unknown) => this.#note('decide', payload), { description: 'As the update.' });
    setHandler(abortSignal, (payload: unknown) => this.#note('abort', payload), { description: 'As the update.' });
    setHandler(
      abortPlanQuery,
      () => {
        if (this.#behind === undefined) throw new Error('The run has not read its plan yet.');
        return this.#behind.aborts.plan();
      },
      { description: 'What an abort would take back now, and what would stay.' },
    );
  }

  open(behind: Behind): void {
    this.#behind = behind;
    for (const click of this.#early.splice(0)) behind.house.record.keepClick(click);
  }

  async #answer(kind: ClickKind, payload: unknown): Promise<string> {
    const { refused, said } = await this.#receive(kind, payload);
    if (refused) throw failure('Refused', said);
    return said;
  }

  /** Automation waits for no answer; what it would have been is in the evidence. */
  async #note(kind: ClickKind, payload: unknown): Promise<void> {
    await this.#receive(kind, payload);
  }

  async #receive(kind: ClickKind, payload: unknown): Promise<Verdict> {
    this.#messages += 1;
    const id = `people/message-${this.#messages}`;
    const said = readSaid(payload);
    const behind = this.#behind;
    if ('problem' in said) return this.#unread(kind, said);
    if (behind === undefined)
      return this.#keep(
        kind,
        said,
        refuse('The run has only begun and asks nothing yet: send it again in a moment.'),
        unlookedAt(said.signature !== undefined),
      );
    const verdict = await this.#judge(behind, kind, said, id);
    behind.house.record.show();
    return verdict;
  }

  #judge(behind: Behind, kind: ClickKind, said: Said, id: string): Promise<Verdict> {
    if (kind === 'abort') return this.#abort(behind, said, id);
    return kind === 'decide' ? this.#decide(behind, said, id) : this.#approve(behind, kind, said, id);
  }

  async #approve(behind: Behind, kind: 'approve' | 'reject', said: Said, id: string): Promise<Verdict> {
    const { house, approvals } = behind;
    const approval = approvals.meant(said);
    if (approval === undefined)
      return this.#keep(
        kind,
        said,
        refuse(whichOne('approval', approvals.open)),
        unlookedAt(said.signature !== undefined),
      );
    const choice = kind === 'reject' ? 'reject' : (said.choice ?? 'approve');
    const statement = approvalStatement(house.record.evidence, approval, { ...said, choice });
    const signed = await whoSigned(house, id, statement, said.signature);
    return approvals.take(approval, { ...said, ...seen(behind, signed), kind, at: isoNow() });
  }

  async #decide(behind: Behind, said: Said, id: string): Promise<Verdict> {
    const { house, decisions } = behind;
    const decision = decisions.meant(said);
    if (decision === undefined)
      return this.#keep(
        'decide',
        said,
        refuse(whichOne('failed step', decisions.open)),
        unlookedAt(said.signature !== undefined),
      );
    const { action = '' } = said;
    const statement = decisionStatement(house.record.evidence, decision, { ...said, action });
    const signed = await whoSigned(house, id, statement, said.signature);
    return decisions.take(decision, { ...said, ...seen(behind, signed), action, at: isoNow() });
  }

  async #abort({ house, aborts }: Behind, said: Said, id: string): Promise<Verdict> {
    const signed = await whoSigned(house, id, aborts.statement(said), said.signature);
    return this.#keep('abort', said, aborts.take(said, signed), signed);
  }

  #unread(kind: ClickKind, { problem, by, channel, signed }: Unreadable): Verdict {
    return this.#keep(kind, { by, channel }, refuse(`Not understood: ${problem}.`), unlookedAt(signed));
  }

  #keep(
    kind: ClickKind,
    from: Pick<Said, 'by' | 'channel'> & Partial<Said>,
    verdict: Verdict,
    { signed }: Signed,
  ): Verdict {
    const { by, channel, reason, choice, action, value } = from;
    const what = choice ?? action;
    const click: Click = {
      at: isoNow(),
      kind,
      by,
      channel,
      signed,
      counted: verdict.counted,
      said: verdict.said,
      ...(reason === undefined ? {} : { reason }),
      ...(what === undefined ? {} : { choice: what }),
      ...(value === undefined ? {} : { value }),
    };
    if (this.#behind === undefined) this.#early.push(click);
    else this.#behind.house.record.keepClick(click);
    return verdict;
  }
}

/** A run that is ending takes no answers, be its questions closed already or not. */
function seen({ aborts }: Behind, signed: Signed): Signed {
  const objection =
    signed.objection ?? (aborts.ending === undefined ? undefined : `the run is ending, ${aborts.ending}`);
  return objection === undefined ? signed : { ...signed, objection };
}

/** A message that is refused whoever has sent it: whether its signature is right was not asked. */
function unlookedAt(signed: boolean): Signed {
  return { signed: signed ? 'unchecked' : 'no' };
}

function refuse(said: string): Verdict {
  return { counted: false, refused: true, said };
}

function whichOne(what: string, open: { name: string; code: string }[]): string {
  if (open.length === 0) return `Not counted: no ${what} waits for an answer at the moment.`;
  const shown = open.map(({ name, code }) => `"${name}" (${code})`);
  return `Not counted: this names no ${what} that waits for an answer. ${open.length === 1 ? 'There is' : 'There are'} ${and(shown)}.`;
}
