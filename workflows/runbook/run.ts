/** What a runbook's author works with: phases, steps, measurements. */
import { AsyncLocalStorage, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ControlReads, ControlRecords, HostChanges, HostReads } from '../../activities/contract.ts';
import type { Evidence, Mode, Phase, Step, Unit } from '../../evidence/evidence.ts';
import { durationText } from '../../plan/duration.ts';
import type { Plan } from '../../plan/schema.ts';
import { bySchedule, controlQueue, hostQueue, type RunInput } from '../messages.ts';
import type { Change } from './change.ts';
import { failureOf } from './failure.ts';
import { Lock } from './hold.ts';
import type { Record } from './record.ts';
import { Standing } from './standing.ts';
import { activities, type CurrentStep, inStep, newStep, type Stubs } from './step.ts';

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
  >
>;

type Group = Step['group'];

const day = 24 * 60 * 60 * 1000;
const minute = 60 * 1000;

interface Undo {
  name: string;
  id: string;
  group: Group;
  undo: () => Promise<unknown>;
}

export class Run<I extends RunInput = RunInput> {
  readonly plan: Plan;
  readonly input: Readonly<I>;
  readonly mode: Mode;
  readonly control: Stubs<ControlReads & ControlRecords>;
  readonly #record: Record;
  readonly #groups = new AsyncLocalStorage<Group>();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #undo: Undo[] = [];
  readonly #afterwards: (() => Promise<unknown>)[] = [];
  readonly #locks: Lock[] = [];
  readonly #stop: () => void;
  readonly #standing = new Standing((times, makeAll, why) => this.#makeAnew(times, makeAll, why));
  #stoppedBy: unknown;

