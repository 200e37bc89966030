/** Messages of a run on their way to people: one after the other, each once, and what became of each in the evidence. */
import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { ControlRecords, Message, Outlets, Posted } from '../../activities/contract.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Approval, Decision, Post } from '../../evidence/people.ts';
import { reportAddress } from '../../evidence/render/markdown/live-page.ts';
import { isOpen } from '../../evidence/status.ts';
import { isClosing, type Telling } from '../../evidence/tellings.ts';
import type { Plan } from '../../plan/schema.ts';
import { controlQueue } from '../messages.ts';
import { failureOf } from './failure.ts';
import type { Record } from './record.ts';
import { activities, inStep, newStep, type Stubs } from './step.ts';

/** How long Slack is waited for, milliseconds: at first; and while it is away, when each message would wait for it again. */
const usualPatienceMs = 20_000;
const shortPatienceMs = 5_000;
/** Of the message that the thread begins with: one run has one thread. */
const headKey = 'start';
/** For one attempt, the webhook included; and at the end of a run, which a dead worker must not keep open. */
const attemptWithinMs = 60_000;
const lastWithinMs = 60_000;
/** Before a question is brought again to Slack, which was away; then ever more seldom. */
const firstPauseMs = 60_000;
const longestPauseMs = 30 * 60_000;

/** A question that has not come to Slack, where its buttons would be. */
interface Unseen {
  telling: Telling;
  /** When to try again. */
  at: number;
}

interface Following {
  record: Record;
  plan: Plan;
  outlets: Outlets;
  /** What the thread begins with, when another message than the first has to begin it. */
  head: Pick<Message, 'headline' | 'lines'>;
}

export class Posts {
  readonly #of: Following;
  readonly #control: Stubs<Pick<ControlRecords, 'post'>>;
  readonly #queue: Telling[] = [];
  readonly #unseen = new Map<string, Unseen>();
  /** How often each was on its way: every way is an activity of its own. */
  readonly #ways = new Map<string, number>();
  #missed: { id: string; headline: string }[] = [];
  #restUntil: string | undefined;
  #slackIsAway = false;
  #unsure = false;
  #onTheWay = false;

