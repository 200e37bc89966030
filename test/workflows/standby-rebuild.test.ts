import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Past } from '../../recovery/rebuild.ts';
import type { StandbyRebuildInput } from '../../workflows/messages.ts';
import { approved, estateThatAsks, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const rig = useRig({ locks: ['lifeboat-host/db2', 'lifeboat-lock/orders'] });

/** db2 is stopped, in order. */
function estateWithStoppedStandby(): FakeEstate {
  const estate = estateThatAsks();
  estate.pair.servers.db2.running = false;
  return estate;
}

const promoted: Partial<Past> = {
  timeline: 2,
  ancestors: [{ timeline: 1, forkLsn: '0/8000060' }],
  reached: '0/8500028',
  as: 'primary',
  left: { lsn: '0/8500028', timeline: 2, systemIdentifier: '7' },
};

/** It was promoted by hand and written to, then stopped. */
function estateWithDivergedStandby(): FakeEstate {
  const estate = estateWithStoppedStandby();
  const { standby } = estate.rebuild;
  if (standby.past !== undefined) standby.past = { ...standby.past, ...promoted };
  return estate;
}

async function rebuilt(estate: FakeEstate, input: StandbyRebuildInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'standbyRebuild', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await approved(handle);
  return evidenceAtEnd(handle, estate);
}

const changed = (estate: FakeEstate) =>
  estate.calls.filter((name) =>
    /^(keep|make|drop|reattach|rewind|copy|remove|take|give|restore|start|stop|anchor|checkpoint|saveAnchor)/.test(
      name,
    ),
  );

const found = (evidence: Evidence, name: string) => evidence.steps.find((step) => step.name === name)?.found;
const chosen = (evidence: Evidence) => found(evidence, 'The way back is chosen');
const isBack = { running: true, role: 'standby', timeline: 1 };

test('a standby that is only stopped is re-attached: nobody is asked, nothing is replaced', async () => {
  const estate = estateWithStoppedStandby();
  const evidence = await rebuilt(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(chosen(evidence)).toBe('re-attach it');
  expect(estate.rebuild).toMatchObject({ inPlace: 'old', beside: [] });
  expect(estate.pair.servers.db2).toMatchObject(isBack);
  expect(evidence.equality?.tables.every(({ equal }) => equal)).toBe(true);
  expect(estate.calls).not.toContain('canRewind');
});

test('one that has left the line is rewound where pg_rewind finds its way: people are shown what it has written', async () => {
  const estate = estateWithDivergedStandby();
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.approvals?.[0]?.subject).toMatchObject({
    way: 'rewind',
    'is lost': '12 transactions, 0/8000060 to 0/8500028 on timeline 2',
  });
  expect(chosen(evidence)).toMatch(/^pg_rewind\. Not re-attach it: db2 has left the line of db1 at 0\/8000060/);
  expect(estate.rebuild.inPlace).toBe('rewound');
  expect(estate.pair.servers.db2).toMatchObject(isBack);
});

test.each([
  [
    'pg_rewind does not find its way',
    (estate: FakeEstate) => (estate.rebuild.rewindable = false),
    /does not find its way: no WAL/,
  ],
  [
    'the role may not read files',
    (estate: FakeEstate) => (estate.rebuild.kept.letsRead = false),
    /may not read the files of db1/,
  ],
])('one that has left the line is restored where %s, and its old directory is kept', async (_why, make, said) => {
  const estate = estateWithDivergedStandby();
  make(estate);
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [], backup: { label: '20261121-135502F' } });
  expect(chosen(evidence)).toMatch(/^restore it from the repository\./);
  expect(chosen(evidence)).toMatch(said);
  expect(evidence.approvals?.[0]?.shown?.['the old directory becomes']).toMatch(/^\/srv\/db2\.before-orders-/);
  expect(estate.rebuild).toMatchObject({ inPlace: 'restored', beside: [expect.stringMatching(/^before-/)] });
  expect(estate.scratchThere).toBe(false);
});

test('what an old primary has written alone is told row by row, once it is a standby again', async () => {
  const estate = estateWithDivergedStandby();
  const evidence = await rebuilt(estate, { way: 'restore' });
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.approvals?.[0]?.shown?.['its rows']).toContain('as a ledger in the evidence store');
  expect(evidence.setAside).toMatchObject([{ host: 'db2', dataDirectory: '/srv/db2' }]);
  expect(evidence.ledger).toMatchObject({ source: 'copy', host: 'db2', tables: [{ missing: 3, changed: 1 }, {}] });
  const after = estate.calls.slice(estate.calls.indexOf('startFollower'));
  expect(after.filter((name) => /copySetAside|ledgerOf|removeScratch/.test(name))).toEqual([
    'copySetAside',
    'ledgerOfLostWrites',
    'removeScratch',
    'removeScratch',
  ]);
});

