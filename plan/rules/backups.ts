/** Backups are taken, at times that are understood. */
import { backupKinds, cadences } from '../cadence.ts';
import { durationText } from '../duration.ts';
import type { Path } from '../problems.ts';
import { maxIntervalMs, parseSchedule } from '../schedule-words.ts';
import { rule, type Say } from './rule.ts';

/** Differential and incremental backups stand on a full one; archived WAL without any is worth nothing. */
export const fullBackupsAreTaken = rule(['backups'], ({ backups }, say) => {
  if (backups.physical.full === undefined)
    say(['backups', 'physical'], 'no full backup is ever taken', {
      at: 'key',
      instead: 'write full and when, such as full: daily 02:00 UTC',
    });
});

export const schedulesAreUnderstood = rule(['backups'], ({ backups }, say) => {
  for (const kind of backupKinds) {
    const words = backups.physical[kind];
    if (words !== undefined) look(words, ['backups', 'physical', kind], say);
  }
  if (backups.anchors !== undefined) look(backups.anchors, ['backups', 'anchors'], say);
});

export const drillSchedulesAreUnderstood = rule(['drills'], ({ drills }, say) => {
  look(drills.monthly.schedule, ['drills', 'monthly', 'schedule'], say);
});

function look(words: string, path: Path, say: Say): void {
  const parsed = parseSchedule(words);
  if ('problem' in parsed) say(path, parsed.problem);
}

/** Temporal's own limit. */
const shortestCatchUpMs = 10_000;
const longestCatchUpMs = 24 * 60 * 60 * 1000;

/** A drill that begins a day late runs in the middle of the work that its time was chosen to avoid. */
export const scheduledRunsStartInTime = rule(['schedules'], ({ schedules }, say) => {
  if (schedules.startWithin < shortestCatchUpMs || schedules.startWithin > longestCatchUpMs)
    say(['schedules', 'startWithin'], `what is scheduled cannot begin within ${durationText(schedules.startWithin)}`, {
      instead: 'write a time from 10s to 24h',
    });
});

/** Else every drill would fail between two backups. */
export const newestBackupCanBeThatYoung = rule(['backups'], (plan, say) => {
  const { newestWithin } = plan.backups.physical;
  const pauses = cadences(plan).map(({ schedule }) => maxIntervalMs(schedule));
  const shortest = Math.min(...pauses);
  if (newestWithin !== undefined && newestWithin < shortest && pauses.length > 0)
    say(
      ['backups', 'physical', 'newestWithin'],
      `the newest backup cannot always be younger than ${durationText(newestWithin)}: up to ${durationText(shortest)} pass between two`,
      { instead: 'write a longer time, or take backups more often' },
    );
});
