/** What makes two schedules the same: their parts in a form that can be compared, whoever wrote them down, and however. */
import type {
  CalendarSpecDescription,
  CompiledScheduleOptions,
  ScheduleDescription,
  ScheduleOptions,
  ScheduleSpecDescription,
} from '@temporalio/client';
import {
  compileScheduleOptions,
  decodeScheduleSpec,
  encodeScheduleSpec,
} from '@temporalio/client/lib/schedule-helpers.js';
import stringify from 'safe-stable-stringify';
import { scheduleMemo } from '../../activities/schedules.ts';
import { durationText } from '../../plan/duration.ts';
import { scheduleSpec } from '../../plan/schedule-calendar.ts';
import { parseSchedule } from '../../plan/schedule-words.ts';
import { controlQueue } from '../../workflows/messages.ts';
import type { WantedSchedule } from './schedule.ts';

export interface Definition {
  /** In words of a plan, where they say exactly this. */
  times: string;
  /** Every part by its name; `times` in a form that has no other spelling. */
  parts: Readonly<Record<string, string>>;
}

/** As Temporal's client takes it. @param since its times count from here on */
export function optionsOf(wanted: WantedSchedule, since: Date): CompiledScheduleOptions {
  const { id, service, words, spec, spreadMs, catchUpMs, order } = wanted;
  const options: ScheduleOptions = {
    scheduleId: id,
    spec: {
      ...('calendars' in spec
        ? { ...spec, calendars: spec.calendars.map((calendar) => ({ ...calendar, comment: words })) }
        : spec),
      startAt: since,
      ...(spreadMs === 0 ? {} : { jitter: spreadMs }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: order.type,
      workflowId: order.prefix,
      taskQueue: controlQueue,
      args: [order.input],
      staticSummary: order.summary,
    },
    // A drill that failed is no reason to hold no more of them.
    policies: { overlap: 'SKIP', catchupWindow: catchUpMs, pauseOnFailure: false },
    memo: scheduleMemo(service),
  };
  return compileScheduleOptions(options);
}

export function wantedDefinition(wanted: WantedSchedule): Definition {
  const { spec, action, policies } = optionsOf(wanted, new Date());
  return definition({
    spec: decodeScheduleSpec(encodeScheduleSpec(spec)),
    action,
    policies: { overlap: policies?.overlap, catchupWindow: wanted.catchUpMs, pauseOnFailure: false },
  });
}

export function foundDefinition(found: Pick<ScheduleDescription, 'spec' | 'action' | 'policies'>): Definition {
  return definition(found);
}

interface Parts {
  spec: ScheduleSpecDescription;
  action: Omit<ScheduleDescription['action'], 'searchAttributes' | 'typedSearchAttributes'>;
  policies: { overlap: string | undefined; catchupWindow: number; pauseOnFailure: boolean };
}

function definition({ spec, action, policies }: Parts): Definition {
  const { retry, workflowExecutionTimeout, workflowRunTimeout } = action;
  const limits = { retry, workflowExecutionTimeout, workflowRunTimeout };
  return {
    times: inWords(spec),
    parts: {
      times: canonical(spec),
      spread: durationText(spec.jitter ?? 0),
      starts: `${action.workflowType} on ${action.taskQueue}`,
      input: stringify(action.args ?? []),
      'name of its runs': action.workflowId ?? '',
      summary: action.staticSummary ?? '',
      limits: stringify(limits),
      'when the run before goes on': (policies.overlap ?? '').toLowerCase(),
      'starts what was missed within': durationText(policies.catchupWindow),
      'pauses when a run fails': policies.pauseOnFailure ? 'yes' : 'no',
    },
  };
}

/** The same times have the same text: ranges are written out, nothing depends on an order. */
function canonical(spec: ScheduleSpecDescription): string {
  const calendars = (all: CalendarSpecDescription[] | undefined) => (all ?? []).map(calendarText).sort();
  const intervals = (spec.intervals ?? []).map(({ every, offset = 0 }) => `${every}+${offset}`).sort();
  const zone = calendars(spec.calendars).length === 0 ? '' : spec.timezone || 'UTC';
  return JSON.stringify([
    calendars(spec.calendars),
    intervals,
    calendars(spec.skip),
    zone,
    spec.endAt?.toISOString() ?? '',
  ]);
}

const months = 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER'.split(' ');
const weekdays = 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY'.split(' ');

function calendarText({ second, minute, hour, dayOfMonth, month, year, dayOfWeek }: CalendarSpecDescription): string {
  return [
    values(second),
    values(minute),
    values(hour),
    values(dayOfMonth),
    values(month, months),
    values(year),
    values(dayOfWeek, weekdays),
  ].join(' ');
}

function values(
  ranges: readonly { start: number | string; end: number | string; step: number }[],
  names: string[] = [],
) {
  const number = (of: number | string): number => (typeof of === 'string' ? names.indexOf(of) : of);
  const all = new Set<number>();
  for (const { start, end, step } of ranges)
    for (let value = number(start); value <= Math.max(number(start), number(end)); value += Math.max(1, step))
      all.add(value);
  return all.size === 0 ? '*' : [...all].sort((a, b) => a - b).join(',');
}

/** The words that the server's times carry with them count only where they still say what these times are. */
function inWords(spec: ScheduleSpecDescription): string {
  const [interval] = spec.intervals ?? [];
  const claimed = interval === undefined ? spec.calendars?.[0]?.comment : `every ${durationText(interval.every)}`;
  const parsed = claimed === undefined ? undefined : parseSchedule(claimed);
  if (claimed === undefined || parsed === undefined || 'problem' in parsed) return 'times that no plan says';
  const meant = decodeScheduleSpec(encodeScheduleSpec(scheduleSpec(parsed.schedule)));
  return canonical(meant) === canonical(spec) ? claimed : 'times that no plan says';
}
