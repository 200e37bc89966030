import { Context } from '@temporalio/activity';
import type { ControlReads } from '../contract.ts';

/** A worker polls again after a minute at the latest; the server remembers it for five. */
const latelyMs = 120_000;

/** temporal.api.enums.v1.TaskQueueType */
const activityQueue = 2;

export async function somebodyPolls({ queue }: { queue: string }): ReturnType<ControlReads['somebodyPolls']> {
  const { client } = Context.current();
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: queue },
    taskQueueType: activityQueue,
  });
  const lately = (pollers ?? []).filter(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < latelyMs,
  );
  const names = lately.map(({ identity }) => identity ?? 'unknown').join(', ');
  return { polls: lately.length > 0, found: names === '' ? `nobody polls ${queue}` : `${names} polls ${queue}` };
}
