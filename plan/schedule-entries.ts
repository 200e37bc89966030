/** What a plan wants to have run, and when. Workflows use this: types and plain functions only. */
import { parseSchedule, type Schedule } from './schedule-words.ts';
import type { Plan } from './schema.ts';

export type ScheduledName = 'monthly-drill' | 'full-backup' | 'differential-backup' | 'incremental-backup' | 'anchor';

export interface Entry {
  name: ScheduledName;
  /** As the plan says it. */
  words: string;
  schedule: Schedule;
}

type Scheduling = Pick<Plan, 'backups' | 'drills'>;

function scheduleWords({ backups, drills }: Scheduling): Omit<Entry, 'schedule'>[] {
  const { full, differential, incremental } = backups.physical;
  const all: [ScheduledName, string | undefined][] = [
    ['monthly-drill', drills.monthly.schedule],
    ['full-backup', full],
    ['differential-backup', differential],
    ['incremental-backup', incremental],
    ['anchor', backups.anchors],
  ];
  return all.flatMap(([name, words]) => (words === undefined ? [] : [{ name, words }]));
}

/** Words that are no schedule are left out: `plan validate` has refused them. */
export function scheduleEntries(plan: Scheduling): Entry[] {
  return scheduleWords(plan).flatMap((entry) => {
    const parsed = parseSchedule(entry.words);
    return 'schedule' in parsed ? [{ ...entry, schedule: parsed.schedule }] : [];
  });
}