test('where there is no room for a copy, what it has written alone is counted in the WAL', async () => {
  const estate = estateWithDivergedStandby();
  estate.ledger.fits = false;
  const evidence = await rebuilt(estate, { way: 'restore' });
  expect(evidence).toMatchObject({ outcome: 'completed', ledger: { source: 'WAL' } });
});

test('one that is rewound keeps nothing, which people are told before', async () => {
  const estate = estateWithDivergedStandby();
  const evidence = await rebuilt(estate);
  expect(evidence.approvals?.[0]?.shown?.['its rows']).toContain('"way": "restore"');
  expect(evidence.ledger).toBeUndefined();
});

test('a directory that is gone is restored, and nobody is asked: there is nothing to lose', async () => {
  const estate = estateWithStoppedStandby();
  estate.rebuild.standby = { ...estate.rebuild.standby, directory: 'gone' };
  delete estate.rebuild.standby.past;
  estate.rebuild.inPlace = 'none';
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(estate.rebuild).toMatchObject({ inPlace: 'restored', beside: [] });
});

test.each([
  [
    'the repository does not answer',
    (estate: FakeEstate) => {
      estate.before = (name) => {
        if (name === 'repository') throw failure('BackupMissing', 'the stanza is empty');
      };
    },
    /the repository cannot be used: BackupMissing: the stanza is empty/,
  ],
  [
    'there is no room elsewhere',
    (estate: FakeEstate) => (estate.rebuild.place = { elsewhere: '/srv/scratch is another file system', freeBytes: 0 }),
    /another file system/,
  ],
])('where %s, the primary is copied', async (_why, make, said) => {
  const estate = estateWithDivergedStandby();
  estate.rebuild.rewindable = false;
  make(estate);
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(chosen(evidence)).toMatch(/^pg_basebackup from the primary\./);
  expect(chosen(evidence)).toMatch(said);
  expect(estate.rebuild).toMatchObject({ inPlace: 'copied', beside: [expect.stringMatching(/^before-/)] });
});

test('where nothing leads back it says of each way why, and touches nothing', async () => {
  const estate = estateWithDivergedStandby();
  estate.rebuild.rewindable = false;
  estate.rebuild.place = { fixed: 'pg_wal of db2 lies outside of its data directory', freeBytes: 0 };
  const evidence = await rebuilt(estate);
  expect(evidence.failure).toMatchObject({
    type: 'StandbyUnfit',
    message: expect.stringContaining('there is no way back for db2'),
  });
  expect(changed(estate)).toEqual([]);
});

test('the way can be asked for', async () => {
  const estate = estateWithStoppedStandby();
  const evidence = await rebuilt(estate, { way: 'restore' });
  expect(chosen(evidence)).toBe('restore it from the repository, as it was asked for');
  expect(evidence.approvals?.[0]?.subject['is lost']).toMatch(/nothing/);
});

test('a way that was asked for is refused where it does not lead back', async () => {
  const estate = estateWithStoppedStandby();
  const evidence = await rebuilt(estate, { way: 'rewind' });
  expect(evidence.failure?.message).toMatch(/cannot come back by "way": "rewind": db2 has not left the line of db1/);
  expect(changed(estate)).toEqual([]);
});

test('WAL that nobody has any more, between where it stands and what archive and primary hold, rules out a re-attach', async () => {
  const estate = estateWithStoppedStandby();
  const timeline = estate.repository.timelines[0];
  if (timeline !== undefined)
    timeline.ranges = [{ first: '000000010000000000000001', last: '000000010000000000000006', count: 6 }];
  const evidence = await rebuilt(estate, { way: 'reattach' });
  expect(evidence.failure?.message).toMatch(
    /1 segments that it needs are neither in the archive nor on db1 any more: 000000010000000000000008/,
  );
});

test('a timeline in the archive that is nobody’s is not followed: the standby is told the number of its own', async () => {
  const estate = estateWithDivergedStandby();
  estate.repository.timelines.push({
    id: 2,
    parent: 1,
    forkLsn: '0/8000060',
    ancestors: [{ timeline: 1, forkLsn: '0/8000060' }],
    hasHistory: true,
    ranges: [],
  });
  const lines: unknown[] = [];
  estate.seen = (name, ask) => {
    if (name === 'rewind') lines.push(Reflect.get(ask, 'line'));
  };
  expect(await rebuilt(estate)).toMatchObject({ outcome: 'completed' });
  expect(lines).toEqual(['1']);
});

