/** The pair in memory, each in a site of its own: with its own load balancer and store, and one name for both. */
import type { Evidence } from '../../evidence/evidence.ts';
import type { FakeEstate } from './fake-estate.ts';

export const doors = { east: '10.0.1.9:9999', west: '10.0.2.9:9999' };

/** Names of the steps that have changed something. */
export function changesOf({ steps }: Evidence): string[] {
  return steps.filter(({ kind, state }) => kind === 'change' && state === 'done').map(({ name }) => name);
}

/** db1 in the east, db2 in the west; the name leads to the east. */
export function apart(estate: FakeEstate): FakeEstate {
  const site = (host: string, address: string, socket: string) => ({
    hosts: { [host]: '127.0.0.1' },
    frontDoor: { host: address, port: 5432 },
    traffic: { kind: 'haproxy' as const, socket, backend: 'postgres' },
    backups: { config: `/etc/pgbackrest/${host}.conf` },
  });
  estate.plan.sites = {
    east: site('db1', '192.0.2.10', doors.east),
    west: site('db2', '192.0.2.20', doors.west),
  };
  estate.plan.entry = {
    kind: 'dns-update',
    name: 'orders.example.test',
    type: 'A',
    ttl: 60_000,
    movingTtl: 5_000,
    zone: 'example.test',
    server: { host: '127.0.0.1', port: 5353 },
    key: { name: 'lifeboat', algorithm: 'hmac-sha256', secret: '$' + '{env:DNS_KEY}' },
    resolvers: [{ host: '127.0.0.1', port: 5354 }],
    sites: { east: '192.0.2.10', west: '192.0.2.20' },
  };
  // Who comes by the name is led to the new primary.
  estate.seen = (name) => {
    if (name === 'moveEntry')
      estate.timeline = Math.max(estate.pair.servers.db1.timeline, estate.pair.servers.db2.timeline);
  };
  estate.pair.behind = { [doors.east]: ['db1'], [doors.west]: ['db2'] };
  return estate;
}
