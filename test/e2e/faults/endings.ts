/** Ends runs in other ways than their own, and looks at what is left: with Temporal's client, plain files and the process table. */
import { readdir } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeAll, expect } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { backup, type Scenario, start, until, useEstate } from '../drill/scenario.ts';
import { ask, processesNaming } from '../observer.ts';

/** Drills on a machine that is busy with other things: the tests wait for a moment, and fail by what was seen. */
export const patientMs = 400_000;
const reachesWithinMs = 180_000;

const started: WorkflowHandle[] = [];

/** An estate with a backup and customers; after each test no run of it goes on. */
export function useEndings(): () => Scenario {
  const scenario = useEstate({ load: { ordersPerSecond: 10 } });
  beforeAll(async () => {
    await backup(scenario());
  });
  afterEach(() => endWhatRuns(scenario()));
  return scenario;
}

/** Starts a run, and waits until the given step has begun. */
export async function runIn(
  scenario: Scenario,
  workflow: string,
  step: string,
  input: object,
): Promise<WorkflowHandle> {
  const handle = await start(scenario, workflow, input);
  started.push(handle);
  await reaches(handle, step);
  return handle;
}

export async function reaches(handle: WorkflowHandle, step: string): Promise<void> {
  await until(
    `${handle.workflowId} reaches ${step}`,
    async () => {
      const { steps, failure } = await handle.query<Evidence>('evidence');
      if (failure !== undefined) throw new Error(`it failed before: ${failure.message}`);
      return steps.some((one) => one.id === step) ? true : undefined;
    },
    reachesWithinMs,
  );
}

/** What a test that failed has left running would hold up the next. */
export async function endWhatRuns({ client }: Scenario): Promise<void> {
  for (const { workflowId } of started.splice(0)) {
    const handle = client.workflow.getHandle(workflowId);
    // A test may have let Temporal forget it.
    const known = await handle.describe().catch(() => undefined);
    if (known?.status.name !== 'RUNNING') continue;
    await handle.cancel();
    await handle.result().catch(() => undefined);
  }
}

/** Lets the run begin again from the moment in which it asked for this activity; yields the new execution. */
export async function resetTo(scenario: Scenario, workflowId: string, activityId: string): Promise<string> {
  const handle = scenario.client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const asked = (events ?? [])
    .map((event) => event.activityTaskScheduledEventAttributes)
    .find((one) => one?.activityId === activityId);
  if (asked?.workflowTaskCompletedEventId == null) throw new Error(`${workflowId} never asked for ${activityId}`);
  const answer = await scenario.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'the end-to-end tests',
    requestId: `${runId}-${activityId}`,
    workflowTaskFinishEventId: asked.workflowTaskCompletedEventId,
  });
  return answer.runId;
}

/** How the newest execution of a run ends. */
export async function endOf(scenario: Scenario, workflowId: string): Promise<{ status: string; evidence: Evidence }> {
  const handle = scenario.client.workflow.getHandle(workflowId);
  await handle.result().catch(() => undefined);
  const { status } = await handle.describe();
  return { status: status.name, evidence: await handle.query<Evidence>('evidence') };
}

export async function nothingIsLeft({ estate }: Scenario): Promise<void> {
  const { scratch } = estate.servers.db2;
  expect(await readdir(scratch)).toEqual([]);
  expect(await processesNaming(`${scratch}/`)).toEqual([]);
}

export async function lockIsOpen({ client }: Scenario, host: string): Promise<boolean> {
  const lock = client.workflow.getHandle(`lifeboat-host/${host}`);
  return lock.describe().then(
    ({ status }) => status.name === 'RUNNING',
    () => false,
  );
}

/** Labels of the finished backups, as they lie in the store. */
export async function backupsStored({ estate }: Scenario): Promise<string[]> {
  const paths = await readdir(estate.site.layout.store, { recursive: true });
  const labels = paths.flatMap(
    (path) => /backup\/orders\/(\d{8}-\d{6}F[^/]*)\/backup\.manifest$/.exec(path)?.[1] ?? [],
  );
  return [...new Set(labels)].sort();
}

/** Timelines that were archived. A throw-away server must never add one. */
export async function historiesArchived({ estate }: Scenario): Promise<string[]> {
  const paths = await readdir(estate.site.layout.store, { recursive: true });
  return paths.filter((path) => /[0-9A-F]{8}\.history/.test(path)).sort();
}

/** Whether replay on the standby goes on. */
export async function replayGoesOn({ estate }: Scenario): Promise<boolean> {
  const { port, socket } = estate.servers.db2;
  const [row] = await ask<{ paused: boolean }>({ host: socket, port }, 'select pg_is_wal_replay_paused() as paused');
  return row?.paused === false;
}
