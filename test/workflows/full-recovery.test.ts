/** A service is gone, or parts of it, on an estate in memory. */
import { expect, test } from 'vitest';
import { failure } from '../../activities/failure.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Components } from '../../plan/components.ts';
import type { FullRecoveryInput } from '../../workflows/messages.ts';
import { agreed, estateThatAsks, evidenceAtEnd } from './asking.ts';
import type { FakeEstate } from './fake-estate.ts';
import { visitors } from './fake-visitors.ts';
import { useRig } from './rig.ts';

const rig = useRig({ eachAlone: true, locks: ['lifeboat-host/db1', 'lifeboat-host/db2', 'lifeboat-lock/orders'] });

const minute = 60_000;
const secret = (name: string) => ['$', `{env:${name}}`].join('');

const components: Components = {
  configuration: {
    ...{ kind: 'restic', after: [], host: 'db1', repository: 's3:https://s3.example.com/backups/web' },
    ...{ password: secret('WEB'), accessKeyId: secret('KEY'), secretAccessKey: secret('SECRET') },
    ...{ paths: ['/etc/nginx'], newestWithin: 30 * 60 * minute },
  },
  sessions: {
    ...{ kind: 'redis-sentinel', after: [], master: 'mymaster', healthyWithin: minute },
    sentinels: [1, 2, 3].map((number) => ({ host: `10.0.0.${number}`, port: 26379 })),
    members: ['db1', 'db2'].map((host) => ({
      ...{ host, port: 6379, dataDirectory: '/var/lib/redis', config: '/etc/redis/redis.conf' },
      control: { start: ['/usr/bin/start-redis'], stop: ['/usr/bin/stop-redis'] },
    })),
    restoreFrom: '/var/backups/redis/dump.rdb',
  },
  shop: {
    ...{ kind: 'systemd', after: ['configuration', 'sessions'], host: 'db2', unit: 'shop.service' },
    ...{ staysUp: 5_000, startsWithin: 2 * minute, stopsWithin: 2 * minute, comesBackWithin: 2 * minute },
  },
};

/** Everything is healthy but the database, of which nothing is left. */
function estateWithoutDatabase(): FakeEstate {
  const estate = wholeEstate();
  estate.recovery.loses({ db1: 'nothing', db2: 'nothing' });
  estate.before = (name) => {
    if (name === 'serviceMoment') throw failure('DatabaseUnreachable', 'no server is there');
  };
  return estate;
}

function wholeEstate(): FakeEstate {
  const estate = estateThatAsks();
  const { plan } = estate;
  plan.components = structuredClone(components);
  plan.visitors = structuredClone(visitors);
  plan.database.replication = { user: 'replicator', passfile: '/srv/pgpass', options: {} };
  for (const member of plan.database.members) {
    member.control = { kind: 'pg_ctl' };
    member.beside = `/srv/beside-${member.host}`;
  }
  estate.recovery.follows = true;
  estate.files.live = 'good';
  estate.visitors.weights = { app1: 10, app2: 10, sorry: 0 };
  return estate;
}

async function recovered(estate: FakeEstate, input: FullRecoveryInput = {}): Promise<Evidence> {
  const handle = await rig.start(estate, 'fullRecovery', [{ mode: 'live', requestedBy: 'cara', ...input }]);
  await agreed(handle);
  return evidenceAtEnd(handle, estate);
}

/** By their first calls. */
function expectOneAfterTheOther({ calls }: FakeEstate, names: string[]): void {
  expect(calls.filter((name, index) => names.includes(name) && calls.indexOf(name) === index)).toEqual(names);
}

const asked = ({ approvals = [] }: Evidence) => approvals.map(({ name }) => name);
const note = ({ phases }: Evidence, phase: string) => phases.find(({ name }) => name === phase)?.note;

test('everything is gone: the database comes back, then what stands on it in its order, then visitors by shares', async () => {
  const estate = estateWithoutDatabase();
  estate.files.live = 'missing';
  estate.cache.servers.db1.running = false;
  estate.kept.runs = 'failed';
  const evidence = await recovered(estate);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [], flags: [] });
  expect(estate.pair).toMatchObject({ door: 'db1', servers: { db1: { role: 'primary' }, db2: { role: 'standby' } } });
  expect(estate.files.live).toBe('restored');
  expect(estate.cache.servers).toMatchObject({ db1: { role: 'replica', running: true }, db2: { role: 'master' } });
  expect(estate.kept).toMatchObject({ runs: 'up', healthy: true });
  expect(estate.visitors.weights).toEqual({ app1: 10, app2: 10, sorry: 0 });
  expect(asked(evidence)).toEqual(['Begin the full recovery', 'Bring the database back']);
  expectOneAfterTheOther(estate, ['leadVisitors', 'restoreBeside', 'openDoor', 'startApplication', 'soakVisitors']);
  expectOneAfterTheOther(estate, ['openDoor', 'replaceFiles', 'startApplication']);
  expectOneAfterTheOther(estate, ['openDoor', 'cacheFailover', 'startApplication']);
});

