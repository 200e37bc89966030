/** Keeps the evidence of a run while it goes on, and shows it in the Temporal UI at each step. */

import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Evidence, Failure, Phase, Step, StepState } from '../../evidence/evidence.ts';
import { renderLivePage } from '../../evidence/render/markdown.ts';
import { endWaits, noteOutage, type OutageNote, waitedMs } from '../../evidence/waits.ts';
import { searchAttributes } from '../messages.ts';
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
}

export class Record {
  readonly evidence: Evidence;
  readonly #names = new Set<string>();
  readonly #pagesUrl: string | undefined;

  constructor(evidence: Evidence, pagesUrl: string | undefined) {
    this.evidence = evidence;
    this.#pagesUrl = pagesUrl;
    upsertSearchAttributes([
      { key: keys.service, value: evidence.service },
      { key: keys.runbook, value: evidence.runbook },
      { key: keys.mode, value: evidence.mode },
      { key: keys.outcome, value: evidence.outcome },
      ...(typeof evidence.input.type === 'string' ? [{ key: keys.type, value: evidence.input.type }] : []),
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
    if (phase !== undefined) phase.retriesMs += by.retriesMs + waitedMs(record);
    if (typeof result === 'object' && result !== null) {
      const says: Says = result;
      if (typeof says.found === 'string') record.found = says.found;
      if (typeof says.expected === 'string') record.expected = says.expected;
      if (says.log !== undefined) record.log = says.log;
    }
    this.show();
  }

  fail(record: Step, state: 'failed' | 'cancelled', by: CurrentStep, failure: Failure): void {
    record.failure = failure;
    this.end(record, state, by);
  }

  /** An activity waits for something that is away, or waits no longer: its run says so at once. */
  noteOutage(note: OutageNote): void {
    // The second activity of a step is called `<step>.2`, and so on.
    const id = note.activity.replace(/\.\d+$/, '');
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

  show(): void {
    setCurrentDetails(renderLivePage(this.evidence, this.#pagesUrl === undefined ? {} : { pagesUrl: this.#pagesUrl }));
  }

  #phase(name: Phase) {
    const phase = this.evidence.phases.find((one) => one.name === name);
    if (phase === undefined) throw new Error(`this runbook has no phase ${name}`);
    return phase;
  }
}
