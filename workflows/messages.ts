/** What can be sent to a run and asked of it: the one file that the CLI, the pages and the workflows share. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Evidence, Mode } from '../evidence/evidence.ts';
import { type OutageNote, outageSignalName } from '../evidence/waits.ts';

/** Every runbook starts from one JSON object, or from nothing. */
export interface RunInput {
  service?: string;
  mode?: Mode;
  requestedBy?: string;
}

/** What `requestedBy` says of a run that a schedule has started. Such a run waits for its host, where a person would rather be told. */
export const bySchedule = 'schedule';

export interface MonthlyDrillInput extends RunInput {
  /** A moment with its offset, `2026-11-21T14:00:00Z`; without it the newest point that the archive holds. */
  target?: string;
}

export interface BackupInput extends RunInput {
  type?: 'full' | 'differential' | 'incremental';
}

export interface SweepInput extends RunInput {
  /** Only this host of the plan. */
  host?: string;
  /** Live: the dry run that has shown what is to be removed; nothing else is. */
  shownBy?: string;
}

/** The evidence so far. */
export const evidenceQuery = defineQuery<Evidence>('evidence');

/** An activity of the run waits for something that is away, or waits no longer. */
export const outageSignal = defineSignal<[OutageNote]>(outageSignalName);

/** Workflow type names, as the Temporal UI shows them. */
export const runbooks = {
  'monthly-drill': 'monthlyDrill',
  backup: 'backup',
  anchor: 'anchor',
  sweep: 'sweep',
} as const;
export type RunbookName = keyof typeof runbooks;

/** Task queue of the control workers; host workers poll `lifeboat.host.<name>`. */
export const controlQueue = 'lifeboat';
export const hostQueue = (host: string): string => `lifeboat.host.${host}`;

/** Search attributes, all of type Keyword. */
export const searchAttributes = {
  service: 'LifeboatService',
  runbook: 'LifeboatRunbook',
  mode: 'LifeboatMode',
  phase: 'LifeboatPhase',
  outcome: 'LifeboatOutcome',
  /** Of a backup: full, differential, incremental. */
  type: 'LifeboatType',
} as const;
