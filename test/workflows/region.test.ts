import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { RegionFailbackInput, RegionFailoverInput, RegionSwitchoverInput } from '../../workflows/messages.ts';
import { agreed, estateThatAsks, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { locks } from './switching.ts';
import { apart, changesOf, doors } from './two-sites.ts';

const rig = useRig({ locks });

const twoSites = () => apart(estateThatAsks());

/** The east is gone: its server, its load balancer, and whoever could say anything of them, but for the host worker. */
function withoutEast(): FakeEstate {
  const estate = twoSites();
  const { pair, rebuild } = estate;
  pair.servers.db1.running = false;
  pair.door = 'closed';
  pair.lostDoors = [doors.east];
  Object.assign(rebuild, { who: 'db1' });
  rebuild.standby.host = 'db1';
  Object.assign(rebuild.kept, {
    ...{ host: 'db2', timeline: 2, ancestors: [{ timeline: 1, forkLsn: '0/A000060' }] },
    keepsFrom: '0/7000000',
  });
  return estate;
}

type Input = RegionSwitchoverInput & RegionFailoverInput & RegionFailbackInput;

async function run(estate: FakeEstate, workflow: string, input: Input = {}): Promise<Evidence> {
  const handle = await rig.start(estate, workflow, [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await agreed(handle);
  return evidenceAtEnd(handle, estate);
}

const found = (evidence: Evidence, name: string) => evidence.steps.find((step) => step.name === name)?.found;

test('a service moves to the other site: both doors are closed, one is opened, the name follows, and the old primary comes back', async () => {
  const estate = twoSites();
  const evidence = await run(estate, 'regionSwitchover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(estate.pair).toMatchObject({
    door: 'db2',
    closed: [doors.east, doors.west],
    servers: { db1: { role: 'standby', timeline: 2 }, db2: { role: 'primary', timeline: 2 } },
  });
  expect(estate.entry).toMatchObject({ value: '192.0.2.20', ttlSeconds: 60 });
  const order = [
    'setEntryTtl',
    'closeDoor',
    'promoteStandby',
    'openDoor',
    'moveEntry',
    'restoreEntryTtl',
    'makeFollower',
  ];
  expect(estate.calls.filter((name, index) => order.includes(name) && estate.calls.indexOf(name) === index)).toEqual(
    order,
  );
  expect(evidence.approvals?.[0]?.subject).toMatchObject({
    'from site': 'east',
    'to site': 'west',
    name: 'orders.example.test from 192.0.2.10 to 192.0.2.20',
    from: 'db1',
    to: 'db2',
  });
});

test.each([
  [
    'the name leads to neither site',
    (estate: FakeEstate) => Object.assign(estate.entry, { value: '192.0.2.99' }),
    'EntryUnfit',
  ],
  [
    'the name leads to the other site already',
    (estate: FakeEstate) => Object.assign(estate.entry, { value: '192.0.2.20' }),
    'Moved',
  ],
  [
    'the store of the other site holds nothing',
    (estate: FakeEstate) => Object.assign(estate.repository, { timelines: [] }),
    'ArchiveUnsound',
  ],
  [
    'the load balancer of the other site lets clients in',
    (estate: FakeEstate) =>
      Object.assign(estate.pair, { behind: { [doors.east]: ['db1'], [doors.west]: ['db1', 'db2'] } }),
    'DoorOpen',
  ],
])('before anything is changed a planned move stops where %s', async (_where, spoil, type) => {
  const estate = twoSites();
  spoil(estate);
  delete estate.plan.people?.decisions;
  const evidence = await run(estate, 'regionSwitchover');
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type } });
  expect(changesOf(evidence)).toEqual([]);
});

test('a move that fails before the promotion leaves the name, its TTL and the door as they were', async () => {
  const estate = twoSites();
  estate.before = (name) => {
    if (name === 'standbyOnly') throw failure('Moved', 'made to fail');
  };
  const evidence = await run(estate, 'regionSwitchover');
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Moved' }, leftBehind: [] });
  expect(estate.entry).toMatchObject({ value: '192.0.2.10', ttlSeconds: 60 });
  expect(estate.pair).toMatchObject({ door: 'db1', servers: { db1: { running: true, role: 'primary', timeline: 1 } } });
});

test('in a plan of one site there is nowhere to move', async () => {
  const estate = estateThatAsks();
  const evidence = await run(estate, 'regionSwitchover');
  expect(evidence.failure).toMatchObject({
    type: 'PlanInvalid',
    message: expect.stringContaining('there is no other site'),
  });
});

test.each([
  ['switchover', twoSites],
  ['databaseFailover', withoutEast],
])('a %s stays inside of a site: nobody would lead the name to the other one', async (workflow, estate) => {
  const evidence = await run(estate(), workflow);
  expect(evidence.failure).toMatchObject({
    type: 'InputInvalid',
    message: expect.stringContaining('region-switchover'),
  });
  expect(changesOf(evidence)).toEqual([]);
});

