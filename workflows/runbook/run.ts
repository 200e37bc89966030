/** What a runbook's author works with: phases, steps, measurements. */
import { CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type {
  ControlChanges,
  ControlReads,
  ControlRecords,
  HostChanges,
  HostReads,
} from '../../activities/contract.ts';
import type { ClosedDoor, Evidence, Mode, Phase, Step, Unit } from '../../evidence/evidence.ts';
import type { Alternative } from '../../evidence/people.ts';
import type { Plan } from '../../plan/schema.ts';
import { bySchedule, controlQueue, hostQueue, type RunInput } from '../messages.ts';
import type { Change, Skip } from './change.ts';
import type { Definition } from './definition.ts';
import { EarlierRuns } from './earlier-runs.ts';
import { failure, failureOf } from './failure.ts';
import { HeldLocks } from './held-locks.ts';
import type { Answer, Facts as FactsToApprove } from './people/approvals.ts';
import { Decisions } from './people/decisions.ts';
import { People } from './people/people.ts';
import type { Record } from './record.ts';
import { slug } from './slug.ts';
import { activities, type Stubs } from './step.ts';
import { Steps } from './steps.ts';
import { doorStays, Undos } from './undos.ts';

/** Facts of the run that stand in the evidence by name. */
type Facts = Partial<
  Pick<
    Evidence,
    | 'incidentAt'
    | 'isolatedOn'
    | 'backup'
    | 'target'
    | 'equality'
    | 'notExercised'
    | 'rpo'
    | 'clocks'
    | 'leftovers'
    | 'leftBehind'
    | 'doorClosed'
    | 'search'
    | 'setAside'
    | 'ledger'
    | 'recoveredAt'
    | 'leftFenced'
  >
>;

const day = 24 * 60 * 60 * 1000;
const minute = 60 * 1000;

interface Setting<I extends RunInput> {
  definition: Definition<I>;
  plan: Plan;
  input: Readonly<I>;
  record: Record;
  /** Everything that the runbook does; to cancel it ends the run in order. */
  work: CancellationScope;
}

export class Run<I extends RunInput = RunInput> {
  readonly plan: Plan;
  readonly input: Readonly<I>;
  readonly mode: Mode;
  readonly control: Stubs<ControlReads & ControlRecords & ControlChanges>;
  readonly #record: Record;
  readonly #undos = new Undos();
  readonly #afterwards: (() => Promise<unknown>)[] = [];
  readonly #steps: Steps;
  readonly #locks: HeldLocks;
  readonly #earlier: EarlierRuns;
  readonly people: People;
  readonly #definition: Pick<Definition<I>, 'approvals' | 'approvalsWhereNamed' | 'unattended'>;
  #stoppedBy: unknown;
  /** Budget of the phase whose change is being taken back, milliseconds. */
  #takingBackMs: number | undefined;

  constructor({ definition, plan, input, record, work }: Setting<I>) {
    const { mode } = record.evidence;
    this.plan = plan;
    this.input = input;
    this.mode = mode;
    this.#definition = definition;
    this.#record = record;
    this.control = activities<ControlReads & ControlRecords & ControlChanges>(this.#limits(controlQueue, 10 * minute));
    const house = { plan, mode, record, control: this.control };
    this.#earlier = new EarlierRuns(plan, record.evidence);
    const decisions = new Decisions(house, definition.unattended !== true);
    const steps = new Steps(
      record,
      (stepId) => this.#locks.keep(stepId),
      (failed) => decisions.ask(failed),
    );
    const stopWork = (why: unknown) => {
      this.#stoppedBy ??= why;
      work.cancel();
    };
    this.#steps = steps;
    const stopped = () => work.consideredCancelled;
    this.people = new People({ house, steps, undos: this.#undos, decisions, stop: stopWork, stopped });
    this.#locks = new HeldLocks({ control: this.control, steps, record, stop: stopWork });
  }

  get evidence(): Evidence {
    return this.#record.evidence;
  }

  /**
   * What control workers do, where nobody can wait for all the usual attempts, or one of them takes long.
   * @param attempts of what may pass by itself
   * @param withinMs one attempt may take this long
   */
  controlWithin(attempts: number, withinMs = 10 * minute): Stubs<ControlReads & ControlRecords & ControlChanges> {
    return activities({ ...this.#limits(controlQueue, withinMs), attempts });
  }

  /**
   * What can be done beside the files of a host.
   * @param attempts of what may pass by itself, where each attempt costs the service something
   */
  host(name: string, attempts?: number): Stubs<HostReads & HostChanges> {
    // A restore or a replay may take many hours; heartbeats, not this limit, notice a dead worker.
    const limits = this.#limits(hostQueue(name), 2 * day);
    return activities<HostReads & HostChanges>(attempts === undefined ? limits : { ...limits, attempts });
  }

  /**
   * What is asked of a host whose worker may be gone, or whose disk may hang.
   * @param withinMs it counts as gone when it has not begun by then: the engine itself believes in a dead worker for minutes
   */
  hostIfThere(name: string, withinMs: number, attempts = 1): Stubs<HostReads & HostChanges> {
    const limits = this.#limits(hostQueue(name), 2 * minute);
    return activities<HostReads & HostChanges>({ ...limits, answerWithinMs: withinMs, attempts });
  }

  async phase<T>(name: Phase, body: () => Promise<T>): Promise<T> {
    this.#record.beginPhase(name);
    const result = await this.#steps.inGroup(name, body);
    this.#record.endPhase(name);
    return result;
  }

  /**
   * How long an outage may be waited for, milliseconds: until the budget of the phase is used up. An outage that begins later, or
   * shortly before, is still given a tenth of it. What takes a change back is given as long as the phase of that change was: nothing else
   * brings the service back.
   */
  patienceMs(): number {
    if (this.#takingBackMs !== undefined) return this.#takingBackMs;
    const phase = this.evidence.phases.find((one) => one.name === this.#steps.group);
    if (phase?.startedAt === undefined) return minute;
    return Math.max(Date.parse(phase.startedAt) + phase.budgetMs - Date.now(), phase.budgetMs / 10);
  }

  /** Reads the estate as it is found; runs in every mode. */
  check<T>(name: string, look: () => Promise<T>, skip?: Skip<T>): Promise<T> {
    return this.#steps.take(name, 'check', async () => ({ state: 'done', result: await look() }), { skip });
  }

  /** As a check, while nobody can write: what fails is put to nobody, the run is undone at once. */
  checkAtOnce<T>(name: string, look: () => Promise<T>): Promise<T> {
    return this.#steps.take(name, 'check', async () => ({ state: 'done', result: await look() }), {
      urgent: () => !this.#undos.sealed,
    });
  }

  /** Reads what a change has made; only listed in a dry run, where it yields nothing. */
  prove<T>(name: string, look: () => Promise<T>, skip?: Skip<T | undefined>): Promise<T | undefined> {
    return this.#steps.take<T | undefined>(
      name,
      'prove',
      async () =>
        this.mode === 'dry-run' ? { state: 'listed', result: undefined } : { state: 'done', result: await look() },
      { skip },
    );
  }

  /** Previews, and unless this is a dry run arms the undo and does it. */
  change<T>(name: string, change: Change<T>): Promise<T> {
    return this.#steps.take<T>(name, 'change', (step) => this.#do(step, change), {
      skip: change.skip,
      urgent: () => change.urgent === true && !this.#undos.sealed,
    });
  }

  async #do<T>(step: Step, change: Change<T>): Promise<{ state: Step['state']; result: T }> {
    const preview = await change.preview();
    step.preview = preview.will;
    if (this.mode === 'dry-run') {
      const takesMs = (await this.#earlier.usualMs(step.id)) ?? preview.takesMs;
      if (takesMs !== undefined) step.takesMs = takesMs;
      return { state: 'previewed', result: preview.yields };
    }
    if (preview.takesMs !== undefined) step.takesMs = preview.takesMs;
    await this.#locks.keep(step.id);
    // What is stopped begins nothing any more: its apply would never run, and yet seal what is before it.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The run was stopped.');
    const { undo } = change;
    const { id, name } = step;
    const armed = { id, name, did: preview.will };
    if (typeof undo === 'function')
      this.#undos.arm({ ...armed, undo: () => undo(preview), opensDoor: change.opensDoor === true });
    else if ('pointOfNoReturn' in undo) this.#undos.pass(armed, undo);
    try {
      const result = await change.apply(preview);
      this.#undos.ended(id, 'done');
      if (change.onceDone !== undefined) this.#undos.settle(armed, change.onceDone);
      if (change.throwAway) this.#steps.standing.add(name, () => change.apply(preview));
      return { state: 'done', result };
    } catch (error) {
      this.#undos.ended(id, 'stopped');
      const why = failureOf(error, id);
      if (!change.passOver?.types.some((type) => type === why.type)) throw error;
      step.failure = why;
      return { state: 'skipped', result: change.passOver.yields };
    }
  }

  /**
   * Asks people, and waits until they have answered. In a dry run it only says whom it would ask.
   *
   * @param name one of those that the definition names; its slug is the key in the plan
   * @param read the facts that a yes is bound to. They are read once more when the quorum is there: if they have changed, that yes is
   *   void and people are asked anew
   * @param alternatives other answers than yes and no, by a short name; all of the quorum must choose the same
   * @throws NotApproved
   */
  async approval(
    name: string,
    read: () => Promise<FactsToApprove>,
    alternatives: { [choice: string]: Alternative } = {},
  ): Promise<Answer> {
    if (!this.mayAsk.includes(name))
      throw failure(
        'Bug',
        `"${name}" is asked, and the definition of the runbook does not name it among its approvals`,
      );
    return this.people.approvals.ask(name, read, alternatives);
  }

  /** As `approval`, where the plan has a rule of that very name; else nobody is asked. */
  async approvalWhereNamed(name: string, read: () => Promise<FactsToApprove>): Promise<Answer | undefined> {
    return this.mayAsk.includes(name) ? this.approval(name, read) : undefined;
  }

  /** Every approval that this run may ask for, on this plan. */
  get mayAsk(): readonly string[] {
    const { approvals = [], approvalsWhereNamed = [] } = this.#definition;
    const rules = this.plan.people?.approvals ?? {};
    return [
      ...(typeof approvals === 'function' ? approvals(this.plan) : approvals),
      ...approvalsWhereNamed.filter((name) => Object.hasOwn(rules, slug(name))),
    ];
  }

  /** Branches side by side. A failure in one stops the others, and is told once all have stopped. */
  async together<T extends readonly unknown[]>(...branches: { [K in keyof T]: () => Promise<T[K]> }): Promise<T> {
    const scope = new CancellationScope();
    const first: { error?: unknown } = {};
    const stopOthers = (error: unknown): never => {
      if (!('error' in first)) first.error = error;
      scope.cancel();
      throw error;
    };
    const settled = await scope.run(() => Promise.allSettled(branches.map((branch) => branch().catch(stopOthers))));
    if ('error' in first) throw first.error;
    return settled.map((one) => (one.status === 'fulfilled' ? one.value : undefined)) as readonly unknown[] as T;
  }

  /** What was measured is true no longer. */
  forget(name: string): void {
    this.evidence.measurements = this.evidence.measurements.filter((one) => one.name !== name);
  }

  /** What is measured again, because it was done again, replaces what was measured before. */
  measure(name: string, value: number, unit: Unit, how: string): void {
    const { measurements } = this.evidence;
    const known = measurements.findIndex((one) => one.name === name);
    measurements.splice(known < 0 ? measurements.length : known, 1, { name, value, unit, how });
  }

  record(facts: Facts): void {
    Object.assign(this.evidence, facts);
    this.#record.show();
  }

  notePhase(name: Phase, note: string): void {
    this.#record.notePhase(name, note);
  }

  /**
   * Takes a host for as long as the run is open, so that drills and backups exclude each other there. A dry run takes nothing, and says
   * who holds it. A run that a schedule has started waits for a host that is in use; a person is told at once.
   */
  async hold(host: string): Promise<{ waitedMs: number }> {
    if (this.mode === 'dry-run') {
      await this.#locks.lookAtHost(host);
      return { waitedMs: 0 };
    }
    return this.#locks.takeHost(host, this.input.requestedBy === bySchedule ? this.plan.schedules.startWithin : 0);
  }

  /** Takes the service for as long as the run is open: one live recovery at a time. A dry run takes nothing, and says who holds it. */
  async holdService(): Promise<void> {
    if (this.mode === 'dry-run') await this.#locks.lookAtService(this.plan.service);
    if (this.mode === 'live') await this.#locks.takeService(this.plan.service);
  }

  /** Why the run stopped itself in the middle of its work. */
  get stoppedBy(): unknown {
    return this.#stoppedBy;
  }

  /** Runs after the undo, however the run ended; failures make the run dirty. */
  afterwards(name: string, look: () => Promise<unknown>): void {
    if (this.mode === 'dry-run') return;
    this.#afterwards.push(() => this.#steps.take(name, 'prove', async () => ({ state: 'done', result: await look() })));
  }

  /** Waits for every step in flight to have stopped. */
  settle(): Promise<void> {
    return this.#steps.settle();
  }

  /** What was changed until now stays, also when the rest of the run is given up: it is good by itself. */
  keepSoFar(why: string): void {
    if (this.mode !== 'dry-run') this.#undos.keep(why);
  }

  /** What the run has made for itself is made anew no more when it is lost: it is about to serve, or to be made otherwise. */
  forgetWhatStands(): void {
    this.#steps.standing.clear();
  }

  /** Undoes what was armed, newest first; what fails is written down and does not stop the rest. */
  async undoAll(): Promise<void> {
    this.#steps.standing.clear();
    if (this.#undos.any) await this.#locks.keepForUndo();
    for (const one of this.#undos.takeBack()) {
      this.#takingBackMs = this.evidence.phases.find(({ name }) => one.id.startsWith(`${name}/`))?.budgetMs;
      await this.#steps
        .inGroup('closing', () =>
          this.#steps.take(`Undo: ${one.name}`, 'undo', async () => ({ state: 'done', result: await one.undo() })),
        )
        .catch((error) => this.#leftBehind(`Undo of "${one.name}"`, error));
    }
    this.#takingBackMs = undefined;
  }

  /** Changes that have no way back, and a front door that stays closed. */
  get stays(): { name: string; why: string }[] {
    const { doorClosed } = this.evidence;
    return [...(doorClosed === undefined ? [] : [doorStays(doorClosed)]), ...this.#undos.stays];
  }

  /** Before it is closed: from then on until it is opened nobody can be sure to write. */
  doorCloses(closed: Omit<ClosedDoor, 'since'>): void {
    this.evidence.doorClosed = { since: new Date(Date.now()).toISOString(), ...closed };
    this.#record.show();
  }

  /** Proven by a write through it. */
  doorOpens(): void {
    delete this.evidence.doorClosed;
    this.#record.show();
  }

  /** The last that a run does: its locks go when it closes. */
  takeLocksAlong(): Promise<void> {
    return this.#locks.takeAlong();
  }

  async afterAll(): Promise<void> {
    for (const look of this.#afterwards)
      await this.#steps.inGroup('closing', look).catch((error) => this.#leftBehind('Clean-up', error));
  }

  #leftBehind(what: string, error: unknown): void {
    this.evidence.leftBehind.push(`${what}: ${failureOf(error).message}`);
  }

  #limits(taskQueue: string, startToCloseMs: number) {
    const { heartbeat, answerWithin } = this.plan.workers;
    return { taskQueue, startToCloseMs, heartbeatMs: heartbeat, answerWithinMs: answerWithin };
  }
}
