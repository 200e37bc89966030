/** A run that is cancelled, or whose lock is ended by hand: nothing is left, and the next run finds its host free. */
import { describe, expect, test, vi } from 'vitest';
import { sampled } from '../../sample.ts';
import { backup, start, until } from '../drill/scenario.ts';
import { ask, processesNaming } from '../observer.ts';
import {
  backupsStored,
  endOf,
  lockIsOpen,
  nothingIsLeft,
  patientMs,
  reaches,
  replayGoesOn,
  runIn,
  useEndings,
} from './endings.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEndings();

const steps = [
  'assessment/the-drill-host-is-ready',
  'assessment/the-newest-commit-in-the-archive-is-known',
  'database/restore-the-backup-beside',
  'database/roll-forward-to-the-target',
  'database/promote-the-throw-away-server',
  'application/the-application-works-on-the-restored-database',
  'validation/constraints-hold-for-every-row',
];

async function hostIsFree(host: 'db1' | 'db2') {
  await until(`the lock of ${host} is gone`, async () => ((await lockIsOpen(scenario(), host)) ? undefined : true));
}

/** pgBackRest's processes of this estate that take a backup. */
async function backupsAtWork(): Promise<string[]> {
  return (await processesNaming(`${scenario().estate.root}/`)).filter((line) => /pgbackrest.* backup /.test(line));
}

describe('a cancelled drill', () => {
  test.each(sampled(steps, 2, 'cancel'))(
    'in %s, even twice, is aborted, leaves nothing, and frees its host',
    async (step) => {
      const handle = await runIn(scenario(), 'monthlyDrill', step, {});
      await handle.cancel();
      await handle.cancel();
      const { status, evidence } = await endOf(scenario(), handle.workflowId);
      expect(status).toBe('CANCELLED');
      expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [], failure: { type: 'Cancelled' } });
      await nothingIsLeft(scenario());
      await hostIsFree('db2');
    },
  );

  test('while it undoes its work finishes that, and again when it is cancelled once more', async () => {
    const handle = await runIn(scenario(), 'monthlyDrill', 'database/roll-forward-to-the-target', {});
    await handle.cancel();
    await until('it undoes its work', async () => {
      const { events } = await handle.fetchHistory();
      const asked = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityId);
      return asked?.includes('closing/undo-restore-the-backup-beside') ? true : undefined;
    });
    await handle.cancel().catch(() => undefined);
    expect((await endOf(scenario(), handle.workflowId)).evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
    await nothingIsLeft(scenario());
  });

  test('that had proven all already, and only cleans up, stays proven', async () => {
    const handle = await runIn(scenario(), 'monthlyDrill', 'closing/undo-restore-the-backup-beside', {});
    await handle.cancel().catch(() => undefined);
    const { status, evidence } = await endOf(scenario(), handle.workflowId);
    expect(status).toBe('COMPLETED');
    expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
    await nothingIsLeft(scenario());
  });

  test.each(sampled(['host-db2', 'control'], 1, 'dead'))(
    'while %s is dead is aborted once that is back, and leaves nothing',
    async (name) => {
      const handle = await runIn(scenario(), 'monthlyDrill', 'database/restore-the-backup-beside', {});
      const worker = scenario().estate.process(name);
      await worker.kill('SIGKILL');
      await handle.cancel();
      // Until the server has given the dead worker up: only then does its silence reach the run.
      if (name === 'host-db2')
        await until('the step in flight is over', async () =>
          (await handle.describe()).raw.pendingActivities?.some((one) => one.activityId?.startsWith('database/restore'))
            ? undefined
            : true,
        );
      await worker.start();
      const { status, evidence } = await endOf(scenario(), handle.workflowId);
      expect(status).toBe('CANCELLED');
      expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [], failure: { type: 'Cancelled' } });
      await nothingIsLeft(scenario());
      await hostIsFree('db2');
    },
  );
});

describe('a cancelled backup', () => {
  test('is aborted, ends pgBackRest, and the next one completes', async () => {
    const before = await backupsStored(scenario());
    await scenario().estate.faults.add({ method: 'PUT', path: '/backup/', fault: { kind: 'delay', ms: 2_000 } });
    const handle = await runIn(scenario(), 'backup', 'database/take-a-full-backup', { mode: 'live', type: 'full' });
    await until('pgBackRest is at work', async () => ((await backupsAtWork()).length > 0 ? true : undefined));
    await handle.cancel();
    const { status, evidence } = await endOf(scenario(), handle.workflowId);
    await scenario().estate.faults.clear();
    expect(status).toBe('CANCELLED');
    expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
    expect(await backupsAtWork()).toEqual([]);
    expect(await backupsStored(scenario())).toEqual(before);
    await hostIsFree('db1');
    expect((await backup(scenario())).outcome).toBe('completed');
  });

  test('in the middle of its anchor leaves replay going on, and no session', async () => {
    const step = 'database/take-an-anchor-on-standby-db2-without-locks';
    const handle = await runIn(scenario(), 'backup', step, { mode: 'live', type: 'differential' });
    await handle.cancel().catch(() => undefined);
    await endOf(scenario(), handle.workflowId);
    expect(await replayGoesOn(scenario())).toBe(true);
    for (const { socket: host, port } of Object.values(scenario().estate.servers))
      expect(
        await ask({ host, port }, "select 1 from pg_stat_activity where application_name ~ '^lifeboat-anchor'"),
      ).toEqual([]);
    await hostIsFree('db1');
  });
});

describe('a lock that somebody ends by hand', () => {
  const lock = () => scenario().client.workflow.getHandle('lifeboat-host/db2');

  test('is taken again by the run that goes on, which says so', async () => {
    const handle = await runIn(scenario(), 'monthlyDrill', 'database/restore-the-backup-beside', {});
    const { runId } = await lock().describe();
    await scenario().client.workflow.getHandle('lifeboat-host/db2', runId).terminate('by hand');
    await reaches(handle, 'opening/hold-host-db2-again-1');
    const again = await until('the lock is open again', async () => {
      const one = await lock().describe();
      return one.status.name === 'RUNNING' && one.runId !== runId ? one : undefined;
    });
    expect(again.parentExecution?.workflowId).toBe(handle.workflowId);
    const { evidence } = await endOf(scenario(), handle.workflowId);
    expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
    await hostIsFree('db2');
  });

  test('and that another run takes first, stops the run in order, which names the other', async () => {
    const handle = await runIn(scenario(), 'monthlyDrill', 'database/restore-the-backup-beside', {});
    // While no control worker answers, the run cannot take it again at once.
    const control = scenario().estate.process('control');
    await control.kill('SIGKILL');
    await lock().terminate('by hand');
    const other = await scenario().client.workflow.start('lock', {
      workflowId: 'lifeboat-host/db2',
      taskQueue: 'nobody-works-here',
    });
    await control.start();
    const { evidence } = await endOf(scenario(), handle.workflowId);
    await other.terminate();
    expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [], failure: { type: 'LockHeld' } });
    await nothingIsLeft(scenario());
    const next = await start(scenario(), 'monthlyDrill', {});
    expect((await endOf(scenario(), next.workflowId)).evidence.outcome).toBe('proven');
  });
});
