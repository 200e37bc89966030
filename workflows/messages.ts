/** What can be sent to a run and asked of it: the one file that the CLI, the pages and the workflows share. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Evidence, Mode } from '../evidence/evidence.ts';
import type { AbortPlan, Channel, DecisionAction } from '../evidence/people.ts';
import type { Signature } from '../evidence/signing.ts';
import { type OutageNote, outageSignalName } from '../evidence/waits.ts';
import type { Way } from '../recovery/rebuild.ts';

/** Every runbook starts from one JSON object, or from nothing. */
export interface RunInput {
  service?: string;
  mode?: Mode;
  /** A person of the plan, by id; anything else is only written down. */
  requestedBy?: string;
  /** Of the statement "start", by which the requester is known for certain. */
  requestSignature?: Signature;
}

/** What every message of a person carries. */
interface Said {
  /** Id of a person of the plan. */
  by: string;
  reason?: string;
  channel?: Channel;
  signature?: Signature;
}

/** A yes, a no, or an alternative that was offered. */
export interface ApprovalClick extends Said {
  /** Step id of the approval; may be left out while only one is open. */
  approval?: string;
  /** As the approval shows it; a yes or no to something else does not count. */
  code: string;
  /** Of an approve: an alternative instead of the plain yes, and what comes with it. */
  choice?: string;
  value?: string;
}

export interface DecisionClick extends Said {
  /** Step id; may be left out while only one step waits. */
  step?: string;
  code: string;
  action: DecisionAction;
}