  /** @param stop ends the work in order, as a cancel does */
  constructor(plan: Plan, input: Readonly<I>, mode: Mode, record: Record, stop: () => void) {
    this.#stop = stop;
    this.plan = plan;
    this.input = input;
    this.mode = mode;
    this.#record = record;
    this.control = activities<ControlReads & ControlRecords>(this.#limits(controlQueue, 10 * minute));
  }

  get evidence(): Evidence {
    return this.#record.evidence;
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

  async phase<T>(name: Phase, body: () => Promise<T>): Promise<T> {
    this.#record.beginPhase(name);
    const result = await this.#groups.run(name, body);
    this.#record.endPhase(name);
    return result;
  }

  /**
   * How long an outage may be waited for, milliseconds: until the budget of the phase is used up. An outage that begins later, or
   * shortly before, is still given a tenth of it.
   */
  patienceMs(): number {
    const phase = this.evidence.phases.find((one) => one.name === this.#groups.getStore());
    if (phase?.startedAt === undefined) return minute;
    return Math.max(Date.parse(phase.startedAt) + phase.budgetMs - Date.now(), phase.budgetMs / 10);
  }

  /** Reads the estate as it is found; runs in every mode. */
  check<T>(name: string, look: () => Promise<T>): Promise<T> {
    return this.#step(name, 'check', async () => ({ state: 'done', result: await look() }));
  }

  /** Reads what a change has made; only listed in a dry run, where it yields nothing. */
  prove<T>(name: string, look: () => Promise<T>): Promise<T | undefined> {
    return this.#step<T | undefined>(name, 'prove', async () =>
      this.mode === 'dry-run' ? { state: 'listed', result: undefined } : { state: 'done', result: await look() },
    );
  }

  /** Previews, and unless this is a dry run arms the undo and does it. */
  change<T>(name: string, change: Change<T>): Promise<T> {
    return this.#step<T>(name, 'change', async (step) => {
      const preview = await change.preview();
      step.preview = preview.will;
      if (this.mode === 'dry-run') return { state: 'previewed', result: preview.yields };
      for (const lock of this.#locks) await lock.keep(step.id);
      const { undo } = change;
      if (typeof undo === 'function' && this.#undo.every((one) => one.id !== step.id))
        this.#undo.unshift({ name, id: step.id, group: step.group, undo: () => undo(preview) });
      try {
        const result = await change.apply(preview);
        if (change.throwAway) this.#standing.add(name, () => change.apply(preview));
        return { state: 'done', result };
      } catch (error) {
        const why = failureOf(error, step.id);
        if (!change.passOver?.types.some((type) => type === why.type)) throw error;
        step.failure = why;
        return { state: 'skipped', result: change.passOver.yields };
      }
    });
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
   * Takes a host for as long as the run is open, so that drills and backups exclude each other there. A dry run takes nothing.
   * A run that a schedule has started waits for a host that is in use; a person is told at once.
   */
  async hold(host: string): Promise<{ waitedMs: number }> {
    if (this.mode === 'dry-run') return { waitedMs: 0 };
    const withinMs = this.input.requestedBy === bySchedule ? this.plan.schedules.startWithin : 0;
    const lock = new Lock(`lifeboat-host/${host}`, `Host ${host}`, this.control, () => this.#lockLost(lock, host));
    const taken = await this.#step(`Hold host ${host}`, 'record', async (step) => {
      const { waitedMs, holder } = await lock.take({
        withinMs,
        waiting: (who) => {
          step.found = `in use by ${who}: waiting for it, at most ${durationText(withinMs)}`;
          this.#record.show();
        },
      });
      const waited = waitedMs === 0 ? '' : `, after it has waited ${durationText(toSeconds(waitedMs))} for ${holder}`;
      const found = `no other drill or backup uses ${host} while this one goes on${waited}`;
      return { state: 'done', result: { found, waitedMs } };
    });
    this.#locks.push(lock);
    return { waitedMs: taken.waitedMs };
  }

  /** Somebody has ended the lock beside the run, which goes on: it is taken again, and if another run was faster, that one goes first. */
  #lockLost(lock: Lock, host: string): void {
    const again = this.#groups.run('opening', () =>
      this.#step(`Hold host ${host} again (${lock.losses})`, 'record', async () => {
        await CancellationScope.nonCancellable(() => lock.take());
        return {
          state: 'done',
          result: {
            found: `the lock of ${host} was ended from outside while this run went on, and is taken again`,
            expected: 'a lock that nobody ends but its run',
          },
        };
      }),
    );
    again.catch((error) => this.#stopFor(error));
  }

  #stopFor(error: unknown): void {
    this.#stoppedBy ??= error;
    this.#stop();
  }

  /** Why the run stopped itself in the middle of its work. */
  get stoppedBy(): unknown {
    return this.#stoppedBy;
  }

  /** Runs after the undo, however the run ended; failures make the run dirty. */
  afterwards(name: string, look: () => Promise<unknown>): void {
    if (this.mode === 'dry-run') return;
    this.#afterwards.push(() => this.#step(name, 'prove', async () => ({ state: 'done', result: await look() })));
  }

  /** Waits for every step in flight to have stopped. */
  async settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled([...this.#inFlight]);
  }

  /** Undoes what was armed, newest first; what fails is written down and does not stop the rest. */
  async undoAll(): Promise<void> {
    this.#standing.clear();
    if (this.#undo.length > 0) await this.#holdForUndo();
    for (const one of this.#undo.splice(0)) {
      await this.#groups
        .run('closing', () =>
          this.#step(`Undo: ${one.name}`, 'undo', async () => ({ state: 'done', result: await one.undo() })),
        )
        .catch((error) => this.#leftBehind(`Undo of "${one.name}"`, error));
    }
  }

  /** What the run has made is its own to remove, whoever else may have taken the host meanwhile. */
  async #holdForUndo(): Promise<void> {
    for (const lock of this.#locks) await lock.keep('closing/undo').catch(() => undefined);
  }

  async afterAll(): Promise<void> {
    for (const look of this.#afterwards)
      await this.#groups.run('closing', look).catch((error) => this.#leftBehind('Clean-up', error));
  }

  #leftBehind(what: string, error: unknown): void {
    this.evidence.leftBehind.push(`${what}: ${failureOf(error).message}`);
  }

  #limits(taskQueue: string, startToCloseMs: number) {
    const { heartbeat, answerWithin } = this.plan.workers;
    return { taskQueue, startToCloseMs, heartbeatMs: heartbeat, answerWithinMs: answerWithin };
  }

  #step<T>(
    name: string,
    kind: Step['kind'],
    body: (step: Step) => Promise<{ state: Step['state']; result: T }>,
  ): Promise<T> {
    const group = this.#groups.getStore() ?? 'opening';
    const step = this.#record.begin({ id: `${group}/${slug(name)}`, name, group, kind });
    const by = newStep(step.id, name);
    const done = inStep(by, () => this.#attempt(step, by, body));
    this.#inFlight.add(done);
    const gone = () => this.#inFlight.delete(done);
    done.then(gone, gone);
    return done;
  }

  async #attempt<T>(
    step: Step,
    by: CurrentStep,
    body: (step: Step) => Promise<{ state: Step['state']; result: T }>,
  ): Promise<T> {
    try {
      const { state, result } = await this.#standing.on(() => body(step));
      this.#record.end(step, state, by, result);
      return result;
    } catch (error) {
      const failure = failureOf(error, step.id);
      this.#record.fail(step, isCancellation(error) ? 'cancelled' : 'failed', by, failure);
      throw error;
    }
  }

  #makeAnew(times: number, makeAll: () => Promise<string>, why: string): Promise<void> {
    return this.#step(`Make the server beside anew (${times})`, 'record', async (step) => {
      for (const lock of this.#locks) await lock.keep(step.id);
      return { state: 'done', result: { found: `done again: ${await makeAll()}, because ${why}` } };
    }).then(() => undefined);
  }
}

function toSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000)) * 1000;
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
