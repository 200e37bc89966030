import { expect, test } from 'vitest';
import type { Onto } from '../../activities/contract.ts';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { FullRestoreInput } from '../../workflows/messages.ts';
import { sampled } from '../sample.ts';
import { evidenceAtEnd } from './asking.ts';
import { failsOn } from './failing.ts';
import type { FakeEstate } from './fake-estate.ts';
import { expectInOrder } from './in-order.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, started, Talk } from './talk.ts';

const rig = useRig({ eachAlone: true, locks: ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'] });

function lostEstate(lies: Onto = 'nothing'): FakeEstate {
  const estate = estateWithPeople({ quorum: 1 });
  const { plan } = estate;
  plan.database.replication = { user: 'replicator', passfile: '/srv/pgpass', options: {} };
  for (const member of plan.database.members) {
    member.control = { kind: 'pg_ctl' };
    member.beside = `/srv/beside-${member.host}`;
  }
  delete plan.people?.decisions;
  estate.recovery.follows = true;
  estate.recovery.loses({ db1: lies, db2: lies });
  estate.before = (name) => {
    if (name === 'serviceMoment') throw failure('DatabaseUnreachable', 'no server is there');
  };
  return estate;
}

/** Besides what such an estate does not answer anyway. */
function failing(estate: FakeEstate, activity: string): void {
  const before = estate.before;
  estate.before = (name) => {
    if (name === activity) throw failure('Moved', 'made to fail');
    return before(name);
  };
}

async function begin(estate: FakeEstate, input: FullRestoreInput = {}): Promise<Talk> {
  return new Talk(await rig.start(estate, 'fullRestore', [{ ...started, ...input }]));
}

const end = ({ run }: Talk, estate: FakeEstate) => evidenceAtEnd(run, estate);

/** With one yes, if it asks. Time is skipped only while somebody waits for the end: nobody does before the yes. */
async function restore(estate: FakeEstate, input: FullRestoreInput = {}): Promise<Evidence> {
  const talk = await begin(estate, input);
  const asks = await until({ what: 'people to be asked, or the end', withinMs: 60_000 }, async () => {
    if ((await talk.run.describe()).status.name !== 'RUNNING') return 'no';
    const { approvals = [] } = await talk.run.query<Evidence>('evidence');
    return approvals.some(({ closedAt }) => closedAt === undefined) ? 'yes' : undefined;
  });
  if (asks === 'yes') await talk.approve('ana');
  return end(talk, estate);
}

const lost = {
  door: 'closed',
  servers: { db1: { running: false }, db2: { running: false } },
};

const back = {
  door: 'db1',
  servers: {
    db1: { running: true, role: 'primary', timeline: 2, slots: ['db2'] },
    db2: { running: true, role: 'standby', timeline: 2, slots: [] },
  },
};

test('both hosts are empty: the database comes back from the archive alone, as far as that goes, and its standby too', async () => {
  const estate = lostEstate();
  const talk = await begin(estate);
  await talk.approve('ana');
  const evidence = await end(talk, estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [], flags: [] });
  expect(estate.pair).toMatchObject(back);
  expect(estate.recovery.beside).toEqual({});
  expect(evidence.target).toEqual({
    lsn: '0/8FFFF00',
    timeline: 1,
    at: '2026-11-21T14:01:48.113Z',
    chosenBy: 'archive',
  });
  expect(evidence.setAside ?? []).toEqual([]);
  expect(evidence.equality?.tables.every(({ equal }) => equal)).toBe(true);
  expect(estate.calls).not.toContain('serviceMoment');
});

test('nothing was archived after the newest backup: its own end is where the database comes back to', async () => {
  const estate = lostEstate();
  estate.repository.timelines[0]?.ranges.splice(0, 1, {
    ...{ first: '000000010000000000000001', last: '000000010000000000000005', count: 5 },
  });
  estate.before = (name) => {
    if (name === 'serviceMoment') throw failure('DatabaseUnreachable', 'no server is there');
    if (name === 'newestCommit') throw failure('TargetOutsideWindow', 'no commit in those segments');
  };
  const evidence = await restore(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', target: { lsn: '0/5000138' } });
});

test('people are asked with what was found on each host, and what is lost', async () => {
  const estate = lostEstate();
  const talk = await begin(estate);
  const { name, subject } = await talk.asked();
  expect(name).toBe('Bring the database back');
  expect(subject).toMatchObject({
    backup: '20261121-135502F, ended 2026-11-21T13:55:08Z',
    lost: expect.stringContaining('23 acknowledged pulse writes after the target'),
    'found on db1': 'nothing in /srv/db1 on db1',
    'found on db2': 'nothing in /srv/db2 on db2',
    'rows of public.orders': '212',
    primary: 'db1',
  });
  await talk.approve('ana');
  expect(await end(talk, estate)).toMatchObject({ outcome: 'recovered' });
});

test('what is left in a data directory is set aside, and said to those who approve', async () => {
  const estate = lostEstate('remains');
  const talk = await begin(estate);
  const { subject } = await talk.asked();
  expect(subject['found on db2']).toMatch(/^what is left in \/srv\/db2 on db2, set aside as \/srv\/db2\.before-/);
  await talk.approve('ana');
  const evidence = await end(talk, estate);
  expect(evidence.setAside?.map(({ host }) => host)).toEqual(['db1', 'db2']);
});

test('the standby waits for the fork in the archive, and nobody is let in before all of it is proven', async () => {
  const estate = lostEstate();
  await restore(estate);
  const steps = [
    'closeDoor',
    'restoreBeside db1',
    'ownConfiguration db1',
    'promoteScratch db1',
    'replaceDirectory db1',
    'startReplaced db1',
    'archiveReaches db1',
    'replaceDirectory db2',
    'startFollower db2',
    'assertionsLive db1',
    'openDoor',
    'takeBackup db1',
  ];
  expect([...new Set(estate.calledOn)].filter((name) => steps.includes(name))).toEqual(steps);
});

test('a target may be chosen: what the archive holds after it is given up', async () => {
  const estate = lostEstate();
  const evidence = await restore(estate, { target: 'before 0/7000000' });
  expect(evidence).toMatchObject({ outcome: 'recovered', target: { lsn: '0/7000000', chosenBy: 'person' } });
  expect(evidence.measurements).toContainEqual(expect.objectContaining({ name: 'transactions given up', value: 30 }));
});

test('another member may become the primary', async () => {
  const estate = lostEstate();
  await restore(estate, { primary: 'db2' });
  expect(estate.calledOn).toContain('startReplaced db2');
  expect(estate.calledOn).toContain('startFollower db1');
});

test.each(['db1', 'db2'] as const)('while %s still runs nothing is restored', async (host) => {
  const estate = lostEstate();
  estate.pair.servers[host].running = true;
  const evidence = await restore(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ServerAlive' } });
  expect(estate.calls).not.toContain('closeDoor');
  expect(estate.calls).not.toContain('restoreBeside');
});

test('a server that the network does not see, and its own host does, stops the run', async () => {
  const estate = lostEstate();
  failsOn(estate, 'whatLies');
  const evidence = await restore(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(estate.calls).not.toContain('closeDoor');
});

test('a gap in the archive is not passed over in silence', async () => {
  const estate = lostEstate();
  const [timeline] = estate.repository.timelines;
  if (timeline === undefined) throw new Error('there is no timeline');
  timeline.ranges = [
    { first: '000000010000000000000001', last: '000000010000000000000006', count: 6 },
    { first: '000000010000000000000008', last: '000000010000000000000009', count: 2 },
  ];
  const evidence = await restore(estate);
  expect(evidence.failure).toMatchObject({
    type: 'ArchiveGap',
    message: expect.stringContaining('000000010000000000000007'),
  });
});

test('without a log of pulses the loss is said to be unknown, and people decide', async () => {
  const estate = lostEstate();
  delete estate.plan.pulse;
  const talk = await begin(estate);
  const { subject } = await talk.asked();
  expect(subject.lost).toContain('is not known: no server can be asked');
  await talk.approve('ana');
  expect((await end(talk, estate)).outcome).toBe('recovered');
});

const stages = [
  'restoreBeside',
  'replayTo',
  'ownConfiguration',
  'promoteScratch',
  'stopBeside',
  'replaceDirectory',
  'startReplaced',
  'makeSlot',
  'startFollower',
  'assertionsLive',
] as const;

test.each(sampled(stages, 4, 'a full restore fails'))(
  'when %s fails, the hosts are as empty as they were',
  async (activity) => {
    const estate = lostEstate();
    failsOn(estate, activity);
    const evidence = await restore(estate);
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' }, leftBehind: [] });
    expect(evidence.doorClosed?.byHand).toContain('lifeboat start full-restore orders');
    expect(estate.pair).toMatchObject(lost);
    expect(estate.recovery.beside).toEqual({});
    expect(estate.recovery.aside).toEqual({});
  },
);

test('a door that does not open leaves the database as it came back, and says how it is opened by hand', async () => {
  const estate = lostEstate();
  failing(estate, 'openDoor');
  const evidence = await restore(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' } });
  expect(evidence.doorClosed?.byHand).toContain('open it to that one');
  expect(estate.pair).toMatchObject({ ...back, door: 'closed' });
});

test('an approval that is rejected leaves nothing behind', async () => {
  const estate = lostEstate();
  const talk = await begin(estate);
  await talk.asked();
  for (const by of ['ana', 'ben']) await talk.reject(by);
  const evidence = await end(talk, estate);
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'NotApproved' }, leftBehind: [] });
  expect(estate.pair).toMatchObject(lost);
  expect(estate.calls).not.toContain('promoteScratch');
});

test('a worker that only reads can run it as a dry run, which lists every change and asks nobody', async () => {
  const estate = lostEstate();
  const summary = await rig.run(estate, 'fullRestore', [{}], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  const steps = estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expectInOrder(steps, [
    'Keep the front door closed',
    [
      'Restore the backup beside on db1',
      'Restore the backup beside on db2',
      'Replay to the anchor on db1',
      'Replay to the target on db1',
      'Replay to the target on db2',
    ],
    'Promote the restored primary',
    ['Stop the restored server on db1', 'Stop the restored server on db2'],
    'Put the restored data in place on db1',
    'Start the recovered primary',
    'Make a slot for db2',
    'Put the restored data in place on db2',
    'Start the standby on db2',
    'Take an anchor on the recovered primary',
    'Open the front door to the recovered primary',
    "Leave db2 to the load balancer's check",
    ['Remove what is left of the restored server on db1', 'Remove what is left of the restored server on db2'],
    'Take a full backup of the recovered primary',
  ]);
});

test.each([
  [{ primary: 'db3' }, /no member db3; it has db1, db2/],
  [{ target: 'yesterday' }, /"target" is no target that Lifeboat knows/],
])('%o is refused at once', async (input, said) => {
  const estate = lostEstate();
  const talk = await begin(estate, input);
  const told = await talk.run.result().then(
    () => estate.written[0]?.failure?.message ?? '',
    (error: { cause?: Error }) => error.cause?.message ?? '',
  );
  expect(told).toMatch(said);
  expect(estate.calls).not.toContain('restoreBeside');
});