export interface AbortClick extends Said {
  /** Of the computed abort that the sender has read. */
  code: string;
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

export interface SwitchoverInput extends RunInput {
  /** Host of the standby that becomes the primary; may be left out while there is only one. */
  to?: string;
}

export interface DatabaseFailoverInput extends RunInput {
  /** Host of the primary that is lost; may be left out while one member alone does not answer. */
  from?: string;
  /** Host of the standby that becomes the primary; the one that holds most when absent. */
  to?: string;
  /** When it was lost: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

export interface RegionSwitchoverInput extends RunInput {
  /** The site that takes over; may be left out while there is only one other. */
  to?: string;
}

export interface RegionFailoverInput extends RunInput {
  /** The site that is lost; may be left out while one alone does not answer. */
  from?: string;
  /** The site that takes over; may be left out while there is only one other. */
  to?: string;
  /** When it was lost: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

export interface RegionFailbackInput extends RunInput {
  /** The site that the service goes back to; may be left out while there is only one other. */
  to?: string;
  /** The way that its member comes back as a standby first, whatever cheaper one there is. */
  way?: Way;
}

export interface StandbyRebuildInput extends RunInput {
  /** Host of the standby; may be left out while there is only one member beside the primary. */
  host?: string;
  /** The way that it comes back, whatever cheaper one there is. */
  way?: Way;
}

export interface TrafficShiftInput extends RunInput {
  /** Percent of the visitors who are led to the application, 0 to 100; all of them when absent. */
  to?: number;
}

export interface PointInTimeRecoveryInput extends RunInput {
  /** `2026-11-21T14:00:00Z`, `0/59E1A40`, `transaction 4711`, `name before-deploy`; `before` in front of a position or a transaction: just before it. */
  target?: string;
  /** When it began: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

export interface FullRestoreInput extends RunInput {
  /** As in a point-in-time recovery; as far as the archive goes when absent. */
  target?: string;
  /** Host that becomes the primary; the first member of the plan when absent. */
  primary?: string;
  /** When the service was lost: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

export interface FullRecoveryInput extends FullRestoreInput {
  /** Parts of the service that may be brought back: `database`, and components by their names; all of them when absent. */
  scope?: string[];
}

export interface ApplicationRecoveryInput extends RunInput {
  /** An application of the plan's components; may be left out while there is only one. */
  component?: string;
  /** Absent: what is not healthy is brought back, and what is healthy is left alone. */
  action?: 'restart' | 'start' | 'quiesce' | 'resume';
  /** When it was lost: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

/** What a run does with a cache, whatever it needs. */
export const cacheWorks = ['failover', 'restore', 'warm'] as const;
export type CacheWork = (typeof cacheWorks)[number];

export interface CacheRecoveryInput extends RunInput {
  /** As the plan names it; may be left out while there is only one. */
  component?: string;
  /** What is needed, when absent. */
  do?: CacheWork;
}

export interface ConfigurationRestoreInput extends RunInput {
  /** A component of the plan that restic keeps; may be left out while there is only one. */
  component?: string;
  /** Id of a snapshot, or a moment with its offset: the newest one until then. The newest of all when absent. */
  snapshot?: string;
  /** When it began: the time to recover counts from then on; from the start of the run when absent. */
  incidentAt?: string;
}

export interface FileBackupInput extends RunInput {
  /** A component of the plan that restic keeps; all of them when absent. */
  component?: string;
}

export interface SweepInput extends RunInput {
  /** Only this host of the plan. */
  host?: string;
  /** Live: the dry run that has shown what is to be removed; nothing else is. */
  shownBy?: string;
}

export interface AcceptInput extends RunInput {
  /** The recovery that is accepted, by its run. */
  recovery?: string;
}

export interface FindInput extends RunInput {
  /** Moments with their offsets; without them the last hour that the archive holds. */
  from?: string;
  to?: string;
  /** Rows of one table that a transaction has deleted or updated, from which on it is told; 1,000. */
  rows?: number;
  /** Only what was done to this table. */
  table?: string;
  /** How many are told at most; 20. */
  limit?: number;
  /** By weight when absent. */
  order?: 'weight' | 'time';
  /** `false`: no server is restored to learn the names of tables that are no more. */
  names?: boolean;
}

/** The evidence so far. */
export const evidenceQuery = defineQuery<Evidence>('evidence');

/** An activity of the run waits for something that is away, or waits no longer. */
export const outageSignal = defineSignal<[OutageNote]>(outageSignalName);

/** Messages of people. Updates answer in words, or fail with `Refused`; signals of the same name are for automation, which waits for no answer. */
export const approveUpdate = defineUpdate<string, [ApprovalClick]>('approve');
export const rejectUpdate = defineUpdate<string, [ApprovalClick]>('reject');
export const decideUpdate = defineUpdate<string, [DecisionClick]>('decide');
export const abortUpdate = defineUpdate<string, [AbortClick]>('abort');
export const approveSignal = defineSignal<[ApprovalClick]>('approve');
export const rejectSignal = defineSignal<[ApprovalClick]>('reject');
export const decideSignal = defineSignal<[DecisionClick]>('decide');
export const abortSignal = defineSignal<[AbortClick]>('abort');

/** What a person says to a run; `kind` is the name of the update. */
export type Message =
  | { kind: 'approve' | 'reject'; click: ApprovalClick }
  | { kind: 'decide'; click: DecisionClick }
  | { kind: 'abort'; click: AbortClick };

/** What an abort would do now. */
export const abortPlanQuery = defineQuery<AbortPlan>('abortPlan');

/** Workflow type names, as the Temporal UI shows them. */
export const runbooks = {
  'monthly-drill': 'monthlyDrill',
  backup: 'backup',
  anchor: 'anchor',
  sweep: 'sweep',
  switchover: 'switchover',
  'database-failover': 'databaseFailover',
  'region-switchover': 'regionSwitchover',
  'region-failover': 'regionFailover',
  'region-failback': 'regionFailback',
  'point-in-time-recovery': 'pointInTimeRecovery',
  'full-restore': 'fullRestore',
  'full-recovery': 'fullRecovery',
  find: 'find',
  'standby-rebuild': 'standbyRebuild',
  'traffic-shift': 'trafficShift',
  accept: 'accept',
  'application-recovery': 'applicationRecovery',
  'cache-recovery': 'cacheRecovery',
  'configuration-restore': 'configurationRestore',
  'file-backup': 'fileBackup',
} as const;
export type RunbookName = keyof typeof runbooks;

/** Runbooks at whose end another member is the primary, the newest of which status shows. */
export const changesOfPrimary = [
  'switchover',
  'database-failover',
  'region-switchover',
  'region-failover',
  'region-failback',
] as const satisfies readonly RunbookName[];

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
  /** Of a backup: full, differential, incremental. Of a backup of files: the component, where it is only one. */
  type: 'LifeboatType',
} as const;
