/** Asks people before something happens that cannot be taken back, and waits for them. */
import { condition, uuid4 } from '@temporalio/workflow';
import {
  type ApprovalMessage,
  type ApprovalRules,
  closeAs,
  confirm,
  expire,
  take,
  winner,
} from '../../../evidence/approvals.ts';
import { canonical, sha256, shortCode, typedCode } from '../../../evidence/canonical.ts';
import type { Step } from '../../../evidence/evidence.ts';
import { formatDuration } from '../../../evidence/format.ts';
import type { Alternative, Approval, Subject } from '../../../evidence/people.ts';
import type { Verdict } from '../../../evidence/persons.ts';
import { failure, failureOf } from '../failure.ts';
import type { Steps } from '../steps.ts';
import { canSign, type House, isoNow, membersOf, personsOf, signedOnly } from './house.ts';
import { type Asking, askingFor, askingInWords, whyNever } from './rules.ts';

/** What is approved, and what people see besides. */
export interface Facts {
  subject: Subject;
  /** May change from second to second: no yes is bound to it. */
  shown?: Subject;
}

export interface Answer {
  /** `approve`, or one of the alternatives. */
  choice: string;
  value?: string;
  round: number;
}

// Facts that change under everybody's hands will not hold still for the next round either.
const mostRounds = 20;

interface Round {
  answer?: Answer;
  /** Of a void one: the facts as they are now. */
  facts?: Facts;
}

type Done = Promise<{ state: Step['state']; result: Round & { found: string } }>;

interface Question {
  name: string;
  round: number;
  read: () => Promise<Facts>;
  alternatives: Record<string, Alternative>;
}

export class Approvals {
  readonly #house: House;
  readonly #steps: Steps;
  readonly #rounds = new Map<string, number>();

  constructor(house: House, steps: Steps) {
    this.#house = house;
    this.#steps = steps;
  }

