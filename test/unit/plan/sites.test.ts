import { expect, test } from 'vitest';
import type { Plan } from '../../../plan/schema.ts';
import {
  backupsOn,
  doorOf,
  doorsOf,
  membersIn,
  reachedFrom,
  shareDoor,
  shareStore,
  siteOf,
} from '../../../plan/sites.ts';

const member = (host: string, port: number) => ({ host, port, dataDirectory: `/srv/${host}` });
const traffic = (socket: string) => ({ kind: 'haproxy' as const, socket, backend: 'postgres' });

/** As much of a plan as sites are about. */
function planWith(sites: Plan['sites']): Plan {
  const members = [member('db1', 5433), member('db2', 5434)];
  return {
    sites,
    database: { members, frontDoor: { host: 'db.example.com', port: 5432, database: 'orders' } },
    backups: { physical: { stanza: 'orders', config: '/etc/pgbackrest.conf' } },
    traffic: traffic('/run/haproxy.sock'),
  } as unknown as Plan;
}

const one = planWith({ east: { hosts: { db1: '10.0.0.1', db2: '10.0.0.2' } } });
const two = planWith({
  east: {
    hosts: { db1: '10.1.0.1' },
    frontDoor: { host: '10.1.0.5', port: 6432 },
    traffic: traffic('10.1.0.5:9999'),
    backups: { config: '/etc/pgbackrest/east.conf' },
  },
  west: {
    hosts: ['db2'],
    frontDoor: { host: '10.2.0.5', port: 6432 },
    traffic: traffic('10.2.0.5:9999'),
    backups: { config: '/etc/pgbackrest/west.conf' },
    reaches: { db1: { address: '10.9.0.1', port: 15432 } },
  },
});
const first = (plan: Plan) => plan.database.members[0] ?? member('none', 0);

test('in one site everybody has the plan’s own door, store and addresses', () => {
  expect(doorOf(one, 'db2')).toEqual({ traffic: one.traffic, database: one.database });
  expect(doorsOf(one)).toHaveLength(1);
  expect(backupsOn(one, 'db2')).toEqual(one.backups.physical);
  expect(shareDoor(one, 'db1', 'db2') && shareStore(one, 'db1', 'db2')).toBe(true);
  expect(reachedFrom(one, first(one), 'db2')).toEqual({ host: 'db1', address: '10.0.0.1', port: 5433 });
});

test('in two sites each has its own, and keeps what the plan says for both', () => {
  expect(siteOf(two, 'db2')).toBe('west');
  expect(membersIn(two, 'west').map(({ host }) => host)).toEqual(['db2']);
  expect(doorOf(two, 'db2')).toMatchObject({
    traffic: { socket: '10.2.0.5:9999' },
    database: { frontDoor: { host: '10.2.0.5', port: 6432, database: 'orders' } },
  });
  expect(doorsOf(two)).toHaveLength(2);
  expect(backupsOn(two, 'db1')).toEqual({ stanza: 'orders', config: '/etc/pgbackrest/east.conf' });
  expect(shareDoor(two, 'db1', 'db2') || shareStore(two, 'db1', 'db2')).toBe(false);
});

test('a host of another site may be reached by a way of its own, and by the usual one from everywhere else', () => {
  expect(reachedFrom(two, first(two), 'db2')).toEqual({ host: 'db1', address: '10.9.0.1', port: 15432 });
  expect(reachedFrom(two, first(two))).toEqual({ host: 'db1', address: '10.1.0.1', port: 5433 });
});

test('a host that is in no site is not taken for one', () => {
  expect(() => siteOf(two, 'db9')).toThrow('host db9 is in no site: the plan has east, west');
});
