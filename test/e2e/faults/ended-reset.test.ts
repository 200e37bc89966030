/** A run that is reset goes on from there as a new execution: with the lock, and with nothing of what the discarded one left. */
import { expect, test, vi } from 'vitest';
import { sampled } from '../../sample.ts';
import { drill, until } from '../drill/scenario.ts';
import {
  backupsStored,
  endOf,
  historiesArchived,
  lockIsOpen,
  nothingIsLeft,
  patientMs,
  reaches,
  replayGoesOn,
  resetTo,
  runIn,
  useEndings,
} from './endings.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEndings();

/** `in`: how far the drill has come; `to`: the activity from which it goes on. */
const resets = [
  { in: 'database/restore-the-backup-beside', to: 'assessment/there-is-room-on-the-drill-host' },
  { in: 'database/roll-forward-to-the-target', to: 'database/restore-the-backup-beside' },
  { in: 'application/the-application-works-on-the-restored-database', to: 'database/restore-the-backup-beside' },
  { in: 'application/the-application-works-on-the-restored-database', to: 'database/roll-forward-to-the-target' },
  { in: 'validation/indexes-agree-with-their-tables', to: 'database/promote-the-throw-away-server' },
  { in: 'validation/page-checksums-are-right', to: 'validation/indexes-agree-with-their-tables' },
  { in: 'traffic/what-would-be-moved', to: 'assessment/the-drill-host-is-ready' },
  { in: 'closing/undo-restore-the-backup-beside', to: 'database/recovery-ended-where-it-should' },
  { in: 'closing/nothing-is-left-on-the-drill-host', to: 'closing/undo-restore-the-backup-beside' },
];

test.each(sampled(resets, 2, 'reset'))('a drill in $in, reset to $to, is proven and leaves nothing', async (reset) => {
  const before = await historiesArchived(scenario());
  const handle = await runIn(scenario(), 'monthlyDrill', reset.in, {});
  const first = (await handle.describe()).runId;
  const second = await resetTo(scenario(), handle.workflowId, reset.to);
  const { status, evidence } = await endOf(scenario(), handle.workflowId);
  expect(second).not.toBe(first);
  expect(evidence.failure).toBeUndefined();
  expect(status).toBe('COMPLETED');
  expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [], runId: first });
  await nothingIsLeft(scenario());
  await until('the lock is gone', async () => ((await lockIsOpen(scenario(), 'db2')) ? undefined : true));
  expect(await historiesArchived(scenario())).toEqual(before);
});

test('a drill that has ended, reset to the middle, takes its host back, makes its server anew, and is proven', async () => {
  const done = await drill(scenario());
  expect(done.outcome).toBe('proven');
  await nothingIsLeft(scenario());
  await resetTo(scenario(), done.run, 'validation/indexes-agree-with-their-tables');
  const again = scenario().client.workflow.getHandle(done.run);
  await reaches(again, 'validation/make-the-server-beside-anew-1');
  await until('it holds its host', async () => ((await lockIsOpen(scenario(), 'db2')) ? true : undefined));
  const other = await drill(scenario());
  expect(other).toMatchObject({ outcome: 'aborted', failure: { type: 'LockHeld' } });
  expect(other.failure?.message).toContain(done.run);
  const { evidence } = await endOf(scenario(), done.run);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
  expect(Date.parse(evidence.endedAt ?? '')).toBeGreaterThan(Date.parse(done.endedAt ?? ''));
  await nothingIsLeft(scenario());
});

test('a backup that is reset after the backup was taken does not take it twice', async () => {
  const before = await backupsStored(scenario());
  const handle = await runIn(scenario(), 'backup', 'database/take-an-anchor-on-standby-db2-without-locks', {
    mode: 'live',
    type: 'differential',
  });
  await resetTo(scenario(), handle.workflowId, 'database/take-a-differential-backup');
  const { evidence } = await endOf(scenario(), handle.workflowId);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  const after = await backupsStored(scenario());
  expect(after.filter((label) => !before.includes(label))).toEqual([evidence.backup?.label]);
  expect(await replayGoesOn(scenario())).toBe(true);
  await until('the lock is gone', async () => ((await lockIsOpen(scenario(), 'db1')) ? undefined : true));
});
