import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { ReadinessResult } from '../../workflows/readiness.ts';
import { estateThatAsks } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { apart, doors } from './two-sites.ts';

const rig = useRig();

/** The west could take over: it can be fenced without the east's own workers, too. */
function twoSites(): FakeEstate {
  const estate = apart(estateThatAsks());
  estate.plan.failover = { fencing: [{ kind: 'postgres' }, { kind: 'attestation', validFor: 30 * 60_000 }] };
  return estate;
}

async function asked(estate: FakeEstate, input: object = {}): Promise<ReadinessResult> {
  return (await rig.start(estate, 'readiness', [input])).result();
}

const notReady = ({ checks }: ReadinessResult) => checks.filter(({ ready }) => !ready).map(({ about }) => about);

test('a site that could take over is told with what it stands on, and nothing is changed', async () => {
  const estate = twoSites();
  const found = await asked(estate);
  expect(found).toMatchObject({ service: 'orders', from: 'east', to: 'west' });
  expect(notReady(found)).toEqual([]);
  expect(found.checks.map(({ about }) => about)).toEqual([
    'every member answers',
    'db2 could be promoted',
    'db2 keeps up, by a slot',
    'the store of west',
    'the front door of west',
    'the name',
    'the secrets',
    'a fence for a lost site',
  ]);
  expect(estate.calls.filter((name) => /^(close|open|move|set|promote|make|stop)/.test(name))).toEqual([]);
});

test.each<[about: string, (estate: FakeEstate) => unknown, said: RegExp]>([
  [
    'db2 could be promoted',
    ({ pair }) => Object.assign(pair.odd, { db2: { synchronousStandbys: 'db1' } }),
    /Empty it on db2/,
  ],
  ['db2 keeps up, by a slot', ({ pair }) => Object.assign(pair.servers.db1, { slots: [] }), /is not active on db1/],
  [
    'the store of west',
    ({ repository }) => Object.assign(repository, { timelines: [] }),
    /archive_mode = always on db2/,
  ],
  ['the front door of west', ({ pair }) => Object.assign(pair, { lostDoors: [doors.west] }), /does not answer/],
  ['the name', ({ entry }) => Object.assign(entry, { value: '192.0.2.20' }), /expected that it leads to east/],
  ['a fence for a lost site', ({ plan }) => delete plan.failover, /Add command or attestation/],
])('%s: what is not ready is said, and hides nothing else', async (about, spoil, said) => {
  const estate = twoSites();
  spoil(estate);
  const found = await asked(estate);
  expect(notReady(found)).toEqual([about]);
  expect(found.checks.find((one) => one.about === about)?.words).toMatch(said);
});

test('a host worker that does not answer makes only what it is asked for unready', async () => {
  const estate = twoSites();
  estate.before = (name) => {
    if (name === 'repository') throw failure('HostSilent', 'no host worker answers on db2');
  };
  expect(notReady(await asked(estate))).toEqual(['the store of west']);
});

test('a plan of one site has no other that could take over', async () => {
  await expect(asked(estateThatAsks())).rejects.toMatchObject({
    cause: { type: 'PlanInvalid', message: expect.stringContaining('there is no other site') },
  });
});

test('a key of files that is lost, or a snapshot that is too old, is said while the files are still there', async () => {
  const estate = twoSites();
  estate.plan.components = {
    web: {
      ...{
        kind: 'restic',
        after: [],
        host: 'db1',
        repository: 's3:https://s3.example.com/backups/web',
        paths: ['/etc/nginx'],
      },
      ...{ password: '$' + '{env:WEB}', accessKeyId: '$' + '{env:KEY}', secretAccessKey: '$' + '{env:SECRET}' },
      newestWithin: 30 * 3_600_000,
    },
  };
  const files = async () => (await asked(estate)).checks.find(({ about }) => about === 'the files of web');
  expect(await files()).toMatchObject({ ready: true });
  estate.files.ageMs = 31 * 3_600_000;
  expect(await files()).toMatchObject({ ready: false, words: expect.stringContaining('no older than 1d6h') });
  estate.files.keyFits = false;
  expect(await files()).toMatchObject({ ready: false, words: expect.stringContaining('does not open') });
});
