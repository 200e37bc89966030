import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { CacheRecoveryInput } from '../../workflows/messages.ts';
import { agreed, estateThatAsks, evidenceAtEnd, openOrEnded } from './asking.ts';
import { cacheComponent } from './fake-cache.ts';
import type { FakeEstate } from './fake-estate.ts';
import { useRig } from './rig.ts';

const toWarm = { host: 'db2', command: ['/bin/warm'], rate: 5, within: 1_000, watch: 1_000, hitRatio: 0.9 };

const rig = useRig({ locks: ['lifeboat-lock/orders'] });

function estateWithCache(more: Partial<typeof cacheComponent> = {}): FakeEstate {
  const estate = estateThatAsks();
  estate.plan.components = { sessions: { ...structuredClone(cacheComponent), ...more } };
  return estate;
}

async function recovered(estate: FakeEstate, input: CacheRecoveryInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'cacheRecovery', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await agreed(handle);
  return evidenceAtEnd(handle, estate);
}

const changed = (estate: FakeEstate) =>
  estate.calledOn.filter((one) => /^(start|stop|restore|give|warm)Cache|^cache(Switchover|Failover)/.test(one));

test('what is healthy is left alone, and said so', async () => {
  const estate = estateWithCache();
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.phases.find(({ name }) => name === 'application')?.note).toBe(
    'sessions is healthy: it was left alone.',
  );
  expect(evidence.approvals ?? []).toEqual([]);
  expect(changed(estate)).toEqual([]);
});

test('a replica that is stopped is started', async () => {
  const estate = estateWithCache();
  estate.cache.servers.db2.running = false;
  expect(await recovered(estate)).toMatchObject({ outcome: 'completed' });
  expect(changed(estate)).toEqual(['startCache db2']);
});

test('a master that is dead gives way to its replica, and comes back as one', async () => {
  const estate = estateWithCache();
  estate.cache.servers.db1.running = false;
  expect(await recovered(estate)).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(changed(estate)).toEqual(['cacheFailover', 'startCache db1']);
  expect(estate.cache.servers).toMatchObject({ db1: { role: 'replica', running: true }, db2: { role: 'master' } });
});

test('a host that is lost with the master is told, and does not keep the cache from serving', async () => {
  const estate = estateWithCache();
  estate.cache.servers.db1.running = false;
  estate.before = (name) => {
    if (name === 'startCache') throw failure('HostSilent', 'no worker on db1');
  };
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'completed' });
  expect(evidence.steps.find(({ name }) => name === 'Start db1:6379 of sessions')).toMatchObject({
    state: 'skipped',
    failure: { type: 'HostSilent' },
  });
});

test('when nobody answers, what lies on the disks is started, the master first', async () => {
  const estate = estateWithCache();
  for (const one of Object.values(estate.cache.servers)) one.running = false;
  expect(await recovered(estate)).toMatchObject({ outcome: 'completed' });
  expect(changed(estate)).toEqual(['startCache db1', 'startCache db2']);
});

test('an empty master is not started before a replica that has something: it would be emptied', async () => {
  const estate = estateWithCache();
  for (const one of Object.values(estate.cache.servers)) one.running = false;
  estate.cache.servers.db1.keys = undefined;
  expect(await recovered(estate)).toMatchObject({ outcome: 'completed' });
  expect(changed(estate)).toEqual(['startCache db2', 'cacheFailover', 'startCache db1']);
  expect(estate.cache.servers).toMatchObject({ db1: { keys: 500 }, db2: { keys: 500, role: 'master' } });
});

test('what lies on a host that does not answer is not taken for nothing', async () => {
  const estate = estateWithCache();
  for (const one of Object.values(estate.cache.servers)) one.running = false;
  estate.cache.servers.db1.keys = undefined;
  estate.cache.silent = 'db2';
  expect(await recovered(estate)).toMatchObject({ outcome: 'failed', failure: { type: 'HostSilent' } });
  expect(changed(estate)).toEqual([]);
});

test('when all is gone it is restored, once people have agreed', async () => {
  const estate = estateWithCache();
  for (const one of Object.values(estate.cache.servers)) Object.assign(one, { running: false, keys: undefined });
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.approvals?.[0]).toMatchObject({
    name: 'Replace cache content',
    subject: { cache: 'sessions', server: 'db1:6379', keys: 480, sha256: 'ab' },
  });
  expect(changed(estate)).toEqual([
    'stopCache db2',
    'stopCache db1',
    'restoreCache db1',
    'startCache db1',
    'startCache db2',
  ]);
  expect(estate.cache.servers).toMatchObject({ db1: { keys: 480 }, db2: { keys: 480 } });
});

test('a damaged RDB is refused before anything changes, and before anybody is asked', async () => {
  const estate = estateWithCache();
  estate.cache.rdb = 'damaged';
  const evidence = await recovered(estate, { do: 'restore' });
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'RdbUnfit' } });
  expect(evidence.approvals ?? []).toEqual([]);
  expect(changed(estate)).toEqual([]);
});

