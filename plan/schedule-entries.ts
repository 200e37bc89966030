/** What a plan wants to have run, and when. Workflows use this: types and plain functions only. */
import { parseSchedule, type Schedule } from './schedule-words.ts';
import type { Plan } from './schema.ts';

const fileBackup = 'file-backup-';

/** Of the files of one component, each by a schedule of its own: `file-backup-web`. */
export type FileBackupName = `${typeof fileBackup}${string}`;

export type ScheduledName =
  | 'monthly-drill'
  | 'full-backup'
  | 'differential-backup'
  | 'incremental-backup'
  | 'anchor'
  | FileBackupName;

export function fileBackupOf(component: string): FileBackupName {
  return `${fileBackup}${component}`;
}

/** Whose files a scheduled run backs up; `undefined` for what backs up no files. */
export function componentOf(name: ScheduledName): string | undefined {
  return name.startsWith(fileBackup) ? name.slice(fileBackup.length) : undefined;
}

export interface Entry {
  name: ScheduledName;
  /** As the plan says it. */
  words: string;
  schedule: Schedule;
}

type Scheduling = Pick<Plan, 'backups' | 'drills' | 'components'>;

function scheduleWords({ backups, drills, components = {} }: Scheduling): Omit<Entry, 'schedule'>[] {
  const { full, differential, incremental } = backups.physical;
  const all: [ScheduledName, string | undefined][] = [
    ['monthly-drill', drills.monthly.schedule],
    ['full-backup', full],
    ['differential-backup', differential],
    ['incremental-backup', incremental],
    ['anchor', backups.anchors],
    ...Object.entries(components).flatMap(([name, component]): [ScheduledName, string | undefined][] =>
      component.kind === 'restic' ? [[fileBackupOf(name), component.schedule]] : [],
    ),
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
