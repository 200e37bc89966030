import { readFileSync, readlinkSync } from 'node:fs';
import { appendFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { archiveCommand } from './backrest.ts';
import { command } from './command.ts';
import { asDatabase, giveTo, superuser } from './host.ts';
import type { Host } from './layout.ts';
import type { EstateProcess } from './process.ts';
import { launch, type Site } from './site.ts';
import { until } from './until.ts';

export const database = 'orders';

/** A new cluster with checksums, in db1's data directory. */
export async function makeCluster(site: Site): Promise<void> {
  const { data } = site.layout.host('db1');
  await asDatabase(site, join(site.programs.postgresql, 'initdb'), [
    ...['--pgdata', data, '--username', superuser, '--data-checksums', '--encoding', 'UTF8', '--locale', 'C.UTF-8'],
    ...['--auth-local', 'trust', '--auth-host', 'scram-sha-256', '--wal-segsize', String(site.tuning.walSegmentMb)],
    '--no-sync',
  ]);
  await appendFile(join(data, 'postgresql.conf'), "\ninclude 'lab.conf'\n");
  // Through the socket, which only the account can reach, without a password; over TCP never.
  const rules = ['local all all trust', 'local replication all trust', 'host all all 127.0.0.1/32 scram-sha-256'];
  rules.push('host replication replicator 127.0.0.1/32 scram-sha-256', '');
  await writeFile(join(data, 'pg_hba.conf'), rules.join('\n'));
}

/** All settings that differ from PostgreSQL's own. */
export function settingsOf(site: Site, host: Host): Record<string, string | number> {
  return {
    listen_addresses: '127.0.0.1',
    port: site.ports[host].number,
    unix_socket_directories: site.layout.host(host).socket,
    unix_socket_permissions: '0700',
    shared_buffers: `${site.tuning.sharedBuffersMb}MB`,
    max_connections: 80,
    // In the data directory, so that it goes with it, even when a test kills the server.
    dynamic_shared_memory_type: 'mmap',
    max_wal_size: '1GB',
    // A standby of another region archives too, into the store of its own.
    archive_mode: site.twoSites ? 'always' : 'on',
    archive_command: archiveCommand(site, host),
    archive_timeout: site.tuning.archiveTimeout,
    track_commit_timestamp: 'on',
    max_prepared_transactions: '4',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    log_checkpoints: 'off',
  };
}

/** Written anew at each start of an estate, for ports and paths change. */
export async function configureServer(site: Site, host: Host): Promise<void> {
  const { data } = site.layout.host(host);
  const settings = { ...settingsOf(site, host), ...(host === 'db2' ? following(site) : {}) };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}`);
  const file = join(data, 'lab.conf');
  await writeFile(file, `${lines.join('\n')}\n`);
  await giveTo(site.account, file);
  await writePasswords(site, site.layout.passfile);
}

function following(site: Site): Record<string, string> {
  return {
    primary_conninfo: `host=127.0.0.1 port=${(site.twoSites ? site.ports.linkToEast : site.ports.db1).number} user=replicator passfile=${site.layout.passfile} application_name=db2`,
    primary_slot_name: 'db2',
  };
}

async function writePasswords(site: Site, file: string): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, `127.0.0.1:*:*:replicator:${site.secrets.replicator}\n`, { mode: 0o600 });
  await giveTo(site.account, file);
}

export async function startServer(site: Site, host: Host): Promise<EstateProcess> {
  const { data } = site.layout.host(host);
  return launch(site, {
    name: host,
    command: join(site.programs.postgresql, 'postgres'),
    args: ['-D', data],
    account: site.account,
    cwd: data,
    ports: [site.ports[host]],
    stopSignal: 'SIGINT',
    // A switchover stops it, and starts it again beside us.
    elsewhere: () => postmasterOf(data),
    readyWithinMs: 60_000,
    ready: () => withServer(site, host, 'postgres', wakeCheckpointer),
  });
}

/** The server that runs in this directory now, whoever has started it. */
function postmasterOf(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 1 && readlinkSync(`/proc/${pid}/cwd`) === data ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The checkpointer, which also keeps `archive_timeout`, begins to sleep while the server still counts as recovering, and
 * then for up to five minutes: a segment would wait that long. A reload wakes it.
 */
async function wakeCheckpointer(client: pg.Client): Promise<boolean> {
  await client.query('select pg_reload_conf()');
  return true;
}

/** The primary's copy becomes a standby: it must have been stopped in order when it was copied. */
export async function makeStandby(site: Site): Promise<void> {
  const source = site.layout.host('db1').data;
  const { data } = site.layout.host('db2');
  await rm(data, { recursive: true });
  await command('cp', ['-a', source, data], { signal: site.signal });
  for (const slot of await readdir(join(data, 'pg_replslot')))
    await rm(join(data, 'pg_replslot', slot), { recursive: true });
  const signalFile = join(data, 'standby.signal');
  await writeFile(signalFile, '');
  await giveTo(site.account, signalFile);
}

/** Keeps the WAL that the standby has not received yet. */
export async function makeSlot(site: Site): Promise<void> {
  await withServer(site, 'db1', 'postgres', (client) =>
    client.query(`select pg_create_physical_replication_slot('db2', true)
      where not exists (select from pg_replication_slots where slot_name = 'db2')`),
  );
}

/** Waits until db2 streams from db1. */
export async function standbyStreams(site: Site): Promise<void> {
  await until({ what: 'db2 to stream from db1', withinMs: 60_000, signal: site.signal }, () =>
    withServer(site, 'db1', 'postgres', async (client) => {
      const { rows } = await client.query("select 1 from pg_stat_replication where state = 'streaming'");
      return rows.length === 1;
    }),
  );
}

/** Through the socket: only root and the account itself may enter its folder, so no password is asked. */
export async function openSession(site: Site, host: Host, databaseName: string, user: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: site.layout.host(host).socket,
    port: site.ports[host].number,
    user,
    database: databaseName,
    connectionTimeoutMillis: 5_000,
    application_name: 'lab',
  });
  // A server that ends is told by the statement under way; without a listener it would end this process too.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A session of the superuser, for as long as `use` takes. */
export async function withServer<T>(
  site: Site,
  host: Host,
  databaseName: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await openSession(site, host, databaseName, superuser);
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function quoted(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
