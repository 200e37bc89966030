/** Keeps the evidence of a run while it goes on, and shows it in the Temporal UI at each step. */

import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Evidence, Failure, Phase, Step, StepState } from '../../evidence/evidence.ts';
import { typeOf } from '../../evidence/kind-of-run.ts';
import type { Click } from '../../evidence/people.ts';
import { renderLivePage } from '../../evidence/render/markdown.ts';
import { endWaits, noteOutage, type OutageNote, waitedMs } from '../../evidence/waits.ts';
import { searchAttributes } from '../messages.ts';
import { PeopleClock } from './people-clock.ts';
import type { CurrentStep } from './step.ts';

const keys = {
  service: defineSearchAttributeKey(searchAttributes.service, 'KEYWORD'),
  runbook: defineSearchAttributeKey(searchAttributes.runbook, 'KEYWORD'),
  mode: defineSearchAttributeKey(searchAttributes.mode, 'KEYWORD'),
  phase: defineSearchAttributeKey(searchAttributes.phase, 'KEYWORD'),
  outcome: defineSearchAttributeKey(searchAttributes.outcome, 'KEYWORD'),
  type: defineSearchAttributeKey(searchAttributes.type, 'KEYWORD'),
};

const now = (): string => new Date(Date.now()).toISOString();

/** What a step's result may say of itself. */
interface Says {
  found?: unknown;
  expected?: unknown;
  log?: Step['log'];
  bytes?: unknown;
}

/** Whoever follows a run: is told of each change before it is shown, and may add what follows from it. */
interface Follower {
  look(): void;
  finish(): Promise<void>;
}

export class Record {
  readonly evidence: Evidence;
  readonly #names = new Set<string>();
  readonly #peopleClock: PeopleClock;
  /** Time of a step that stands in its phase already, from before it was tried again. */
  readonly #counted = new Map<string, number>();
  readonly #pagesUrl: string | undefined;
  #follower: Follower | undefined;

  constructor(evidence: Evidence, pagesUrl: string | undefined) {
    this.evidence = evidence;
    this.#pagesUrl = pagesUrl;
    this.#peopleClock = new PeopleClock(evidence.phases);
    const type = typeOf(evidence);
    upsertSearchAttributes([
      { key: keys.service, value: evidence.service },
      { key: keys.runbook, value: evidence.runbook },
      { key: keys.mode, value: evidence.mode },
      { key: keys.outcome, value: evidence.outcome },
      ...(type === undefined ? [] : [{ key: keys.type, value: type }]),
    ]);
    this.show();
  }

  beginPhase(name: Phase): void {
    const phase = this.#phase(name);
    phase.startedAt ??= now();
    upsertSearchAttributes([{ key: keys.phase, value: name }]);
    this.show();
  }

  endPhase(name: Phase): void {
    this.#phase(name).endedAt = now();
    this.show();
  }

  notePhase(name: Phase, note: string): void {
    this.#phase(name).note = note;
  }

  begin(step: Pick<Step, 'id' | 'name' | 'group' | 'kind'>): Step {
    if (this.#names.has(step.id)) throw new Error(`two steps of this run are called ${step.id}`);
    this.#names.add(step.id);
    const record: Step = { ...step, state: 'running', startedAt: now() };
    this.evidence.steps.push(record);
    this.show();
    return record;
  }

  end(record: Step, state: StepState, by: CurrentStep, result?: unknown): void {
    record.state = state;
    record.endedAt = now();
    if (by.attempts > 0) record.attempts = by.attempts;
    if (by.workers.size > 0) record.workers = [...by.workers];
    const phase = this.evidence.phases.find((one) => one.name === record.group);
    endWaits(record);
    const lost = by.retriesMs + waitedMs(record);
    if (phase !== undefined) phase.retriesMs += lost - (this.#counted.get(record.id) ?? 0);
    this.#counted.set(record.id, lost);
    if (typeof result === 'object' && result !== null) {
      const says: Says = result;
      if (typeof says.found === 'string') record.found = says.found;
      if (typeof says.expected === 'string') record.expected = says.expected;
      if (says.log !== undefined) record.log = says.log;
      if (typeof says.bytes === 'number') record.bytes = says.bytes;
    }
    this.show();
  }

  fail(record: Step, state: 'failed' | 'cancelled', by: CurrentStep, failure: Failure): void {
    record.failure = failure;
    this.end(record, state, by);
  }

  /** A step that had failed is tried again: all that it took so far has come to nothing. */
  resume(record: Step, by: CurrentStep, beganAt: string): void {
    const took = Date.parse(record.endedAt ?? now()) - Date.parse(beganAt);
    const phase = this.evidence.phases.find((one) => one.name === record.group);
    const lost = by.retriesMs + waitedMs(record);
    if (phase !== undefined) phase.retriesMs += Math.max(0, took - lost);
    record.state = 'running';
    delete record.endedAt;
    delete record.failure;
    this.show();
  }

  /** The run goes on without it. What it had failed with stays. */
  skip(record: Step, found: string): void {
    record.state = 'skipped';
    record.found = found;
    record.endedAt = now();
    this.show();
  }

  /** Waits for people: that is time of the phase in which the machine does not work. */
  awaitingPeople<T>(group: Step['group'], wait: () => Promise<T>): Promise<T> {
    return this.#peopleClock.during(group, wait);
  }

  /** A message that belongs to no question. */
  keepClick(click: Click): void {
    this.evidence.clicks = [...(this.evidence.clicks ?? []), click];
    this.show();
  }

  /** An activity waits for something that is away, or waits no longer: its run says so at once. */
  noteOutage(note: OutageNote): void {
    // The second activity of a step is called `<step>.2`; of one that is tried again, `<step>-again-2.2`.
    const id = note.activity.replace(/\.\d+$/, '').replace(/-again-\d+$/, '');
    const step = this.evidence.steps.find((one) => one.id === id && one.state === 'running');
    if (step === undefined) return;
    noteOutage(step, note, Date.now());
    this.show();
  }

  close(outcome: Evidence['outcome']): void {
    this.evidence.outcome = outcome;
    this.evidence.endedAt = now();
    for (const phase of this.evidence.phases)
      if (phase.startedAt !== undefined) phase.endedAt ??= this.evidence.endedAt;
    upsertSearchAttributes([{ key: keys.outcome, value: outcome }]);
    this.show();
  }

  followedBy(follower: Follower): void {
    this.#follower = follower;
  }

  /** Nothing more will change. */
  async finish(): Promise<void> {
    await this.#follower?.finish();
  }

  show(): void {
    this.#follower?.look();
    setCurrentDetails(renderLivePage(this.evidence, this.#pagesUrl === undefined ? {} : { pagesUrl: this.#pagesUrl }));
  }

  #phase(name: Phase) {
    const phase = this.evidence.phases.find((one) => one.name === name);
    if (phase === undefined) throw new Error(`this runbook has no phase ${name}`);
    return phase;
  }
}
