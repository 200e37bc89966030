/** The schedules that a plan wants to be on the Temporal server. */
import { scheduleSpec } from '../../plan/schedule-calendar.ts';
import { componentOf, type FileBackupName, type ScheduledName, scheduleEntries } from '../../plan/schedule-entries.ts';
import { scheduleId } from '../../plan/schedule-ids.ts';
import type { Plan } from '../../plan/schema.ts';
import { bySchedule, type RunbookName } from '../../workflows/messages.ts';
import type { WantedSchedule } from '../engine/schedule.ts';
import { checked } from '../input.ts';
import { orderOf } from '../order.ts';

interface Start {
  runbook: RunbookName;
  input: Record<string, unknown>;
}

const starts: Record<Exclude<ScheduledName, FileBackupName>, Start> = {
  'monthly-drill': { runbook: 'monthly-drill', input: { mode: 'drill' } },
  'full-backup': { runbook: 'backup', input: { mode: 'live', type: 'full' } },
  'differential-backup': { runbook: 'backup', input: { mode: 'live', type: 'differential' } },
  'incremental-backup': { runbook: 'backup', input: { mode: 'live', type: 'incremental' } },
  anchor: { runbook: 'anchor', input: { mode: 'live' } },
};

function startOf(name: ScheduledName): Start {
  const component = componentOf(name);
  if (component !== undefined) return { runbook: 'file-backup', input: { mode: 'live', component } };
  return starts[name as keyof typeof starts];
}

/**
 * Services that are all backed up at 02:00 do not ask one object store at the same moment: Temporal draws the moment from the
 * schedule's id and its time, so it is the same each time that it is asked. People watch the clock for a drill: it begins on it.
 */
const spreadMs = 60_000;

export function wantedSchedules(plan: Plan): WantedSchedule[] {
  const { service } = plan;
  return scheduleEntries(plan).map(({ name, words, schedule }) => {
    const { runbook, input } = startOf(name);
    const order = orderOf(checked(runbook, { service, ...input, requestedBy: bySchedule }));
    return {
      id: scheduleId(service, name),
      service,
      name,
      words,
      spec: scheduleSpec(schedule),
      spreadMs: name === 'monthly-drill' ? 0 : spreadMs,
      catchUpMs: plan.schedules.startWithin,
      // Two schedules of one service can have a time in common: their runs must not have one name.
      order: { ...order, prefix: `${service}-${name}` },
    };
  });
}
