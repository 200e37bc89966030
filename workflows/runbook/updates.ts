/**
 * Follows a run for the people who wait for it: forecasts its end, and tells them how it goes, beside its work and never in its way.
 * Nothing here is waited for but the last message, and that for seconds. What there is to tell follows from the evidence.
 */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { Outlets } from '../../activities/contract.ts';
import type { Outcome } from '../../evidence/evidence.ts';
import { type EarlierRun, forecast, lateFrom, warnFromMs } from '../../evidence/forecast.ts';
import type { Names } from '../../evidence/status.ts';
import { endTelling, lateTelling, startTelling, statusTelling, tellings } from '../../evidence/tellings.ts';
import type { Plan } from '../../plan/schema.ts';
import { readEarlierRuns } from './earlier-runs.ts';
import { Posts } from './posts.ts';
import type { Record } from './record.ts';

const badOutcomes: readonly Outcome[] = ['failed', 'not-proven', 'aborted'];

/** So many updates come as often as the plan says, the same number again half as often, and so on. */
const mostOften = 50;

interface Following {
  record: Record;
  plan: Plan;
  /** Nobody waits for its end: people are told only when it ends badly. */
  unattended: boolean;
}

/** From here on the run is followed until its end. A dry run is not: it tells nobody, and whoever started it is there. */
export function follow(following: Following): void {
  if (following.record.evidence.mode === 'dry-run') return;
  const updates = new Updates(following);
  following.record.followedBy(updates);
  if (!following.unattended) updates.begin();
}

class Updates {
  readonly #record: Record;
  readonly #plan: Plan;
  readonly #unattended: boolean;
  readonly #names: Names;
  readonly #posts: Posts | undefined;
  readonly #told = new Set<string>();
  #earlier: readonly EarlierRun[] = [];
  #knowsEarlier = false;
  #statuses = 0;
  #warnings = 0;
  #warnedOfMs: number | undefined;
  #statusAt = Number.POSITIVE_INFINITY;
  #lateAt = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor({ record, plan, unattended }: Following) {
    this.#record = record;
    this.#plan = plan;
    this.#unattended = unattended;
    const persons = Object.entries(plan.people?.persons ?? {});
    this.#names = Object.fromEntries(persons.map(([id, { name }]) => [id, name]));
    const outlets = outletsOf(plan);
    if (outlets !== undefined)
      this.#posts = new Posts({ record, plan, outlets, head: startTelling(record.evidence, this.#names) });
  }

  begin(): void {
    void CancellationScope.nonCancellable(() => this.#readEarlierRuns());
    if (this.#posts !== undefined) void CancellationScope.nonCancellable(() => this.#keepTelling());
    this.#record.show();
  }

  /** Called at each change of the evidence. */
  look(): void {
    const { evidence } = this.#record;
    if (this.#unattended || this.#isOver) return;
    const now = Date.now();
    evidence.forecast = forecast(evidence, this.#earlier, now);
    if (this.#posts === undefined) return;
    for (const telling of tellings(evidence, this.#names)) {
      if (this.#told.has(telling.key)) continue;
      this.#told.add(telling.key);
      this.#posts.tell(telling);
    }
    if (this.#knowsEarlier) this.#warn(now);
  }

  async finish(): Promise<void> {
    const { evidence } = this.#record;
    this.look();
    this.#isOver = true;
    evidence.forecast = undefined;
    if (this.#unattended && !badOutcomes.includes(evidence.outcome)) return;
    await this.#posts?.end(endTelling(evidence));
  }

  /** What an early warning is for: there is still time to do something. */
  #warn(now: number): void {
    const { evidence } = this.#record;
    const byMs = warnFromMs(evidence.objectives.rtoMs, this.#warnedOfMs);
    const { lateByMs = 0 } = evidence.forecast ?? {};
    if (lateByMs < byMs) {
      const until = Math.min(this.#statusAt, now + this.#every());
      this.#lateAt = lateFrom(evidence, this.#earlier, { now, until, byMs }) ?? Number.POSITIVE_INFINITY;
      return;
    }
    this.#lateAt = Number.POSITIVE_INFINITY;
    this.#warnedOfMs = lateByMs;
    this.#warnings += 1;
    this.#posts?.tell(lateTelling(evidence, lateByMs, this.#warnings));
  }

  /** Status updates when they are due, and whatever becomes true by the mere passing of time. */
  async #keepTelling(): Promise<void> {
    this.#statusAt = Date.now() + this.#every();
    while (!this.#isOver) {
      const wakeAt = this.#wakeAt();
      // A second sooner or later is not worth a timer in the history.
      await condition(() => this.#isOver || this.#wakeAt() < wakeAt - 1_000, Math.max(1, wakeAt - Date.now()));
      if (this.#isOver) return;
      const now = Date.now();
      if (now >= this.#statusAt) {
        this.#statusAt = now + this.#every();
        this.#statuses += 1;
        this.look();
        const at = new Date(now).toISOString();
        this.#posts?.tell(statusTelling(this.#record.evidence, this.#names, at, this.#statuses));
      }
      this.#posts?.tryAgain(now);
      this.#record.show();
    }
  }

  #wakeAt(): number {
    return Math.min(this.#statusAt, this.#lateAt, this.#posts?.tryAgainAt ?? Number.POSITIVE_INFINITY);
  }

  /** A run of many days is told of more seldom: its history must not grow without end. */
  #every(): number {
    const every = this.#plan.people?.status.every ?? Number.POSITIVE_INFINITY;
    return every * 2 ** Math.floor(this.#statuses / mostOften);
  }

  /** Without them the budgets of the phases serve. */
  async #readEarlierRuns(): Promise<void> {
    const { evidence } = this.#record;
    this.#earlier = (await readEarlierRuns(this.#plan, evidence, evidence.mode)) ?? [];
    this.#knowsEarlier = true;
    if (!this.#isOver) this.#record.show();
  }
}

/** Absent where the plan names no place to tell people. */
function outletsOf({ people }: Plan): Outlets | undefined {
  if (people === undefined) return undefined;
  const { status, slack } = people;
  const outlets: Outlets = {
    ...(slack === undefined || status.channel === undefined
      ? {}
      : {
          slack: {
            token: slack.token,
            channel: status.channel,
            ...(slack.api === undefined ? {} : { api: slack.api }),
          },
        }),
    ...(status.webhook === undefined ? {} : { webhook: status.webhook }),
  };
  return outlets.slack === undefined && outlets.webhook === undefined ? undefined : outlets;
}
