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