test('another file than the one that people were shown voids their yes, and they are asked anew', async () => {
  const estate = estateWithCache();
  const handle = await rig.start(estate, 'cacheRecovery', [{ mode: 'live', requestedBy: 'cara', do: 'restore' }]);
  const first = await openOrEnded(handle);
  expect(first?.subject).toMatchObject({ keys: 480, sha256: 'ab' });
  estate.cache.rdb = { keys: 3, sha256: 'cd' };
  await agreed(handle);
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence.approvals?.map(({ subject }) => subject.sha256)).toEqual(['ab', 'cd']);
  expect(estate.cache.servers).toMatchObject({ db1: { keys: 3 }, db2: { keys: 3 } });
});

test('a no leaves all as it is', async () => {
  const estate = estateWithCache();
  const handle = await rig.start(estate, 'cacheRecovery', [{ mode: 'live', requestedBy: 'cara', do: 'restore' }]);
  const open = await openOrEnded(handle);
  await handle.signal('reject', { by: 'ana', approval: open?.id, code: open?.code, channel: 'automation' });
  expect((await evidenceAtEnd(handle, estate)).failure).toMatchObject({ type: 'NotApproved' });
  expect(changed(estate)).toEqual([]);
});

test('a restore that fails is undone: the old files come back, and what ran runs again', async () => {
  const estate = estateWithCache();
  let starts = 0;
  estate.before = (name) => {
    if (name !== 'startCache') return;
    starts += 1;
    if (starts === 1) throw failure('ServerControlFailed', 'it does not start');
  };
  const evidence = await recovered(estate, { do: 'restore' });
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ServerControlFailed' }, leftBehind: [] });
  expect(changed(estate).slice(-4)).toEqual(['stopCache db1', 'giveCacheBack db1', 'startCache db1', 'startCache db2']);
  expect(estate.cache.servers).toMatchObject({ db1: { keys: 500, running: true }, db2: { running: true } });
});

test.each([undefined, 'failover', 'restore', 'warm'] as const)(
  'two masters are left as they are, whatever is asked for (%s)',
  async (work) => {
    const estate = estateWithCache({ warm: toWarm });
    estate.cache.servers.db2.role = 'master';
    const evidence = await recovered(estate, work === undefined ? {} : { do: work });
    expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'SplitBrain' } });
    expect(changed(estate)).toEqual([]);
  },
);

test('without a quorum of Sentinels nothing is changed', async () => {
  const estate = estateWithCache();
  estate.cache.servers.db1.running = false;
  estate.cache.sentinelsThatAnswer = 1;
  expect(await recovered(estate)).toMatchObject({ outcome: 'failed', failure: { type: 'QuorumMissing' } });
  expect(changed(estate)).toEqual([]);
});

test('a planned change is asked for by name, and its gap measured', async () => {
  const estate = estateWithCache();
  const evidence = await recovered(estate, { do: 'failover' });
  expect(evidence).toMatchObject({ outcome: 'completed' });
  expect(changed(estate)).toEqual(['cacheSwitchover']);
  expect(evidence.measurements).toContainEqual(
    expect.objectContaining({ name: 'Writes to sessions stood still', value: 900, unit: 'ms' }),
  );
});

test('a warm-up goes to the master, and what clients ask for is watched before and afterwards', async () => {
  const estate = estateWithCache({ warm: toWarm });
  const evidence = await recovered(estate, { do: 'warm' });
  expect(evidence).toMatchObject({ outcome: 'completed' });
  expect(estate.cache.warmedWith).toEqual(['127.0.0.1:6379']);
  expect(evidence.measurements.map(({ name }) => name)).toEqual([
    'Hits before the warm-up of sessions',
    'Misses before the warm-up of sessions',
    'Hits after the warm-up of sessions',
    'Misses after the warm-up of sessions',
  ]);
});

test('less than the plan wants is said', async () => {
  const estate = estateWithCache({ warm: toWarm });
  estate.cache.ratio = 0.4;
  expect(await recovered(estate, { do: 'warm' })).toMatchObject({ outcome: 'failed', failure: { type: 'CacheCold' } });
  expect(estate.cache.warmedWith).toHaveLength(1);
});

test('what has come back is warmed too', async () => {
  const estate = estateWithCache({ warm: toWarm });
  estate.cache.servers.db1.running = false;
  expect(await recovered(estate)).toMatchObject({ outcome: 'completed' });
  expect(changed(estate)).toEqual(['cacheFailover', 'startCache db1', 'warmCache']);
});

test('which cache is meant must be known', async () => {
  const estate = estateWithCache();
  estate.plan.components = { ...estate.plan.components, pages: structuredClone(cacheComponent) };
  expect(await recovered(estate)).toMatchObject({
    failure: { type: 'InputInvalid', message: expect.stringContaining('sessions, pages') },
  });
  estate.written.length = 0;
  expect(await recovered(estate, { component: 'pages' })).toMatchObject({ outcome: 'completed' });
});

test('a worker that only reads can run it as a dry run, which lists every change', async () => {
  const estate = estateWithCache();
  const summary = await rig.run(estate, 'cacheRecovery', [{ do: 'restore' }], { readOnly: true });
  expect(summary.outcome).toBe('previewed');
  expect(changed(estate)).toEqual([]);
  expect(estate.written[0]?.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name)).toEqual([
    'Stop the servers of sessions',
    'Restore the RDB into db1:6379 of sessions',
    'Start sessions with what was restored',
  ]);
});
