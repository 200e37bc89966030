import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { SwitchoverInput } from '../../workflows/messages.ts';
import { estateThatAsks } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { asBefore, locks, switchOver as switched } from './switching.ts';

const rig = useRig({ locks });

const switchOver = (estate: FakeEstate, input: SwitchoverInput = {}) => switched(rig, estate, input);

const changed = (estate: FakeEstate) =>
  estate.calls.filter((name) =>
    /^(make|drop|stop|start|promote|close|open|release|checkpoint|takeBackup|saveAnchor)/.test(name),
  );

test('the primary and the standby change places, and all of it is proven', async () => {
  const estate = estateThatAsks();
  const evidence = await switchOver(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(estate.pair).toMatchObject({
    door: 'db2',
    servers: {
      db1: { running: true, role: 'standby', timeline: 2, slots: [] },
      db2: { running: true, role: 'primary', timeline: 2, slots: ['db1'] },
    },
  });
  expect(evidence.equality?.tables.every(({ equal }) => equal)).toBe(true);
  expect(evidence.measurements.map(({ name }) => name)).toContain('writes stopped');
});

test('a worker that only reads can run it as a dry run, which lists every change', async () => {
  const estate = estateThatAsks();
  const summary = await rig.run(estate, 'switchover', [{}], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(changed(estate)).toEqual([]);
  const steps = estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expect(steps).toEqual([
    'Make a slot for the way back',
    'Write a checkpoint on the primary',
    'Close the front door',
    'Stop the primary',
    'Let the old primary start as a standby only',
    'Promote the standby',
    'Open the front door to the new primary',
    'Let the old primary follow the new one',
    'Take an anchor on the new primary',
    'Start the old primary as a standby',
    'Drop the slot that nobody uses any more',
    "Leave the old primary to the load balancer's check",
    'Take a backup of the new primary',
  ]);
});

test('one live recovery of a service at a time: a second one is refused, and says which goes on', async () => {
  const estate = estateThatAsks();
  await rig.start(estate, 'lock', [], { workflowId: 'lifeboat-lock/orders' });
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'LockHeld' }, leftBehind: [] });
  expect(evidence.failure?.message).toContain('Service orders is held by');
  expect(changed(estate)).toEqual([]);
});

test.each([
  ['stopPrimary', 'ServerControlFailed'],
  ['caughtUp', 'StandbyUnfit'],
  ['standbyOnly', 'Moved'],
] as const)('when %s fails with %s, all is as before, at once', async (activity, type) => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    // Before the yes the standby is looked at too.
    if (name === activity && estate.calls.includes('closeDoor')) throw failure(type, 'made to fail');
  };
  const began = Date.now();
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type }, leftBehind: [] });
  expect(estate.pair).toMatchObject(asBefore);
  expect(estate.calls).not.toContain('promoteStandby');
  expect(Date.now() - began).toBeLessThan(60_000);
});

test('a standby that dies after the stop leads back to the old primary, and what it keeps is told', async () => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    if (name === 'stopPrimary') estate.pair.servers.db2.running = false;
    if (name === 'dropSlot') throw failure('DatabaseUnreachable', 'no server runs on db2');
  };
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'DatabaseUnreachable' } });
  expect(estate.pair).toMatchObject({ door: 'db1', servers: { db1: { running: true, role: 'primary' } } });
  expect(evidence.leftBehind.join()).toContain('Make a slot for the way back');
});

const closedDoor = (evidence: Evidence) => ({
  flags: evidence.flags,
  told: evidence.notUndone?.find(({ name }) => name === 'The front door')?.why,
  measured: evidence.measurements.some(({ name }) => name === 'front door closed'),
});

test('a second primary keeps the front door closed: nothing is undone, and the end says so, not that it is open', async () => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    if (name === 'openDoor') estate.pair.servers.db1.running = true;
  };
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'SplitBrain' } });
  expect(estate.pair.door).toBe('closed');
  expect(estate.calls).not.toContain('startPrimary');
  expect(closedDoor(evidence)).toEqual({
    flags: ['door-closed'],
    told: expect.stringMatching(/nobody can write.*set server .* state ready/),
    measured: false,
  });
  expect(evidence.toDo).toMatch(/^Nobody can write: the front door is closed\. .*set server/);
  const opening = evidence.notUndone?.find(({ name }) => name === 'Open the front door to the new primary');
  expect(opening?.why).toContain('has not come to its end');
  expect(JSON.stringify(evidence.notUndone)).not.toContain('stays open');
});

