/** A run that meets another on its host. The other is a lock that the test holds; hours pass in milliseconds. */
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import { bySchedule } from '../../workflows/messages.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

/** Somebody holds db1, until the lock has been looked at `looks` times. */
async function inUse(estate: FakeEstate, looks: number, then: () => void = () => undefined): Promise<WorkflowHandle> {
  const lock = await rig.start(estate, 'lock', [], { workflowId: 'lifeboat-host/db1' });
  let seen = 0;
  estate.before = async (activity) => {
    if (activity !== 'lockHolder') return;
    seen += 1;
    if (seen !== looks) return;
    await lock.terminate('the other run is over');
    then();
  };
  return lock;
}

const scheduled = { mode: 'live', type: 'full', requestedBy: bySchedule };

function holdStep(estate: FakeEstate) {
  return estate.written.at(-1)?.steps.find((step) => step.name === 'Hold host db1');
}

test('a scheduled backup waits for its host, runs once that is free, and says for whom it has waited', async () => {
  const estate = new FakeEstate();
  await inUse(estate, 3);
  const summary = await rig.run(estate, 'backup', [scheduled]);
  expect(summary.outcome).toBe('completed');
  expect(estate.calls).toContain('takeBackup');
  expect(holdStep(estate)?.found).toContain('for orders-0001 (monthlyDrill)');
});

test('a scheduled backup whose host does not become free is aborted after the time that the plan allows', async () => {
  const estate = new FakeEstate();
  estate.plan.schedules.startWithin = 15_000;
  await inUse(estate, Number.POSITIVE_INFINITY);
  await expect(rig.run(estate, 'backup', [scheduled])).rejects.toMatchObject({ cause: { type: 'LockHeld' } });
  const evidence = estate.written.at(-1);
  expect(evidence?.outcome).toBe('aborted');
  expect(evidence?.failure?.message).toContain('did not become free in 15s');
  const waited = Date.parse(evidence?.endedAt ?? '') - Date.parse(evidence?.startedAt ?? '');
  expect(waited).toBeGreaterThanOrEqual(15_000);
  expect(estate.calls).not.toContain('takeBackup');
});

test('a backup that a person asks for is refused at once', async () => {
  const estate = new FakeEstate();
  await inUse(estate, Number.POSITIVE_INFINITY);
  await expect(rig.run(estate, 'backup', [{ mode: 'live', requestedBy: 'ana@laptop' }])).rejects.toMatchObject({
    cause: { type: 'LockHeld' },
  });
  expect(estate.calls.filter((one) => one === 'lockHolder')).toHaveLength(1);
  expect(holdStep(estate)?.failure?.message).not.toContain('startWithin');
});

test('a backup does not go to a server that ceased to be the primary while the run waited for it', async () => {
  const estate = new FakeEstate();
  await inUse(estate, 2, () => {
    estate.primary = 'db2';
  });
  await expect(rig.run(estate, 'backup', [scheduled])).rejects.toMatchObject({ cause: { type: 'Moved' } });
  expect(estate.calls).not.toContain('takeBackup');
});

test('cancelled while it waits, a scheduled backup is aborted and takes nothing', async () => {
  const estate = new FakeEstate();
  await inUse(estate, Number.POSITIVE_INFINITY);
  const run = await rig.start(estate, 'backup', [scheduled]);
  await until({ what: 'the run to wait', withinMs: 30_000 }, async () => {
    const { steps } = await run.query<Evidence>('evidence');
    return steps.some((step) => step.found?.includes('waiting for it'));
  });
  await run.cancel();
  await expect(run.result()).rejects.toThrow('cancelled');
  expect(estate.written.at(-1)?.outcome).toBe('aborted');
  expect(estate.calls).not.toContain('takeBackup');
});

test('a scheduled drill waits for its host as a backup does', async () => {
  const estate = new FakeEstate();
  estate.plan.drills.monthly.host = 'db1';
  await inUse(estate, 2);
  const summary = await rig.run(estate, 'monthlyDrill', [{ mode: 'drill', requestedBy: bySchedule }]);
  expect(summary.outcome).toBe('proven');
});

test('a drill that meets a live recovery is aborted: it has proven nothing, either way', async () => {
  const estate = new FakeEstate();
  estate.before = (activity) => {
    if (activity === 'noLiveRun') throw failure('LiveRunInProgress', 'orders-0009 recovers orders');
  };
  await expect(rig.run(estate, 'monthlyDrill', [{}])).rejects.toMatchObject({ cause: { type: 'LiveRunInProgress' } });
  expect(estate.written.at(-1)?.outcome).toBe('aborted');
});
