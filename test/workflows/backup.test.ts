import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

test('a backup is taken on the primary and followed by an anchor on the standby', async () => {
  const estate = new FakeEstate();
  estate.anchors = [];
  const summary = await rig.run(estate, 'backup', [{ mode: 'live', type: 'full' }]);
  expect(summary.outcome).toBe('completed');
  expect(estate.calls).toContain('takeBackup');
  expect(estate.anchors.map((anchor) => anchor.source)).toEqual(['standby db2, replay paused']);
});

test('an unfit standby leads to an anchor under a bounded lock', async () => {
  const estate = new FakeEstate();
  estate.anchors = [];
  estate.before = (name) => {
    if (name === 'anchorOnStandby') throw failure('StandbyUnfit', 'the standby lags by 10 minutes');
  };
  await rig.run(estate, 'backup', [{ mode: 'live' }]);
  expect(estate.anchors.map((anchor) => anchor.source)).toEqual(['primary db1, under a SHARE lock']);
});

test('a backup without an explicit live mode is only a dry run', async () => {
  const estate = new FakeEstate();
  const summary = await rig.run(estate, 'backup', [], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(estate.calls).not.toContain('takeBackup');
});

const anchorStep = (estate: FakeEstate) =>
  estate.written[0]?.steps.find((step) => step.id.startsWith('database/take-an-anchor'));

test('why the standby did not serve stands in the evidence', async () => {
  const estate = new FakeEstate();
  estate.before = (name) => {
    if (name === 'anchorOnStandby') throw failure('StandbyUnfit', 'db2 cannot be asked: nothing listens there');
  };
  await rig.run(estate, 'backup', [{ mode: 'live' }]);
  expect(anchorStep(estate)).toMatchObject({
    state: 'done',
    found: expect.stringMatching(/under a lock on db1, because of StandbyUnfit: .*nothing listens there/),
  });
});

test('tables that cannot be locked cost the anchor, not the backup, and writers are held up three times at most', async () => {
  const estate = new FakeEstate();
  estate.anchors = [];
  estate.before = (name) => {
    if (name === 'anchorOnStandby') throw failure('StandbyUnfit', 'it lags');
    if (name === 'anchorUnderLock') throw failure('TablesBusy', 'process 4711 holds RowExclusiveLock on payments');
  };
  const summary = await rig.run(estate, 'backup', [{ mode: 'live' }]);
  expect(summary).toMatchObject({ outcome: 'completed', flags: ['skips'] });
  expect(estate.calls.filter((name) => name === 'anchorUnderLock')).toHaveLength(3);
  expect(anchorStep(estate)).toMatchObject({
    state: 'skipped',
    failure: { type: 'TablesBusy', message: expect.stringContaining('process 4711') },
  });
  expect(estate.written[0]?.toDo).toContain('when the tables are less busy');
  expect(estate.anchors).toEqual([]);
});

test('a primary that was promoted elsewhere while the backup ran makes it fail, and names both', async () => {
  const estate = new FakeEstate();
  let asked = 0;
  estate.before = (name) => {
    if (name === 'members') asked += 1;
    if (asked === 2) estate.primary = 'db2';
  };
  await expect(rig.run(estate, 'backup', [{ mode: 'live' }])).rejects.toThrow();
  expect(estate.written[0]).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(estate.written[0]?.failure?.message).toMatch(/db2 is the primary by now, db1 was/);
  expect(estate.calls).not.toContain('anchorOnStandby');
});
