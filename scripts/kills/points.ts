/** Where a run can be struck: read from the history of one that nobody disturbed, never from a list. */
import type { WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { placeOf } from '../../lab/kills/order.ts';
import type { LiveRunbook, Walkable } from './runbooks.ts';

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

export interface Point {
  runbook: Walkable | LiveRunbook;
  /** `phase/step`, as in the evidence. */
  step: string;
  /** What stops there: the id of an activity, or of the child workflow that is a lock. */
  id: string;
  /** Its type; `workflow` where the step is a decision of the workflow alone. */
  activity: string;
  /** The worker that does it: `control`, `db1`, `db2`. */
  worker: string;
}

/** The last thing that a run asks for; not in the evidence, which it writes. */
const writesEvidence = 'closing/write-the-evidence';

/** Every activity of the run, and every step that has none, in the order in which they were asked for. */
export function pointsOf(runbook: Point['runbook'], history: History, evidence: Evidence): Point[] {
  const asked = askedFor(history, evidence).map((one) => ({ runbook, ...one }));
  return evidence.steps.reduce<Point[]>(
    (points, { id: step }, index) => {
      if (asked.some((point) => point.step === step)) return points;
      // Decided in the same breath as the next that asks somebody for something.
      const later = [...evidence.steps.slice(index + 1).map(({ id }) => id), writesEvidence];
      const next = points.findIndex((point) => later.includes(point.step));
      const beside = points[next];
      return beside === undefined
        ? points
        : points.toSpliced(next, 0, { runbook, step, id: beside.id, activity: 'workflow', worker: 'control' });
    },
    [...asked],
  );
}

function askedFor(history: History, { steps }: Evidence): Omit<Point, 'runbook'>[] {
  return (history.events ?? []).flatMap((event) => {
    const activity = event.activityTaskScheduledEventAttributes;
    if (activity?.activityId != null)
      return [
        {
          step: activity.activityId.replace(/\.\d+$/, ''),
          id: activity.activityId,
          activity: activity.activityType?.name ?? '',
          worker: workerOf(activity.taskQueue?.name ?? ''),
        },
      ];
    const lock = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId;
    const held = lock?.replace('lifeboat-host/', 'host-').replace('lifeboat-lock/', 'service-');
    const step = steps.find(({ id }) => held !== undefined && id.endsWith(`/hold-${held}`));
    return lock == null || step === undefined
      ? []
      : [{ step: step.id, id: lock, activity: 'workflow', worker: 'control' }];
  });
}

function workerOf(queue: string): string {
  return /^lifeboat\.host\.(.+)$/.exec(queue)?.[1] ?? 'control';
}

/** In which attempt an activity was done. */
export function attemptsOf(history: History, activityId: string): number {
  const events = history.events ?? [];
  const scheduled = events.find(
    (event) => placeOf(event.activityTaskScheduledEventAttributes?.activityId ?? '') === placeOf(activityId),
  )?.eventId;
  const started = events.filter(
    ({ activityTaskStartedEventAttributes: one }) =>
      scheduled != null && one?.scheduledEventId?.toString() === scheduled.toString(),
  );
  return started.at(-1)?.activityTaskStartedEventAttributes?.attempt ?? 1;
}

/** How many activities of a type the run asked for. */
export function countOf(history: History, activityType: string): number {
  return (history.events ?? []).filter(
    ({ activityTaskScheduledEventAttributes: one }) => one?.activityType?.name === activityType,
  ).length;
}
