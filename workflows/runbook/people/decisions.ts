/** A step that has failed for good waits for a person: try again, go on without it, or end the run. */
import { condition, uuid4, workflowInfo } from '@temporalio/workflow';
import { canonical, shortCode, typedCode } from '../../../evidence/canonical.ts';
import { type DecisionMessage, decide } from '../../../evidence/decisions.ts';
import type { Failure, Step } from '../../../evidence/evidence.ts';
import type { FailureType } from '../../../evidence/failures.ts';
import { formatDuration } from '../../../evidence/format.ts';
import type { Decision } from '../../../evidence/people.ts';
import { named, type Verdict } from '../../../evidence/persons.ts';
import type { DecisionRule } from '../../../plan/people.ts';
import { failure } from '../failure.ts';
import { type House, isoNow, membersOf, personsOf, signedOnly } from './house.ts';

// No answer of anybody changes these for this run.
const hopeless: readonly string[] = [
  'InputInvalid',
  'PlanInvalid',
  'LockHeld',
  'LiveRunInProgress',
  'NotApproved',
  'Undecided',
  'Aborted',
] satisfies FailureType[];

export interface Failed {
  step: Step;
  why: Failure;
  /** Which failure of this step. */
  attempt: number;
  /** Whether the run can do without it. */
  skippable: boolean;
}

export class Decisions {
  readonly #house: House;
  readonly #attended: boolean;

  /** @param attended whether somebody waits beside the run */
  constructor(house: House, attended: boolean) {
    this.#house = house;
    this.#attended = attended;
  }

  get #all(): Decision[] {
    return this.#house.record.evidence.decisions ?? [];
  }

  get open(): Decision[] {
    return this.#all.filter(({ closedAt }) => closedAt === undefined);
  }

  /**
   * @returns undefined when nobody is asked: the failure stands
   * @throws Aborted, Undecided
   */
  async ask(failed: Failed): Promise<{ action: 'retry' } | { action: 'skip'; found: string } | undefined> {
    const { mode, plan, record } = this.#house;
    const rule = plan.people?.decisions;
    if (mode !== 'live' || !this.#attended || rule === undefined || hopeless.includes(failed.why.type))
      return undefined;
    const decision = this.#open(failed, rule);
    try {
      await record.awaitingPeople(failed.step.group, () => this.#decided(decision, rule));
    } finally {
      decision.closedAt ??= isoNow();
      record.show();
    }
    const { action, by = '', reason } = decision;
    const who = named(personsOf(plan), [by]);
    const said = reason === undefined || reason.trim() === '' ? '' : `: ${reason.trim()}`;
    if (action === 'retry') return { action };
    if (action === 'skip') return { action, found: `skipped by ${who}${said}` };
    const { name } = failed.step;
    if (action === 'abort')
      throw failure('Aborted', `${who} has ended the run because "${name}" failed (${failed.why.type})${said}.`);
    throw failure(
      'Undecided',
      `"${name}" failed (${failed.why.type}: ${failed.why.message}), and nobody decided in ${formatDuration(rule.deadline)} what becomes of it.`,
    );
  }

  #open({ step, why, attempt, skippable }: Failed, rule: DecisionRule): Decision {
    const { plan, record } = this.#house;
    const openedAt = isoNow();
    const until = new Date(Date.parse(openedAt) + rule.deadline).toISOString();
    const decision: Decision = {
      step: step.id,
      name: step.name,
      attempt,
      code: shortCode(canonical([workflowInfo().workflowId, step.id, attempt, uuid4()])),
      failure: { type: why.type, message: why.message },
      offers: skippable ? ['retry', 'skip', 'abort'] : ['retry', 'abort'],
      asked: [{ group: rule.group, people: membersOf(plan, [rule.group]), since: openedAt, until }],
      openedAt,
      clicks: [],
    };
    record.evidence.decisions = [...this.#all, decision];
    record.show();
    return decision;
  }

  /** Until somebody has decided or the time is up; asks further groups meanwhile. */
  async #decided(decision: Decision, rule: DecisionRule): Promise<void> {
    const opened = Date.parse(decision.openedAt);
    const further = rule.escalate.filter(({ after }) => after < rule.deadline).sort((a, b) => a.after - b.after);
    const over = () => decision.action !== undefined;
    for (;;) {
      const next = further[decision.asked.length - 1];
      const wakeAt = opened + (next?.after ?? rule.deadline);
      const summary = `"${decision.name}": ${next === undefined ? 'time is up' : `ask ${next.group}`}`.slice(0, 120);
      if (await condition(over, Math.max(1, wakeAt - Date.now()), { summary })) return;
      if (next === undefined) return;
      const { plan, record } = this.#house;
      const groups = [rule.group, ...further.slice(0, decision.asked.length).map(({ group }) => group)];
      const until = decision.asked[0]?.until ?? isoNow();
      decision.asked.push({ group: next.group, people: membersOf(plan, groups), since: isoNow(), until });
      record.show();
    }
  }

  /** The one that a message means: by its code, by the step, or because only one is open. */
  meant(said: { step?: string; code: string }): Decision | undefined {
    const byCode = this.#all.find(({ code }) => code === typedCode(said.code));
    const byStep = this.#all.findLast(({ step }) => step === said.step);
    const { open } = this;
    return byCode ?? byStep ?? (said.step === undefined && open.length === 1 ? open[0] : undefined);
  }

  take(decision: Decision, message: DecisionMessage): Verdict {
    return decide(decision, message, { persons: personsOf(this.#house.plan), signedOnly: signedOnly(this.#house) });
  }
}
