/** (c) What the runbook layer adds to each step: evidence, live page, search attributes, the step's name. */
import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { timeOf } from './events.ts';
import { atMost, rowOf } from './findings.ts';
import type { Ground } from './ground.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { median } from './statistics.ts';
import { benchQueue } from './workflows/queue.ts';

const contestants = ['layeredSteps', 'bareSteps'] as const;
/** As many as a long runbook has; the live page shows all of them. */
const steps = 40;
const runsEachRound = 5;

/** The activities of the bench's worker: they do nothing, and answer as a worker of Lifeboat's would. */
export const idleActivities = {
  litter: async () => ({ found: 'nothing was looked at', by: { worker: 'bench', attempt: 1, tookMs: 0 } }),
};

export async function runbookLayer(ground: Ground, rounds: number): Promise<Findings> {
  const each = await compete(contestants, rounds * runsEachRound, (workflow) => msEachStep(ground, workflow));
  const added = median(each.layeredSteps) - median(each.bareSteps);
  ground.say(`(c) ${rounds * runsEachRound} runs of ${steps} steps each: the layer adds ${added.toFixed(1)} ms a step`);
  return {
    rows: [
      rowOf('c', `a step of a runbook with ${steps} steps that do nothing`, 'ms', each.layeredSteps),
      rowOf('c', 'the same activity in a bare workflow', 'ms', each.bareSteps),
    ],
    goals: [atMost('c', 'added to each step by the runbook layer', added, 15, 'ms')],
  };
}

async function msEachStep({ client, signal }: Ground, workflow: (typeof contestants)[number]): Promise<number> {
  signal.throwIfAborted();
  const handle = await client.workflow.start(workflow, {
    taskQueue: benchQueue,
    workflowId: `bench-${workflow}-${randomBytes(4).toString('hex')}`,
    args: [{ steps, mode: 'dry-run', service: 'orders' }],
  });
  await handle.result();
  return (await stepsTook(handle)) / steps;
}

/** From the first step's scheduling to the last one's result, on the engine's clock: opening and closing are not counted. */
async function stepsTook(handle: WorkflowHandle): Promise<number> {
  const { events } = await handle.fetchHistory();
  const scheduled = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'litter',
  );
  const ids = new Set(scheduled.map(({ eventId }) => String(eventId)));
  const completed = (events ?? []).filter((event) =>
    ids.has(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)),
  );
  return timeOf(completed.at(-1)) - timeOf(scheduled[0]);
}
