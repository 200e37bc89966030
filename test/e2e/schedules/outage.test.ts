/** Schedules that a real server fires by itself: while a run goes on, and after it was away. No worker takes the runs up. */
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { beforeEach, expect, test } from 'vitest';
import { eventually } from '../control/rig.ts';
import { useTemporal } from './rig.ts';

const temporal = useTemporal();

beforeEach(async () => {
  const { stderr, exitCode } = await temporal().lifeboat('schedules', 'apply');
  if (exitCode !== 0) throw new Error(stderr);
});

interface Often {
  everyMs: number;
  /** Of its first time. */
  at: number;
  catchUpMs?: number;
}

/** Words begin at five minutes: for the time of a test a schedule that Lifeboat made is made to fire more often, by hand. */
async function fireOften(name: string, { everyMs, at, catchUpMs }: Often): Promise<void> {
  const { client, schedule } = temporal();
  await client.schedule.getHandle(`lifeboat/orders/${name}`).update((before) => ({
    ...before,
    spec: { intervals: [{ every: everyMs, offset: at % everyMs }] },
    policies: { ...before.policies, ...(catchUpMs === undefined ? {} : { catchupWindow: catchUpMs }) },
  }));
  await eventually('the server to take it up', async () =>
    (await schedule(name)).spec.intervals?.[0]?.every === everyMs ? true : undefined,
  );
}

/** The time in the name that the server has given a run. */
function timeIn(run: string): number {
  return Date.parse(/\d{4}-\d\d-\d\dT[\d:]+Z$/.exec(run)?.[0] ?? '');
}

async function runsOf(name: string): Promise<WorkflowExecutionInfo[]> {
  const runs: WorkflowExecutionInfo[] = [];
  const query = `TemporalScheduledById = 'lifeboat/orders/${name}'`;
  for await (const run of temporal().client.workflow.list({ query })) runs.push(run);
  return runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
}

test('a run is started at its time with what the plan says, and none beside it while it goes on', async () => {
  const { lifeboat, schedule } = temporal();
  await fireOften('anchor', { everyMs: 1_000, at: 0 });
  const found = await eventually('times to be left out', async () => {
    const now = await schedule('anchor');
    return now.info.numActionsSkippedOverlap >= 2 ? now : undefined;
  });
  expect(found.info.numActionsTaken).toBe(1);
  expect(found.info.runningActions).toHaveLength(1);
  const [run, ...more] = await eventually('the run in the list', async () => {
    const runs = await runsOf('anchor');
    return runs.length > 0 ? runs : undefined;
  });
  expect(more).toEqual([]);
  expect(run).toMatchObject({ type: 'anchor', taskQueue: 'lifeboat', status: { name: 'RUNNING' } });
  expect(run?.workflowId).toMatch(/^orders-anchor-20/);
  expect(run?.startTime.getTime()).toBeGreaterThanOrEqual(timeIn(run?.workflowId ?? ''));
  const { stdout } = await lifeboat('schedules', 'list');
  expect(stdout).toContain(`last RUNNING ${run?.workflowId}`);
  expect(stdout).toMatch(/left out \d+ times: the run before was still going on/);
  await temporal().lifeboat('schedules', 'pause', 'anchor', '--reason', 'the test is over');
});

test('after an outage what was due is made up for within the time that the plan allows, and only then', async () => {
  const { kill, startAgain, schedule } = temporal();
  const first = Math.ceil((Date.now() + 9_000) / 1_000) * 1_000;
  const everyMs = 12_000;
  await fireOften('full-backup', { everyMs, at: first });
  // Ten seconds is the least that Temporal takes.
  await fireOften('incremental-backup', { everyMs, at: first, catchUpMs: 10_000 });
  await kill();
  expect(Date.now(), 'the machine is too slow to kill the server in time').toBeLessThan(first);
  await eventually('the first time to be too long ago', () => (Date.now() > first + 11_000 ? true : undefined), 60_000);
  const back = Date.now();
  await startAgain();
  const [madeUp] = await eventually('the backup that was missed', async () => {
    const runs = await runsOf('full-backup');
    return runs.length > 0 ? runs : undefined;
  });
  expect(timeIn(madeUp?.workflowId ?? '')).toBe(first);
  expect(madeUp?.startTime.getTime()).toBeGreaterThanOrEqual(back);
  const tooLate = await eventually('the other schedule to be looked at', async () => {
    const { info } = await schedule('incremental-backup');
    return info.numActionsMissedCatchupWindow > 0 ? info : undefined;
  });
  for (const { action } of tooLate.recentActions) expect(timeIn(action.workflow.workflowId)).toBeGreaterThan(first);
});
