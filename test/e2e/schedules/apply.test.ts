/** What the command line makes of a plan, as a real server then describes it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openEngine } from '../../../cli/engine/temporal.ts';
import { wantedSchedules } from '../../../cli/schedules/wanted.ts';
import { loadPlanFile } from '../../../plan/load.ts';
import { eventually } from '../control/rig.ts';
import { useTemporal } from './rig.ts';

const temporal = useTemporal();
const names = ['monthly-drill', 'full-backup', 'differential-backup', 'incremental-backup', 'anchor'];

/** Nothing can be changed without changing these. */
async function tokens(): Promise<string[]> {
  const all = await Promise.all(names.map((name) => temporal().schedule(name)));
  return all.map(({ raw }) => Buffer.from(raw.conflictToken ?? []).toString('hex'));
}

async function apply(): Promise<string> {
  const { stdout, stderr, exitCode } = await temporal().lifeboat('schedules', 'apply');
  if (exitCode !== 0) throw new Error(`${exitCode}: ${stderr}`);
  return stdout;
}

beforeEach(async () => {
  await temporal().plan();
  await apply();
});

test('each cadence of the plan is a schedule that starts the right runbook, and a second apply changes none', async () => {
  expect(await temporal().schedule('full-backup')).toMatchObject({
    action: {
      workflowType: 'backup',
      taskQueue: 'lifeboat',
      workflowId: 'orders-full-backup',
      args: [{ service: 'orders', mode: 'live', type: 'full', requestedBy: 'schedule' }],
      staticSummary: 'Backup of orders (live)',
    },
    policies: { overlap: 'SKIP', catchupWindow: 3_600_000, pauseOnFailure: false },
    spec: { jitter: 60_000, timezone: 'UTC' },
    state: { paused: false },
  });
  const drill = await temporal().schedule('monthly-drill');
  expect(drill.action).toMatchObject({
    workflowType: 'monthlyDrill',
    args: [{ service: 'orders', mode: 'drill', requestedBy: 'schedule' }],
  });
  // On the minute of a first Saturday: no jitter.
  for (const time of drill.info.nextActionTimes) {
    expect(time.toISOString()).toMatch(/T02:00:00.000Z$/);
    expect([time.getUTCDay(), time.getUTCDate() <= 7]).toEqual([6, true]);
  }
  const before = await tokens();
  expect(await apply()).toContain('5 as the plan says.');
  expect(await tokens()).toEqual(before);
});

test('what the plan says otherwise is changed, and the pause of a person stays with its note', async () => {
  const { client, lifeboat, plan, schedule } = temporal();
  await client.schedule.getHandle('lifeboat/orders/incremental-backup').pause('ben: the store moves');
  await plan(['incremental: every 6h', 'incremental: weekdays 12:00 Europe/Berlin']);
  expect((await lifeboat('schedules', 'diff')).exitCode).toBe(7);
  await apply();
  const found = await schedule('incremental-backup');
  expect(found.state).toMatchObject({ paused: true, note: 'ben: the store moves' });
  expect(found.spec.timezone).toBe('Europe/Berlin');
  expect(found.spec.calendars?.[0]?.hour).toEqual([{ start: 12, end: 12, step: 1 }]);
  expect((await lifeboat('schedules', 'diff')).exitCode).toBe(0);
  const { stdout } = await lifeboat('schedules');
  expect(stdout).toContain('PAUSED: ben: the store moves');
  await lifeboat('schedules', 'resume', 'orders/incremental-backup');
  expect((await schedule('incremental-backup')).state.paused).toBe(false);
});

test('what was changed by hand is shown and put back', async () => {
  const { client, lifeboat, schedule } = temporal();
  await client.schedule.getHandle('lifeboat/orders/anchor').update((before) => ({
    ...before,
    spec: { intervals: [{ every: '7d' }] },
    policies: { ...before.policies, catchupWindow: '1d' },
  }));
  await eventually('the change by hand', async () =>
    (await schedule('anchor')).spec.intervals?.[0]?.every === 604_800_000 ? true : undefined,
  );
  const { stdout, exitCode } = await lifeboat('schedules', 'diff');
  expect(exitCode).toBe(7);
  expect(stdout).toContain('times: every 7d; the plan says every 1h');
  expect(stdout).toContain('starts what was missed within: 1d; should be 1h');
  await apply();
  expect(await schedule('anchor')).toMatchObject({
    spec: { intervals: [{ every: 3_600_000 }], jitter: 60_000 },
    policies: { catchupWindow: 3_600_000 },
  });
});

test('what the plan no longer has is removed, and nothing of anybody else', async () => {
  const { client, plan, lifeboat, schedule } = temporal();
  const others = ['lifeboat/billing/anchor', 'lifeboat/orders/by-hand', 'orders-cleaning'];
  for (const scheduleId of others)
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: '7d' }] },
      action: { type: 'startWorkflow', workflowType: 'anchor', taskQueue: 'nobody' },
      memo: scheduleId.includes('billing') ? { lifeboat: 'billing' } : {},
    });
  await plan(['  anchors: every 1h\n', ''], ['    differential: daily 02:00 UTC\n', '']);
  const { stdout } = await lifeboat('schedules', 'diff');
  expect(stdout).toMatch(/- anchor +every 1h: not in the plan/);
  expect(await apply()).toContain('2 removed');
  await expect(schedule('anchor')).rejects.toThrow();
  await expect(schedule('differential-backup')).rejects.toThrow();
  for (const scheduleId of others) await client.schedule.getHandle(scheduleId).describe();
  for (const scheduleId of others) await client.schedule.getHandle(scheduleId).delete();
});

describe('two who change a schedule at the same time', () => {
  test('the later one is told, and what the earlier one did stays', async () => {
    const { address, client, schedule } = temporal();
    const before = { ...process.env };
    Object.assign(process.env, { TEMPORAL_ADDRESS: address, TEMPORAL_CONFIG_FILE: '/nonexistent' });
    const engine = await openEngine().finally(() => {
      process.env = before;
    });
    try {
      const { plan } = await loadPlanFile('examples/orders.yaml');
      const [wanted] = wantedSchedules({ ...plan, schedules: { startWithin: 7_200_000 } });
      if (wanted === undefined) throw new Error('the plan schedules nothing');
      const seen = await engine.schedules.read(wanted.id);
      await client.schedule.getHandle(wanted.id).pause('ben was faster');
      expect(await seen?.replace(wanted)).toBe(false);
      expect(await schedule('monthly-drill')).toMatchObject({
        state: { paused: true, note: 'ben was faster' },
        policies: { catchupWindow: 3_600_000 },
      });
      const again = await engine.schedules.read(wanted.id);
      expect(await again?.replace(wanted)).toBe(true);
      expect(await schedule('monthly-drill')).toMatchObject({
        state: { paused: true, note: 'ben was faster' },
        policies: { catchupWindow: 7_200_000 },
      });
      await client.schedule.getHandle(wanted.id).unpause('');
    } finally {
      await engine.close();
    }
  });
});
