import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

function withoutAnchors(): FakeEstate {
  const estate = new FakeEstate();
  estate.anchors = [];
  return estate;
}

test('an anchor is noted between two backups, and no backup is taken for it', async () => {
  const estate = withoutAnchors();
  const summary = await rig.run(estate, 'anchor', [{ mode: 'live' }]);
  expect(summary).toMatchObject({ outcome: 'completed', runbook: 'anchor', flags: [] });
  expect(estate.anchors.map((anchor) => anchor.source)).toEqual(['standby db2, replay paused']);
  expect(estate.calls).not.toContain('takeBackup');
});

test('with an unfit standby the anchor is taken under a bounded lock', async () => {
  const estate = withoutAnchors();
  estate.before = (name) => {
    if (name === 'anchorOnStandby') throw failure('StandbyUnfit', 'the standby lags by 10 minutes');
  };
  await rig.run(estate, 'anchor', [{ mode: 'live' }]);
  expect(estate.anchors.map((anchor) => anchor.source)).toEqual(['primary db1, under a SHARE lock']);
});

test('an anchor that could not be taken fails the run, which says why', async () => {
  const estate = withoutAnchors();
  estate.before = (name) => {
    if (name === 'anchorOnStandby') throw failure('DataCorrupt', 'a page of orders cannot be read');
  };
  await expect(rig.run(estate, 'anchor', [{ mode: 'live' }])).rejects.toMatchObject({ cause: { type: 'DataCorrupt' } });
  expect(estate.anchors).toEqual([]);
  expect(estate.written.at(-1)).toMatchObject({ outcome: 'failed', failure: { type: 'DataCorrupt' } });
});

test('without an explicit live mode an anchor is only previewed, by workers that offer only reads', async () => {
  const estate = withoutAnchors();
  const summary = await rig.run(estate, 'anchor', [], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(estate.anchors).toEqual([]);
});