test('a site is lost with its load balancer: the other one takes over, the name follows, and it is left fenced', async () => {
  const estate = withoutEast();
  estate.failover.past = 2;
  estate.pair.missingPulses = 2;
  const evidence = await run(estate, 'regionFailover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(estate.pair).toMatchObject({
    door: 'db2',
    closed: [doors.west],
    servers: { db2: { role: 'primary', timeline: 2 } },
  });
  expect(estate.pair.servers.db1).toMatchObject({ running: false, signal: true });
  expect(estate.entry.value).toBe('192.0.2.20');
  expect(found(evidence, 'Close the front door')).toContain('is lost with it');
  expect(evidence.leftFenced).toMatchObject({ host: 'db1', byHand: expect.stringContaining('region-failback orders') });
  expect(evidence.approvals?.[0]?.subject).toMatchObject({
    'from site': 'east',
    'to site': 'west',
    from: 'db1',
    to: 'db2',
  });
  expect(evidence.approvals?.[0]?.shown['would be lost']).toContain('2 acknowledged pulses');
});

test('a site of which one member answers is not lost', async () => {
  const estate = withoutEast();
  estate.pair.servers.db1 = { running: true, role: 'standby', timeline: 1, slots: [] };
  estate.pair.servers.db2.running = false;
  const evidence = await run(estate, 'regionFailover', { from: 'east' });
  expect(evidence.failure).toMatchObject({ type: 'ServerAlive' });
  expect(changesOf(evidence)).toEqual([]);
});

test('a site whose primary answers is moved in order, not failed over', async () => {
  const evidence = await run(twoSites(), 'regionFailover');
  expect(evidence.failure).toMatchObject({
    type: 'ServerAlive',
    message: expect.stringContaining('region-switchover orders'),
  });
});

test('a name that cannot be led before anybody is promoted ends the failover while all is as it was', async () => {
  const estate = withoutEast();
  estate.before = (name) => {
    if (name === 'entryState') throw failure('EntryRefused', 'made to fail');
  };
  const evidence = await run(estate, 'regionFailover');
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'EntryRefused' } });
  expect(changesOf(evidence)).toEqual([]);
});

test('a worker that only reads can run a region failover as a dry run', async () => {
  const estate = withoutEast();
  expect(await rig.run(estate, 'regionFailover', [{}], { readOnly: true })).toMatchObject({ outcome: 'previewed' });
  expect(estate.calls.filter((name) => /^(close|fence|promote|open|move)/.test(name))).toEqual([]);
});

test('and a region switchover, which lists every change in its order', async () => {
  const planned = twoSites();
  expect(await rig.run(planned, 'regionSwitchover', [{}], { readOnly: true })).toMatchObject({ outcome: 'previewed' });
  const steps = planned.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expect(steps?.slice(0, 8)).toEqual([
    'Make a slot for the way back',
    'Write a checkpoint on the primary',
    'Lower the TTL of the name',
    'Close the front door',
    'Stop the primary',
    'Let the old primary start as a standby only',
    'Promote the standby',
    'Open the front door to the new primary',
  ]);
  expect(steps?.[8]).toBe('Lead the name to the other site');
});

/** After a region failover: the west serves, the east stands still. */
function afterTheFailover(): FakeEstate {
  const estate = withoutEast();
  const { pair } = estate;
  pair.servers.db1 = { running: false, role: 'primary', timeline: 1, slots: ['db2'], signal: true };
  pair.servers.db2 = { running: true, role: 'primary', timeline: 2, slots: ['db1'] };
  pair.door = 'db2';
  pair.lostDoors = [];
  estate.timeline = 2;
  estate.entry.value = '192.0.2.20';
  estate.repository.timelines.push({
    id: 2,
    ancestors: [{ timeline: 1, forkLsn: '0/A000060' }],
    hasHistory: true,
    ranges: [{ first: '00000002000000000000000A', last: '00000002000000000000000A', count: 1 }],
  });
  return estate;
}

test('the old site comes back as a standby first, archives by itself, and then the service moves back to it', async () => {
  const estate = afterTheFailover();
  const evidence = await run(estate, 'regionFailback');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(estate.pair).toMatchObject({
    door: 'db1',
    servers: { db1: { role: 'primary', timeline: 3 }, db2: { role: 'standby', timeline: 3 } },
  });
  expect(estate.entry.value).toBe('192.0.2.10');
  expect(estate.calledOn).toContain('archivedHere db1');
  expect(evidence.approvals?.at(-1)).toMatchObject({
    name: 'Return to the old site',
    subject: { 'from site': 'west', 'to site': 'east' },
  });
});

test('a no to the return leaves the old site as a standby, and the service where it is', async () => {
  const estate = afterTheFailover();
  const handle = await rig.start(estate, 'regionFailback', [{ mode: 'live', requestedBy: 'cara' }]);
  await until({ what: 'the question', withinMs: 60_000 }, async () => {
    const { approvals = [] } = await handle.query<Evidence>('evidence');
    const open = approvals.find(({ closedAt }) => closedAt === undefined);
    if (open === undefined) return false;
    const verb = open.name === 'Return to the old site' ? 'reject' : 'approve';
    for (const by of ['ana', 'ben'])
      await handle.signal(verb, { by, approval: open.id, code: open.code, channel: 'automation' });
    return verb === 'reject';
  });
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence).toMatchObject({ failure: { type: 'NotApproved' }, leftBehind: [] });
  expect(estate.pair.servers.db2.slots).toContain('db1');
  expect(estate.calls).not.toContain('giveBack');
  expect(estate.pair).toMatchObject({
    door: 'db2',
    servers: { db1: { running: true, role: 'standby' }, db2: { role: 'primary', timeline: 2 } },
  });
  expect(estate.entry.value).toBe('192.0.2.20');
});