  get #all(): Approval[] {
    return this.#house.record.evidence.approvals ?? [];
  }

  get open(): Approval[] {
    return this.#all.filter(({ outcome }) => outcome === undefined);
  }

  /**
   * A step for each round. When what was approved has changed by the time that the quorum is there, it is asked anew.
   *
   * @throws NotApproved
   */
  async ask(name: string, read: () => Promise<Facts>, alternatives: Record<string, Alternative>): Promise<Answer> {
    for (let facts: Facts | undefined; ; ) {
      const round = (this.#rounds.get(name) ?? 0) + 1;
      this.#rounds.set(name, round);
      if (round > mostRounds)
        throw failure(
          'NotApproved',
          `"${name}" was asked ${mostRounds} times, and each time something else was to be approved. Find out what keeps changing, then start again.`,
        );
      const question = { name, round, read, alternatives };
      // Whether people may be asked must not hang on facts that cannot be read at this moment: then they decide about that first.
      const askable = {};
      const done = await this.#steps.take(
        round === 1 ? name : `${name} (${round})`,
        'approval',
        (step) => this.#round(step, question, facts),
        askable,
      );
      if (done.answer !== undefined) return done.answer;
      facts = done.facts;
    }
  }

  async #round(step: Step, question: Question, known: Facts | undefined): Done {
    const { mode } = this.#house;
    const asking = askingFor(this.#house, question.name);
    if (mode === 'dry-run') return this.#listed(question, this.#wouldAsk(question.name, asking));
    if (asking === undefined) {
      if (mode === 'live') throw failure('PlanInvalid', whyNever(this.#house, question.name) ?? question.name);
      return this.#listed(question, 'nobody is asked in this drill: the plan does not say who');
    }
    const facts = known ?? (await question.read());
    const approval = this.#open(step, question, asking, facts);
    try {
      return await this.#answered(approval, question, asking);
    } catch (error) {
      if (approval.outcome === undefined) closeAs(approval, 'ended', isoNow(), failureOf(error).message);
      throw error;
    }
  }

  async #listed({ round }: Question, found: string): Done {
    return { state: 'listed', result: { found, answer: { choice: 'approve', round } } };
  }

  #wouldAsk(name: string, asking: Asking | undefined): string {
    const never = asking === undefined ? whyNever(this.#house, name) : undefined;
    if (never !== undefined || asking === undefined) return `could not be asked: ${never}`;
    return `would be asked: ${askingInWords(this.#house, asking)}`;
  }

  #open(step: Step, { name, round, alternatives }: Question, asking: Asking, facts: Facts): Approval {
    const { plan, record } = this.#house;
    const { subject, shown = {} } = facts;
    const hash = this.#hash(subject);
    const nonce = uuid4();
    const openedAt = isoNow();
    const { group, deadline, requester } = asking;
    const approval: Approval = {
      id: this.#idOf(step),
      name,
      rule: asking.called,
      round,
      subject: { ...subject },
      shown: { ...shown },
      order: [...Object.keys(subject), ...Object.keys(shown)],
      hash,
      nonce,
      code: shortCode(`${hash}:${nonce}`),
      quorum: asking.needed,
      asked: [
        {
          group,
          people: membersOf(plan, [group], requester),
          since: openedAt,
          until: new Date(Date.parse(openedAt) + deadline).toISOString(),
        },
      ],
      alternatives: { ...alternatives },
      openedAt,
      clicks: [],
    };
    record.evidence.approvals = [...this.#all, approval];
    record.show();
    return approval;
  }

  /** Of the step; one that is tried again asks another question, which is told, shown and answered by itself. */
  #idOf({ id }: Step): string {
    const anew = `${id}-again-`;
    const before = this.#all.filter((one) => one.id === id || one.id.startsWith(anew)).length;
    return before === 0 ? id : `${anew}${before + 1}`;
  }

  async #answered(approval: Approval, question: Question, asking: Asking): Done {
    const { record, plan } = this.#house;
    for (;;) {
      await record.awaitingPeople(this.#steps.group, () => this.#quorumOrEnd(approval, asking));
      const facts = approval.outcome === undefined ? await question.read() : undefined;
      const hash = facts === undefined ? approval.hash : this.#hash(facts.subject);
      const changed = facts === undefined ? '' : changes(approval.subject, facts.subject);
      const outcome = confirm(approval, { hash, at: isoNow(), changed }, personsOf(plan));
      record.show();
      if (outcome === undefined) continue;
      if (outcome === 'rejected' || outcome === 'expired')
        throw failure('NotApproved', `"${question.name}" was not approved: ${approval.why}.`);
      const found = this.#found(approval);
      if (outcome === 'void') return { state: 'done', result: { found, ...(facts && { facts }) } };
      const answer = { ...(approval.chosen ?? { choice: 'approve' }), round: question.round };
      return { state: 'done', result: { found, answer } };
    }
  }

  /** Until the quorum is there, or it is over; reminds people, and asks the next group, in time. */
  async #quorumOrEnd(approval: Approval, asking: Asking): Promise<void> {
    const answered = () => approval.outcome !== undefined || winner(approval) !== undefined;
    while (!answered()) {
      const { since, until } = approval.asked.at(-1) ?? approval.asked[0] ?? { since: '', until: '' };
      const warned = approval.warnedAt !== undefined && approval.warnedAt >= since;
      const wakeAt = Date.parse(until) - (warned ? 0 : asking.warningMs);
      const what = warned ? `"${approval.name}": time is up` : `"${approval.name}": reminder`;
      const waitMs = Math.max(1, wakeAt - Date.now());
      if (await condition(answered, waitMs, { summary: what.slice(0, 120) })) return;
      if (warned) this.#timeIsUp(approval, asking);
      else approval.warnedAt = isoNow();
      this.#house.record.show();
    }
  }

  #timeIsUp(approval: Approval, { groups, deadline, onExpiry, requester }: Asking): void {
    const asked = approval.asked.length;
    const group = groups[asked];
    const people = membersOf(this.#house.plan, groups.slice(0, asked + 1), requester);
    expire(approval, isoNow(), {
      onExpiry,
      deadlineMs: deadline,
      next: group === undefined ? undefined : { group, people },
    });
  }

  #hash(subject: Subject): string {
    const { runbook, plan, input } = this.#house.record.evidence;
    return sha256(canonical({ runbook, plan: plan.sha256, input, subject }));
  }

  #found({ outcome, why, openedAt, closedAt, chosen, alternatives }: Approval): string {
    const after = formatDuration(Date.parse(closedAt ?? openedAt) - Date.parse(openedAt));
    if (outcome === 'void') return `void after ${after}: ${why}; asked anew`;
    if (outcome === 'proceeded') return `not answered in ${after}, and the plan says: proceed`;
    const other = chosen === undefined ? undefined : alternatives[chosen.choice];
    const what =
      other === undefined
        ? 'approved'
        : `"${other.label}" chosen${chosen?.value === undefined ? '' : ` (${chosen.value})`}`;
    return `${what} after ${after}, ${why}`;
  }

  /** The one that a message means: by its id, by its code, or because only one is open. */
  meant(said: { approval?: string; code: string }): Approval | undefined {
    const byId = this.#all.filter(({ id }) => id === said.approval);
    const byCode = this.#all.filter(({ code }) => code === typedCode(said.code));
    const { open } = this;
    return byCode.at(-1) ?? byId.at(-1) ?? (said.approval === undefined && open.length === 1 ? open[0] : undefined);
  }

  take(approval: Approval, message: ApprovalMessage): Verdict {
    const { plan } = this.#house;
    const asking = askingFor(this.#house, approval.name);
    const signed = signedOnly(this.#house);
    const later = membersOf(plan, asking?.groups ?? [], asking?.requester);
    const rules: ApprovalRules = {
      persons: personsOf(plan),
      requester: asking?.requester,
      signedOnly: signed,
      later,
      mute: signed ? later.filter((person) => !canSign(plan, person)) : [],
    };
    return take(approval, message, rules);
  }
}

/** `timeline: 3 is 4 now` */
function changes(before: Subject, now: Subject): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const changed = keys.filter((key) => before[key] !== now[key]);
  return changed.map((key) => `${key}: ${before[key] ?? 'nothing'} is ${now[key] ?? 'nothing'} now`).join('; ');
}
