/** For the end of some runs nobody waits: people are told only when it is a bad one. */
import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import { useRig } from './rig.ts';
import { ToldEstate } from './told-estate.ts';

const rig = useRig();

test('a backup that ends well is told to nobody', async () => {
  const estate = new ToldEstate();
  await rig.run(estate, 'backup', [{ mode: 'live' }]);
  expect(estate.ids).toEqual([]);
});

test('a backup that fails is told, once', async () => {
  const estate = new ToldEstate();
  estate.before = (activity) => {
    if (activity === 'takeBackup') throw failure('DiskFull', 'no room in the repository');
  };
  await expect(rig.run(estate, 'backup', [{ mode: 'live' }])).rejects.toThrow();
  expect(estate.ids).toEqual(['end']);
  expect(estate.asked[0]?.message.lines[0]).toEqual({ label: 'DiskFull', text: 'no room in the repository' });
});
