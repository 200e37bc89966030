/** What the engine wrote down, and when. */
import type { WorkflowHandle } from '@temporalio/client';

export type Event = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** Milliseconds, with fractions. */
export function timeOf(event: Event | undefined): number {
  const { seconds, nanos } = event?.eventTime ?? {};
  if (seconds == null) throw new Error('the history has no time where one was expected');
  return Number(seconds) * 1_000 + (nanos ?? 0) / 1e6;
}

/** When each activity was scheduled, by its id; in their order. */
export async function scheduledAt(handle: WorkflowHandle): Promise<Map<string, number>> {
  const { events } = await handle.fetchHistory();
  return new Map(
    (events ?? []).flatMap((event) => {
      const id = event.activityTaskScheduledEventAttributes?.activityId;
      return id == null ? [] : [[id, timeOf(event)] as const];
    }),
  );
}