test('a second primary that appears later closes the front door again, which is told instead of how long it was closed', async () => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    if (name === 'makeFollower') estate.pair.servers.db1.running = true;
  };
  const evidence = await switchOver(estate);
  expect(evidence.failure).toMatchObject({
    type: 'SplitBrain',
    message: expect.stringContaining('The front door was closed.'),
  });
  expect(estate.pair.door).toBe('closed');
  expect(closedDoor(evidence)).toMatchObject({ flags: ['door-closed'], measured: false });
  expect(JSON.stringify(evidence.notUndone)).not.toContain('stays open');
});

test('an old primary that has run as one and is stopped again closes no door: there is one primary, and it serves', async () => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    if (name === 'makeFollower') throw failure('Diverged', 'db1 has written since it was left');
  };
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'Diverged' }, flags: [] });
  expect(estate.pair.door).toBe('db2');
});

test('an undone switchover leaves the door open, and says nothing of a closed one', async () => {
  const estate = estateThatAsks();
  estate.before = (name) => {
    if (name === 'stopPrimary') throw failure('ServerControlFailed', 'made to fail');
  };
  const evidence = await switchOver(estate);
  expect(estate.pair.door).toBe('db1');
  expect(closedDoor(evidence)).toEqual({ flags: [], told: undefined, measured: false });
});

test('a dry run after one that was ended in its middle says how everything stands, and what leads out of it', async () => {
  const estate = estateThatAsks();
  estate.pair.door = 'closed';
  await rig.run(estate, 'switchover', [{}], { readOnly: true }).catch(() => undefined);
  expect(estate.written[0]?.failure).toMatchObject({
    type: 'DoorOpen',
    message: expect.stringMatching(
      /As it stands now: db1 primary, db2 standby .*leads to nobody\. By hand: Open the front door to db1/,
    ),
  });
});

test('a dry run says what another run holds, and asks to wait for it; its changes take what they took before', async () => {
  const estate = estateThatAsks();
  estate.holds = 'orders-backup-1';
  const took = { ms: 400, movingMs: 0 };
  estate.earlier = [
    { run: 'orders-old', phases: {}, steps: { 'traffic/stop-the-primary': { own: took, rest: took } } },
  ];
  await rig.run(estate, 'switchover', [{ to: 'db2' }], { readOnly: true });
  const [evidence] = estate.written;
  expect(evidence?.inUse?.map(({ what }) => what)).toEqual(['service orders', 'host db1', 'host db2']);
  expect(evidence?.toDo).toMatch(/^Not yet: orders-backup-1 goes on.* --mode live --input '\{"to":"db2"\}'$/);
  const takes = (name: string) => evidence?.steps.find((step) => step.name === name)?.takesMs;
  expect([takes('Stop the primary'), takes('Promote the standby')]).toEqual([400, undefined]);
  // The newest backup of the repository took that long.
  expect(takes('Take a backup of the new primary')).toBe(6_000);
});

test('an old primary that differs from the new one is not started', async () => {
  const estate = estateThatAsks();
  estate.pair.tables = [{ table: 'public.orders', rows: 211, fingerprint: '41', castToText: [] }];
  const evidence = await switchOver(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'NotEqual' } });
  expect(estate.pair).toMatchObject({ door: 'db2', servers: { db1: { running: false }, db2: { role: 'primary' } } });
});

test.each([
  [{ to: 'db1' }, /db1 is the primary already/],
  [{ to: 'db9' }, /"to": db9 is no standby; there are db2/],
] as const)('%o is refused before anything is changed', async (input, said) => {
  const estate = estateThatAsks();
  const evidence = await switchOver(estate, input);
  expect(evidence.failure?.message).toMatch(said);
  expect(changed(estate)).toEqual([]);
});

test('a standby that would not archive is refused before anybody is asked', async () => {
  const estate = estateThatAsks();
  estate.pair.odd.db2 = { archiving: { mode: 'off', fit: false, why: 'its archive_mode is off' } };
  const evidence = await switchOver(estate);
  expect(evidence.failure).toMatchObject({
    type: 'StandbyUnfit',
    message: expect.stringContaining('archive_mode is off'),
  });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(changed(estate)).toEqual([]);
});

test('a plan without replication is refused with what to add', async () => {
  const estate = estateThatAsks();
  delete estate.plan.database.replication;
  const evidence = await switchOver(estate);
  expect(evidence.failure).toMatchObject({
    type: 'PlanInvalid',
    message: expect.stringContaining('database.replication'),
  });
});
