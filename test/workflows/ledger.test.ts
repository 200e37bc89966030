import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig();

function recoveredEstate(): FakeEstate {
  const estate = new FakeEstate();
  estate.ledger.setAside('/srv/db1.before-lost');
  estate.ledger.setAside('/srv/db2.before-lost', { inode: '4712', state: 'shut down in recovery' });
  return estate;
}

const live = { mode: 'live' };

test('what was lost stands in the evidence, table by table, and the copy is gone', async () => {
  const estate = recoveredEstate();
  expect(await rig.run(estate, 'recovered', [live])).toMatchObject({ outcome: 'completed', flags: [] });
  const [evidence] = estate.written;
  expect(evidence?.ledger).toMatchObject({
    source: 'copy',
    directory: '/srv/db1.before-lost',
    tables: [
      { table: 'public.orders', missing: 3, changed: 1, new: 12 },
      { table: 'public.payments', missing: 0 },
    ],
  });
  expect(evidence?.measurements).toContainEqual(expect.objectContaining({ name: 'rows missing', value: 3 }));
  expect(estate.calls.slice(-3)).toEqual(expect.arrayContaining(['removeScratch']));
  expect(estate.calls).not.toContain('lostInWal');
});

test('every directory that was set aside is noted with what tells it from another', async () => {
  const estate = recoveredEstate();
  await rig.run(estate, 'recovered', [live]);
  expect(estate.written[0]?.setAside).toMatchObject([
    { host: 'db1', seen: { inode: '4711', lsn: '0/A000028', state: 'shut down' } },
    { host: 'db2', seen: { inode: '4712', state: 'shut down in recovery' } },
  ]);
});

test('where there is no room for a copy, the WAL is counted and that is said', async () => {
  const estate = recoveredEstate();
  estate.ledger.fits = false;
  expect(await rig.run(estate, 'recovered', [live])).toMatchObject({ outcome: 'completed', flags: [] });
  expect(estate.written[0]?.ledger).toMatchObject({ source: 'WAL', transactions: 17, tables: [] });
  expect(estate.written[0]?.ledger?.notes[0]).toContain('no rows');
  expect(estate.calls).not.toContain('copySetAside');
});

test('a disk that fills while it copies leads to the WAL too, and nothing of the copy stays', async () => {
  const estate = recoveredEstate();
  estate.before = (activity) => {
    if (activity === 'copySetAside') throw failure('DiskFull', 'something else has filled it');
  };
  expect(await rig.run(estate, 'recovered', [live])).toMatchObject({ outcome: 'completed', flags: ['skips'] });
  expect(estate.written[0]?.ledger?.source).toBe('WAL');
  expect(estate.calls).toContain('removeScratch');
});

test('a dry run names each step, and copies nothing', async () => {
  const estate = new FakeEstate();
  expect(await rig.run(estate, 'recovered', [{}], { readOnly: true })).toMatchObject({ outcome: 'previewed' });
  const states = estate.written[0]?.steps
    .filter(({ group }) => group === 'database')
    .map(({ name, state }) => [name, state]);
  expect(states).toEqual([
    ['What was set aside lies there as it was left', 'listed'],
    ['There is room for a copy of it', 'listed'],
    ['Copy the directory that was set aside', 'previewed'],
    ['What was lost is written down row by row', 'listed'],
    ['Remove the copy', 'previewed'],
  ]);
});

test('a directory that is gone already is a failure that people decide about: nothing would be kept any more', async () => {
  const estate = recoveredEstate();
  estate.ledger.directories.delete('/srv/db2.before-lost');
  await expect(rig.run(estate, 'recovered', [live])).rejects.toThrow();
  expect(estate.written[0]?.failure?.message).toContain('/srv/db2.before-lost');
});
