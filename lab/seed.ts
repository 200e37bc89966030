import { join } from 'node:path';
import type pg from 'pg';
import { configureServer, database, makeCluster, makeStandby, openSession, withServer } from './postgres.ts';
import type { EstateProcess } from './process.ts';
import { fill } from './shop/fill.ts';
import { launch, type Site } from './site.ts';

/**
 * Makes the cluster of db1 with the shop's rows in it, and db2's as its copy, both stopped in order.
 * Nobody archives or replicates yet, and a crash would only mean to begin again: so nothing waits for the disk.
 */
export async function makeDatabase(site: Site, orders: number): Promise<void> {
  await makeCluster(site);
  await configureServer(site, 'db1');
  const seeding = await startForSeeding(site);
  // Statements of many seconds are under way: without their server they end at once.
  const end = () => void seeding.kill('SIGQUIT');
  site.signal.addEventListener('abort', end);
  try {
    await withServer(site, 'db1', 'postgres', (client) => makeRoles(site, client));
    const connect = () => openSession(site, 'db1', database, 'orders');
    const owner = await connect();
    try {
      await fill(owner, { orders, connect });
    } finally {
      await owner.end();
    }
    await withServer(site, 'db1', database, (client) => client.query('vacuum (freeze, analyze)'));
  } finally {
    site.signal.removeEventListener('abort', end);
    await seeding.stop(120_000);
  }
  await makeStandby(site);
}

const settings = {
  listen_addresses: '',
  archive_mode: 'off',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_senders: '0',
  // What is left of the log is copied to the standby: little of it.
  max_wal_size: '256MB',
  min_wal_size: '32MB',
  maintenance_work_mem: '256MB',
  work_mem: '64MB',
};

function startForSeeding(site: Site): Promise<EstateProcess> {
  const { data } = site.layout.host('db1');
  return launch(site, {
    name: 'db1',
    command: join(site.programs.postgresql, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    account: site.account,
    cwd: data,
    stopSignal: 'SIGINT',
    ready: () => withServer(site, 'db1', 'postgres', async () => true),
  });
}

async function makeRoles(site: Site, client: pg.Client): Promise<void> {
  const { orders, replicator } = site.secrets;
  await client.query(`create role orders login password ${client.escapeLiteral(orders)}`);
  await client.query(`create role replicator login replication password ${client.escapeLiteral(replicator)}`);
  await client.query(`create database ${database} owner orders`);
}
