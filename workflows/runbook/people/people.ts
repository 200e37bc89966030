/** Everything that a run has to do with people. */

import type { RunInput } from '../../messages.ts';
import { failure } from '../failure.ts';
import type { Steps } from '../steps.ts';
import type { Undos } from '../undos.ts';
import { Aborts } from './aborts.ts';
import { Approvals } from './approvals.ts';
import type { Decisions } from './decisions.ts';
import type { Behind } from './desk.ts';
import type { House } from './house.ts';
import { identifyRequester } from './requester.ts';
import { askingFor, askingInWords, whyNever } from './rules.ts';

interface Around {
  house: House;
  steps: Steps;
  undos: Undos;
  decisions: Decisions;
  /** Ends the work in order, as a cancel does. */
  stop: (why: unknown) => void;
  /** Whether somebody has done that, be it from the Temporal UI. */
  stopped: () => boolean;
}

export class People implements Behind {
  readonly house: House;
  readonly approvals: Approvals;
  readonly decisions: Decisions;
  readonly aborts: Aborts;
  readonly #steps: Steps;

  constructor({ house, steps, undos, decisions, stop, stopped }: Around) {
    this.house = house;
    this.decisions = decisions;
    this.approvals = new Approvals(house, steps);
    this.aborts = new Aborts({ house, undos, stop, stopped });
    this.#steps = steps;
  }

  /** How many messages are in the evidence. */
  get messages(): number {
    const { approvals = [], decisions = [], clicks = [] } = this.house.record.evidence;
    return [...approvals, ...decisions].reduce((sum, one) => sum + one.clicks.length, clicks.length);
  }

  /**
   * Before anything else: who has started the run, and whether those who must approve it could.
   *
   * @param given the input as it came
   * @throws PlanInvalid
   */
  async begin(approvals: readonly string[], given: RunInput): Promise<void> {
    const { house } = this;
    await identifyRequester(house, this.#steps, given);
    const asked = approvals.filter((name) => house.mode === 'live' || askingFor(house, name) !== undefined);
    if (house.mode === 'dry-run' || asked.length === 0) return;
    await this.#steps.take('People can be asked', 'check', async () => {
      const never = asked.flatMap((name) => whyNever(house, name) ?? []);
      if (never.length > 0) throw failure('PlanInvalid', `${never.join('. ')}.`);
      const words = asked.flatMap((name) => {
        const asking = askingFor(house, name);
        return asking === undefined ? [] : [`"${name}": ${askingInWords(house, asking)}`];
      });
      return { state: 'done', result: { found: words.join('; ') } };
    });
  }
}
