/** How often backups are taken, and how old the newest may be. Workflows use this: types and plain functions only. */
import { describe, maxIntervalMs, parseSchedule, type Schedule } from './schedule-words.ts';
import type { Plan } from './schema.ts';

export const backupKinds = ['full', 'differential', 'incremental'] as const;
type BackupKind = (typeof backupKinds)[number];

export interface Cadence {
  kind: BackupKind;
  schedule: Schedule;
}

/** A backup takes time, and may be tried twice, before the next one can be missed. */
const grace = 1.25;

/** The cadences that the plan names; words that are no schedule are left out: `plan validate` has refused them. */
export function cadences(plan: Pick<Plan, 'backups'>): Cadence[] {
  return backupKinds.flatMap((kind) => {
    const words = plan.backups.physical[kind];
    const parsed = words === undefined ? undefined : parseSchedule(words);
    return parsed && 'schedule' in parsed ? [{ kind, schedule: parsed.schedule }] : [];
  });
}

/**
 * How old the newest backup may be, in milliseconds: what the plan says (`newestWithin`), else a quarter more than the longest pause of
 * the most frequent cadence. `full: daily 02:00 UTC` with `incremental: every 6h` allows 7 h 30 min.
 */
export function newestBackupWithinMs(plan: Pick<Plan, 'backups'>): number {
  const { newestWithin } = plan.backups.physical;
  if (newestWithin !== undefined) return newestWithin;
  const pauses = cadences(plan).map(({ schedule }) => maxIntervalMs(schedule));
  if (pauses.length === 0) throw new RangeError('the plan names no cadence of backups, so none can be too old');
  return Math.round(Math.min(...pauses) * grace);
}

/** `full every day at 02:00 UTC, incremental every 6 hours` */
export function cadencesInWords(plan: Pick<Plan, 'backups'>): string {
  return cadences(plan)
    .map(({ kind, schedule }) => `${kind} ${describe(schedule)}`)
    .join(', ');
}