  constructor(following: Following) {
    this.#of = following;
    const { heartbeat, answerWithin } = following.plan.workers;
    this.#control = activities<Pick<ControlRecords, 'post'>>({
      taskQueue: controlQueue,
      startToCloseMs: attemptWithinMs,
      heartbeatMs: heartbeat,
      answerWithinMs: answerWithin,
      attempts: 3,
    });
  }

  /** When a question that is still open should be brought to Slack again. */
  get tryAgainAt(): number | undefined {
    const times = [...this.#unseen.values()].map((one) => one.at);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  tell(telling: Telling): void {
    // Of two updates only the newer one is worth reading.
    if (telling.kind === 'status') this.#drop(({ kind }) => kind === 'status');
    this.#queue.push(telling);
    if (this.#onTheWay) return;
    this.#onTheWay = true;
    // Whatever step it was that changed the evidence: its end is not the end of the message.
    void CancellationScope.nonCancellable(() => this.#deliverAll());
  }

  /** Questions whose buttons nobody has seen. */
  tryAgain(now: number): void {
    for (const [key, { telling, at }] of this.#unseen) {
      if (at > now) continue;
      this.#unseen.delete(key);
      if (!this.#isOpen(telling)) continue;
      // It is not told that it was missed, and then told.
      this.#missed = this.#missed.filter(({ id }) => id !== idOf(key));
      this.tell(telling);
    }
  }

  /** The last message, and what must come before it; then waits until all are told, for a minute at most. */
  async end(last: Telling): Promise<void> {
    this.#unseen.clear();
    this.#drop(({ kind }) => kind === 'status' || kind === 'phase' || kind === 'reminder');
    this.tell(last);
    if (await condition(() => !this.#onTheWay, lastWithinMs)) return;
    for (const { key, kind, headline } of this.#queue.splice(0))
      this.#note({ key, kind, headline, delivered: 'nowhere', why: 'no worker took it up before the run ended' });
  }

  async #deliverAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#deliver(next);
    this.#onTheWay = false;
  }

  async #deliver(telling: Telling): Promise<void> {
    const { key, kind, headline } = telling;
    const missed = this.#missed;
    const posted = await this.#post(telling, missed).catch(
      (error): Posted => ({ delivered: 'nowhere', why: failureOf(error).message, found: 'nobody could be told' }),
    );
    const { delivered, why, place, thread, restUntil, unsure, toldMissed } = posted;
    const { record, outlets } = this.#of;
    if (thread !== undefined) record.evidence.thread = thread;
    if (toldMissed) this.#missed = this.#missed.filter((one) => !missed.includes(one));
    this.#restUntil = restUntil;
    this.#slackIsAway = delivered !== 'slack';
    this.#unsure = unsure === true || (this.#unsure && this.#slackIsAway);
    // The webhook has told it before: that it has not come to Slack yet does not undo that.
    if (this.#postOf(key)?.delivered !== 'webhook' || delivered === 'slack')
      this.#note({ key, kind, headline, delivered, why, place });
    if (outlets.slack !== undefined) this.#remember(telling, delivered);
    record.show();
  }

  #remember(telling: Telling, delivered: Post['delivered']): void {
    const { key, headline, question } = telling;
    const id = idOf(key);
    if (delivered === 'slack') {
      this.#missed = this.#missed.filter((one) => one.id !== id);
      this.tryAgain(Number.POSITIVE_INFINITY);
      return;
    }
    if (this.#missed.every((one) => one.id !== id)) this.#missed = [...this.#missed, { id, headline }];
    if (question?.key !== key) return;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** ((this.#ways.get(key) ?? 1) - 1));
    this.#unseen.set(key, { telling, at: Date.now() + pauseMs });
  }

  #drop(which: (telling: Telling) => boolean): void {
    const kept = this.#queue.filter((one) => !which(one));
    this.#queue.splice(0, this.#queue.length, ...kept);
  }

  #post(telling: Telling, missed: { id: string; headline: string }[]): Promise<Posted> {
    const { record, outlets, head } = this.#of;
    const { evidence } = record;
    const { key, kind, question } = telling;
    const way = (this.#ways.get(key) ?? 0) + 1;
    this.#ways.set(key, way);
    const asked = question !== undefined && isClosing(telling) ? this.#postOf(question.key)?.place : undefined;
    return inStep(newStep(`posts/${key}${way === 1 ? '' : `/${way}`}`, telling.headline), () =>
      this.#control.post({
        outlets,
        run: inShort(evidence, kind),
        message: this.#message(telling),
        ...(evidence.thread === undefined ? { head } : { thread: evidence.thread }),
        ...(asked === undefined ? {} : { closes: asked }),
        missed,
        ...(this.#restUntil === undefined ? {} : { restUntil: this.#restUntil }),
        mayBeThere: this.#unsure || way > 1 || isAfterReset(),
        slackWithinMs: this.#slackIsAway ? shortPatienceMs : usualPatienceMs,
        ...(way > 1 && this.#postOf(key)?.delivered === 'webhook' ? { slackOnly: true as const } : {}),
      }),
    );
  }

  #message(telling: Telling): Message {
    const { plan, record } = this.#of;
    const { key, kind, headline, lines, calls, question } = telling;
    const slackIds = calls.flatMap((person): [string, string][] => {
      const slack = plan.people?.persons[person]?.slack;
      return slack === undefined ? [] : [[person, slack]];
    });
    const asks = question?.key === key || isClosing(telling) ? this.#questionOf(telling) : undefined;
    return {
      id: idOf(key),
      kind,
      headline,
      lines,
      slackIds: Object.fromEntries(slackIds),
      ...(plan.pages === undefined ? {} : { url: reportAddress(record.evidence.run, plan.pages) }),
      ...(asks === undefined ? {} : 'quorum' in asks ? { approval: asks } : { decision: asks }),
    };
  }

  /** As it is now: what has been answered while its message was waiting is not asked again. */
  #questionOf({ question }: Telling) {
    const { approvals = [], decisions = [] } = this.#of.record.evidence;
    if (question === undefined) return undefined;
    return question.kind === 'approval'
      ? approvals.find((one) => `approval/${one.id}` === question.key)
      : decisions.find((one) => `decision/${one.step}/${one.attempt}` === question.key);
  }

  #isOpen(telling: Telling): boolean {
    const question = this.#questionOf(telling);
    return question !== undefined && isOpen(question);
  }

  #postOf(key: string): Post | undefined {
    return this.#of.record.evidence.posts?.find((one) => one.key === key);
  }

  #note(post: Omit<Post, 'at'>): void {
    const { evidence } = this.#of.record;
    evidence.posts ??= [];
    const { posts } = evidence;
    const known = posts.findIndex(({ key }) => key === post.key);
    posts.splice(known < 0 ? posts.length : known, 1, { ...post, at: new Date(Date.now()).toISOString() });
  }
}

/** What all its steps have found would fill the history, message by message. */
function inShort(evidence: Evidence, kind: Post['kind']): Evidence {
  const { equality: _equality, leftovers: _leftovers, thread: _thread, ...rest } = evidence;
  const withQuestions = kind === 'status' || kind === 'reminder' || kind === 'escalation';
  const open = <T extends Approval | Decision>(all: T[] = []): T[] =>
    withQuestions ? all.filter(isOpen).map((one) => ({ ...one, clicks: [] })) : [];
  return {
    ...rest,
    input: {},
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
    approvals: open(evidence.approvals),
    decisions: open(evidence.decisions),
    clicks: [],
    posts: [],
  };
}

/** What was told before the reset is not known here to have been told. */
function isAfterReset(): boolean {
  const { originalExecutionRunId, runId } = workflowInfo();
  return originalExecutionRunId !== undefined && originalExecutionRunId !== '' && originalExecutionRunId !== runId;
}

/**
 * By which a message is known again in the thread. What comes after a reset is told anew, whatever the execution before it has told: its
 * questions have other codes, and its end is another one. Only the thread itself goes on.
 */
function idOf(key: string): string {
  return isAfterReset() && key !== headKey ? `${key}@${workflowInfo().runId}` : key;
}