test('a standby that streams is left alone', async () => {
  const estate = estateThatAsks();
  estate.rebuild.standby = { ...estate.rebuild.standby, runs: 'standby', receiver: 'streaming' };
  estate.rebuild.kept.slot = { active: true, lost: false, physical: true };
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'completed' });
  expect(chosen(evidence)).toMatch(/^none is needed/);
  expect(changed(estate)).toEqual([]);
});

test.each([
  [{ host: 'db1' }, 'InputInvalid', /db1 is the primary: it is never rebuilt/],
  [{ host: 'db9' }, 'InputInvalid', /"host": db9 is no member of the plan; there are db2/],
] as const)('%o is refused before anything is changed', async (input, type, said) => {
  const estate = estateWithStoppedStandby();
  const evidence = await rebuilt(estate, input);
  expect(evidence.failure).toMatchObject({ type, message: expect.stringMatching(said) });
  expect(changed(estate)).toEqual([]);
});

test('a second primary that only its own host knows of is a split brain, and nothing is touched', async () => {
  const estate = estateWithDivergedStandby();
  estate.rebuild.standby.runs = 'primary';
  const evidence = await rebuilt(estate);
  expect(evidence.failure).toMatchObject({
    type: 'SplitBrain',
    message: expect.stringContaining('db2 says that it is a primary'),
  });
  expect(changed(estate)).toEqual([]);
});

test('one that is started as a primary while people are asked is not rewound', async () => {
  const estate = estateWithDivergedStandby();
  estate.before = (name) => {
    if (name === 'keepSlot') Object.assign(estate.pair.servers.db2, { running: true, role: 'primary' });
  };
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'SplitBrain' } });
  expect(estate.rebuild.inPlace).toBe('old');
});

test('a restored standby that differs from the primary does not take its place', async () => {
  const estate = estateWithDivergedStandby();
  estate.rebuild.rewindable = false;
  estate.restoredAnchor.tables = [{ table: 'public.orders', rows: 211, fingerprint: '41', castToText: [] }];
  const evidence = await rebuilt(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'NotEqual' }, leftBehind: [] });
  expect(estate.rebuild).toMatchObject({ inPlace: 'old', beside: [] });
  expect(estate.calls).not.toContain('takePlace');
  expect(estate.scratchThere).toBe(false);
});

test.each([
  ['restore', 'startFollower', 'StandbyUnfit'],
  ['basebackup', 'fingerprintsAt', 'StandbyUnfit'],
] as const)(
  'after a %s of which %s fails the old directory comes back, and runs again',
  async (way, activity, type) => {
    const estate = estateThatAsks();
    estate.rebuild.standby = { ...estate.rebuild.standby, runs: 'standby', receiver: 'not there' };
    estate.before = (name) => {
      if (name === activity) throw failure(type, 'made to fail');
    };
    const evidence = await rebuilt(estate, { way });
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type }, leftBehind: [] });
    expect(estate.rebuild).toMatchObject({ inPlace: 'old', beside: [] });
    expect(estate.pair.servers.db2.running).toBe(true);
    expect(estate.scratchThere).toBe(false);
  },
);

test.each([
  ['made by the run goes', []],
  ['there before stays', ['db2']],
] as const)('when it fails, a slot %s', async (_what, slots) => {
  const estate = estateWithStoppedStandby();
  estate.pair.servers.db1.slots = [...slots];
  if (slots.length === 0) delete estate.rebuild.kept.slot;
  estate.before = (name) => {
    if (name === 'reattach') throw failure('Diverged', 'it has written since');
  };
  expect(await rebuilt(estate)).toMatchObject({ outcome: 'failed', failure: { type: 'Diverged' } });
  expect(estate.pair.servers.db1.slots).toEqual(slots);
});

test('a worker that only reads can run it as a dry run, which lists every change', async () => {
  const estate = estateWithDivergedStandby();
  estate.rebuild.rewindable = false;
  const summary = await rig.run(estate, 'standbyRebuild', [{}], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(changed(estate)).toEqual([]);
  const steps = estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expect(steps).toEqual([
    'Keep a slot for the standby',
    'Restore the backup beside',
    'Take an anchor on the primary',
    'Replay to the anchor',
    'Stop the restored server',
    'Put the new directory in the place of the old one',
    'Start the standby',
    'Copy the directory that was set aside',
    'Remove the copy',
  ]);
});
