import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { members } from '../../../activities/cluster/members.ts';
import { serviceMoment } from '../../../activities/cluster/service-moment.ts';
import type { Database } from '../../../plan/schema.ts';
import {
  adminPassword,
  createPostgres,
  createStandby,
  eventually,
  freePort,
  type Postgres,
  removeDirectory,
  scratchDirectory,
} from './rig.ts';

let directory: string;
let primary: Postgres;
let standby: Postgres;
let database: Database;

async function sql<T extends object>(server: Postgres, text: string, name = 'postgres'): Promise<T[]> {
  const client = new Client({
    host: '127.0.0.1',
    port: server.port,
    user: 'admin',
    password: adminPassword,
    database: name,
  });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  directory = await scratchDirectory('control-database');
  primary = await createPostgres(directory, 'one');
  await primary.start();
  await sql(primary, "create role orders login password 'orders-password'");
  await sql(primary, 'create database orders owner orders');
  standby = await createStandby(directory, 'two', primary);
  await standby.start();
  await writeFile(join(directory, 'password'), 'orders-password\n');
  database = {
    kind: 'standalone',
    frontDoor: {
      host: '127.0.0.1',
      port: primary.port,
      database: 'orders',
      user: 'orders',
      password: `\${file:${directory}/password}`,
    },
    members: [
      { host: 'one', port: primary.port, dataDirectory: primary.dataDirectory },
      { host: 'two', port: standby.port, dataDirectory: standby.dataDirectory },
    ],
    criticalTables: ['orders'],
    assertions: [],
  };
});

afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
  await removeDirectory(directory);
});

const addresses = { one: '127.0.0.1', two: '127.0.0.1' };

describe('the service at this moment', () => {
  test('an ordinary role learns all of it, and it is what the server says of itself', async () => {
    await sql(primary, "select pg_create_physical_replication_slot('lifeboat_test')");
    const moment = await serviceMoment({ frontDoor: database.frontDoor });
    const [control] = await sql<{ id: string; version: string }>(
      primary,
      "select system_identifier::text as id, current_setting('server_version_num') as version from pg_control_system()",
    );
    expect(moment).toMatchObject({
      timeline: 1,
      systemIdentifier: control?.id,
      serverVersion: Number(control?.version),
      segmentBytes: 1024 * 1024,
      checksums: true,
      tablespaces: [],
      slots: ['lifeboat_test'],
      ownSessions: [],
      extensions: [{ name: 'plpgsql' }],
    });
    expect(moment.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Math.abs(Date.parse(moment.at) - Date.now())).toBeLessThan(5_000);
    expect(moment.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(moment.collation.provider).toBe('libc');
    await sql(primary, "select pg_drop_replication_slot('lifeboat_test')");
  });

  test('it sees the sessions that Lifeboat has under other roles', async () => {
    const other = new Client({
      host: '127.0.0.1',
      port: primary.port,
      user: 'admin',
      password: adminPassword,
      database: 'orders',
      application_name: 'lifeboat-anchor',
    });
    await other.connect();
    expect((await serviceMoment({ frontDoor: database.frontDoor })).ownSessions).toEqual(['lifeboat-anchor']);
    await other.end();
  });

  test('a front door that leads to a standby is refused', async () => {
    const frontDoor = { ...database.frontDoor, port: standby.port };
    await expect(serviceMoment({ frontDoor })).rejects.toMatchObject({
      type: 'NotPrimary',
      nonRetryable: true,
      message: expect.stringContaining(`127.0.0.1:${standby.port} leads to a standby`),
    });
  });

  test('a wrong password is not tried again, and is not shown', async () => {
    await writeFile(join(directory, 'wrong'), 'not-the-password');
    const frontDoor = { ...database.frontDoor, password: `\${file:${directory}/wrong}` };
    const error = await serviceMoment({ frontDoor }).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ type: 'PlanInvalid', nonRetryable: true });
    expect(error.message).toContain('refuses the password of user "orders"');
    expect(error.message).not.toContain('not-the-password');
  });

  test('a database that is not there, and a port where nobody listens, are said', async () => {
    await expect(serviceMoment({ frontDoor: { ...database.frontDoor, database: 'order' } })).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('has no database "order"'),
    });
    const port = await freePort();
    await expect(serviceMoment({ frontDoor: { ...database.frontDoor, port } })).rejects.toMatchObject({
      type: 'DatabaseUnreachable',
      nonRetryable: false,
      message: expect.stringContaining(`127.0.0.1:${port} refuses connections`),
    });
  });
});

describe('the members', () => {
  test('primary and standby are told apart, with timeline, position and lag', async () => {
    await sql(primary, 'create table if not exists ticks (n int)', 'orders');
    const states = await eventually('the standby has caught up', async () => {
      const { members: seen } = await members({ database, addresses });
      return seen[1]?.lagMs === 0 ? seen : undefined;
    });
    expect(states).toMatchObject([
      { host: 'one', role: 'primary', timeline: 1 },
      { host: 'two', role: 'standby', timeline: 1, lagMs: 0 },
    ]);
  });

  test('a member that does not answer is unknown, with the reason', async () => {
    const port = await freePort();
    const [first] = database.members;
    const { members: seen, found } = await members({
      database: { ...database, members: first ? [first, { ...first, host: 'three', port }] : [] },
      addresses: { ...addresses, three: '127.0.0.1' },
    });
    expect(seen[1]).toMatchObject({ host: 'three', role: 'unknown' });
    expect(seen[1]?.why).toContain('refuses connections');
    expect(found).toContain('three unknown (');
  });

  test('a standby that is cut off falls behind, although it has replayed all that it received', async () => {
    await sql(standby, "alter system set primary_conninfo = ''");
    await sql(standby, 'select pg_reload_conf()');
    await eventually('the standby no longer receives', async () =>
      (await sql(standby, 'select 1 from pg_stat_wal_receiver')).length === 0 ? true : undefined,
    );
    await sql(primary, 'insert into ticks values (1)', 'orders');
    const { members: seen } = await members({ database, addresses });
    expect(seen[1]?.role).toBe('standby');
    expect(seen[1]?.lagMs).toBeGreaterThan(0);
  });

  test('two primaries stop everything', async () => {
    await sql(standby, 'select pg_promote()');
    await expect(members({ database, addresses })).rejects.toMatchObject({
      type: 'SplitBrain',
      nonRetryable: true,
      message: expect.stringMatching(/one primary on timeline 1 .* and two primary on timeline 2/),
    });
  });
});