test('the cache alone is gone: the database is left alone, and the application on it begins anew', async () => {
  const estate = wholeEstate();
  estate.cache.servers.db1.running = false;
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect(asked(evidence)).toEqual(['Begin the full recovery']);
  expect(note(evidence, 'database')).toContain('it is left alone');
  expect(note(evidence, 'application')).toBe('configuration: healthy, and left alone');
  expect(estate.calls).not.toContain('restoreBeside');
  expect(estate.calls).not.toContain('closeDoor');
  expect(estate.calls).not.toContain('replaceFiles');
  expectOneAfterTheOther(estate, ['cacheFailover', 'restartApplication']);
});

test('a share that is not served well takes nothing away again: what was brought back stays, and the share before too', async () => {
  const estate = wholeEstate();
  estate.kept.runs = 'failed';
  estate.visitors.soaks = (share) => {
    if (share === 25) throw failure('VisitorsFail', 'one in four answers has failed');
  };
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'VisitorsFail' } });
  expect(estate.kept).toMatchObject({ runs: 'up' });
  expect(estate.visitors.weights.app1).toBeGreaterThan(0);
  expect(estate.calls).not.toContain('stopApplication');
});

test('what cannot be brought back gives visitors their way back, before the database has a new one', async () => {
  const estate = estateWithoutDatabase();
  const before = estate.before;
  estate.before = (name) => {
    if (name === 'promoteScratch') throw failure('ReplayFailed', 'it does not promote');
    before(name);
  };
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'ReplayFailed' } });
  expect(estate.visitors.weights).toEqual({ app1: 10, app2: 10, sorry: 0 });
});

test('a replica that is away cuts off nobody, and begins nothing anew', async () => {
  const estate = wholeEstate();
  estate.cache.servers.db2.running = false;
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'recovered' });
  expect(estate.calls).not.toContain('leadVisitors');
  expect(estate.calls).not.toContain('restartApplication');
  expect(estate.cache.servers.db2.running).toBe(true);
});

test('what is not in the scope is not even asked how it stands', async () => {
  const estate = estateWithoutDatabase();
  estate.files.live = 'missing';
  const evidence = await recovered(estate, { scope: ['configuration'] });
  expect(evidence).toMatchObject({ outcome: 'recovered' });
  expect(estate.files.live).toBe('restored');
  expect(estate.calls).not.toContain('members');
  expect(estate.calls).not.toContain('cacheState');
});

test('a healthy service is not recovered, and is told so before anybody is asked', async () => {
  const estate = wholeEstate();
  const evidence = await recovered(estate);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'NothingLost' } });
  expect(asked(evidence)).toEqual([]);
  expect(estate.calls).not.toContain('leadVisitors');
});

test('a standby that is alive is failed over to, not restored over', async () => {
  const estate = wholeEstate();
  estate.pair.servers.db1.running = false;
  const evidence = await recovered(estate);
  expect(evidence.failure).toMatchObject({ type: 'ServerAlive' });
  expect(evidence.failure?.message).toContain('lifeboat start database-failover orders');
  expect(estate.calls).not.toContain('restoreBeside');
});

test('a name that is no part of the service is refused with those that are', async () => {
  const evidence = await recovered(wholeEstate(), { scope: ['database', 'chache'] });
  expect(evidence.failure).toMatchObject({ type: 'InputInvalid' });
  expect(evidence.failure?.message).toContain('its parts are database, configuration, sessions, shop');
});

test('what nothing could bring back is said before anything is changed', async () => {
  const estate = estateWithoutDatabase();
  estate.files.live = 'missing';
  estate.files.keyFits = false;
  const evidence = await recovered(estate);
  expect(evidence.failure).toMatchObject({ type: 'KeyLost' });
  expect(asked(evidence)).toEqual([]);
  expect(estate.calls).not.toContain('restoreBeside');
});

test('a dry run reads like the plan of action, shares and all, though nobody is up; and changes nothing', async () => {
  const estate = estateWithoutDatabase();
  estate.kept.runs = 'failed';
  estate.visitors.down = ['app1', 'app2'];
  const handle = await rig.start(estate, 'fullRecovery', [{}], { readOnly: true });
  const evidence = await evidenceAtEnd(handle, estate);
  expect(evidence).toMatchObject({ outcome: 'previewed' });
  const changes = evidence.steps.filter(({ state }) => state === 'previewed').map(({ name }) => name);
  expect(changes.filter((name) => name.includes('visitors'))).toEqual([
    'Lead no visitors to the service',
    'Lead 5 % of the visitors to the service',
    'Lead 25 % of the visitors to the service',
    'Lead all visitors to the service',
  ]);
  expect(estate.kept.runs).toBe('failed');
});
