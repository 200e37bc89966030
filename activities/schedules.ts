/** Lifeboat's schedules as the Temporal server lists them: eventually consistent, a second or so behind. */
import type { Client, ScheduleSummary } from '@temporalio/client';
import { scheduleOfId } from '../plan/schedule-ids.ts';
import type { OnServer } from '../plan/schedule-kept.ts';

export interface ListedSchedule extends OnServer {
  id: string;
  service: string;
  /** `monthly-drill`; another version may have had other names. */
  name: string;
}

/** The memo of a schedule that Lifeboat made: whose it is. */
export const scheduleMemo = (service: string): Record<string, unknown> => ({ lifeboat: service });

/** A schedule that only has the name of one of ours is somebody else's. */
export function madeByLifeboat(service: string, memo: Record<string, unknown> | undefined): boolean {
  return memo?.lifeboat === service;
}

export async function listSchedules(client: Client): Promise<ListedSchedule[]> {
  const found: ListedSchedule[] = [];
  for await (const summary of client.schedule.list({ pageSize: 200 })) found.push(...listed(summary));
  return found;
}

function listed({ scheduleId, memo, state, spec }: ScheduleSummary): ListedSchedule[] {
  const ours = scheduleOfId(scheduleId);
  if (ours === undefined || !madeByLifeboat(ours.service, memo)) return [];
  return [
    {
      id: scheduleId,
      ...ours,
      paused: state.paused,
      ...(state.note ? { note: state.note } : {}),
      ...(spec?.startAt === undefined ? {} : { since: spec.startAt.toISOString() }),
    },
  ];
}
