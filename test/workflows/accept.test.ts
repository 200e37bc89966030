import { expect, test } from 'vitest';
import type { Evidence, SetAside } from '../../evidence/evidence.ts';
import { until } from '../../lab/until.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';
import { estateWithPeople, signedBy, started, Talk } from './talk.ts';

const rig = useRig({ locks: ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'] });

const input = { ...started, recovery: 'orders-lost' };
const places: SetAside[] = [
  { host: 'db1', directory: '/srv/db1.before-lost', dataDirectory: '/srv/db1' },
  { host: 'db2', directory: '/srv/db2.before-lost', dataDirectory: '/srv/db2' },
];

/** Recovered onto timeline 2, with a full backup since. */
function recoveredEstate(): FakeEstate {
  const estate = estateWithPeople();
  const { ledger, repository } = estate;
  ledger.recovery = structuredClone(places);
  for (const { directory } of places) ledger.setAside(directory);
  for (const one of ledger.recovery) {
    const seen = ledger.directories.get(one.directory);
    if (seen !== undefined) one.seen = structuredClone(seen);
  }
  estate.timeline = 2;
  for (const backup of repository.backups) Object.assign(backup, { timeline: 2 });
  return estate;
}

/** With nobody to decide about a failed step: it ends the run at once. */
async function failed(estate: FakeEstate): Promise<Evidence['failure']> {
  delete estate.plan.people?.decisions;
  await expect(rig.run(estate, 'accept', [input])).rejects.toThrow();
  return estate.written.at(-1)?.failure;
}

async function approvedBy(estate: FakeEstate, ...people: string[]) {
  const handle = await rig.start(estate, 'accept', [input]);
  const talk = new Talk(handle);
  const { id, code } = await talk.asked();
  for (const by of people) await handle.signal('approve', { by, approval: id, code, signature: signedBy(by) });
  await handle.result().catch(() => undefined);
  return estate.written.at(-1);
}

test('what a recovery has set aside goes once people have accepted it, and nothing else', async () => {
  const estate = recoveredEstate();
  estate.ledger.setAside('/srv/db1.before-another');
  const evidence = await approvedBy(estate, 'ana', 'ben');
  expect(evidence).toMatchObject({ outcome: 'completed', flags: [], setAside: [] });
  expect([...estate.ledger.directories.keys()]).toEqual(['/srv/db1.before-another']);
});

test('people are shown the very directories, and that they do not come back', async () => {
  const estate = recoveredEstate();
  const evidence = await approvedBy(estate, 'ana', 'ben');
  expect(evidence?.approvals?.[0]?.subject).toMatchObject({
    recovery: 'orders-lost',
    'removed for good on db1': '/srv/db1.before-lost (4711 7 1 0/A000028)',
    'removed for good on db2': expect.stringContaining('/srv/db2.before-lost'),
  });
  expect(evidence?.approvals?.[0]?.shown).toMatchObject({ 'can be undone': expect.stringContaining('no') });
});

test('a directory in which somebody has started a server meanwhile is not removed, though people said yes', async () => {
  const estate = recoveredEstate();
  estate.before = (activity) => {
    if (activity === 'removeSetAside') estate.ledger.setAside('/srv/db1.before-lost', { lsn: '0/B000028' });
  };
  const handle = await rig.start(estate, 'accept', [input]);
  const talk = new Talk(handle);
  const { id, code } = await talk.asked();
  for (const by of ['ana', 'ben']) await handle.signal('approve', { by, approval: id, code, signature: signedBy(by) });
  const evidence = await until({ what: 'the removal to fail', withinMs: 60_000 }, async () => {
    const so = await handle.query<Evidence>('evidence');
    return so.decisions === undefined ? undefined : so;
  });
  expect(evidence.decisions?.[0]?.failure).toMatchObject({ type: 'Moved' });
  expect(estate.ledger.directories.has('/srv/db2.before-lost')).toBe(true);
  await handle.terminate();
});

test('nothing goes where people say no', async () => {
  const estate = recoveredEstate();
  const handle = await rig.start(estate, 'accept', [input]);
  const talk = new Talk(handle);
  const { id, code } = await talk.asked();
  await handle.signal('reject', {
    by: 'ana',
    approval: id,
    code,
    signature: signedBy('ana'),
    reason: 'rows are missing',
  });
  await handle.result().catch(() => undefined);
  expect(estate.ledger.directories.size).toBe(2);
  expect(estate.written.at(-1)?.outcome).toBe('aborted');
});

test('a worker that only reads can run it as a dry run, which removes nothing', async () => {
  const estate = recoveredEstate();
  const dry = { mode: 'dry-run', recovery: 'orders-lost' };
  expect(await rig.run(estate, 'accept', [dry], { readOnly: true })).toMatchObject({ outcome: 'previewed' });
  expect(estate.ledger.directories.size).toBe(2);
});

test('a directory that another has taken the place of, or that somebody has started, is told before people are asked', async () => {
  const estate = recoveredEstate();
  estate.ledger.setAside('/srv/db1.before-lost', { lsn: '0/B000028' });
  expect(await failed(estate)).toMatchObject({
    type: 'Moved',
    message: expect.stringContaining('somebody has started it'),
  });
  expect(estate.written.at(-1)?.approvals ?? []).toEqual([]);
});

test('old data of a timeline that the service has not left are no old data', async () => {
  const estate = recoveredEstate();
  estate.timeline = 1;
  expect(await failed(estate)).toMatchObject({
    type: 'Moved',
    message: expect.stringContaining('from before its timeline'),
  });
});

test('without a full backup since the recovery the old data stay', async () => {
  const estate = recoveredEstate();
  for (const backup of estate.repository.backups) Object.assign(backup, { timeline: 1 });
  expect(await failed(estate)).toMatchObject({
    type: 'BackupMissing',
    message: expect.stringContaining('--type full'),
  });
  expect(estate.ledger.directories.size).toBe(2);
});

test('what is gone already is no obstacle, and when all of it is gone that is said', async () => {
  const estate = recoveredEstate();
  estate.ledger.directories.clear();
  expect(await failed(estate)).toMatchObject({
    type: 'InputInvalid',
    message: expect.stringContaining('nothing to accept'),
  });
});
