/** How Patroni of an estate is set up: quick, for tests; the plan of the estate says the same. */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { archiveCommand, stanza } from '../backrest.ts';
import { giveTo, superuser } from '../host.ts';
import type { Host } from '../layout.ts';
import { settingsOf } from '../postgres.ts';
import type { Site } from '../site.ts';

export const scope = 'orders';
export const restUser = 'lifeboat';
export const rewinder = 'rewinder';

export interface PatroniSettings {
  /** Seconds: how long a lock outlives its holder. */
  ttl: number;
  synchronous: boolean;
}

export const usualSettings: PatroniSettings = { ttl: 10, synchronous: false };

export function configurationFile(site: Site, host: Host): string {
  return join(site.layout.host(host).directory, 'patroni.yaml');
}

/** To Patroni's reader of YAML a plain `on` is no text. */
const readByPatroni = { version: '1.1' } as const;

/** It holds passwords. */
export async function writeConfiguration(site: Site, host: Host, tags: Record<string, boolean> = {}): Promise<void> {
  const file = configurationFile(site, host);
  await rm(file, { force: true });
  await writeFile(file, stringify(configuration(site, host, tags), readByPatroni), { mode: 0o600 });
  await chmod(file, 0o600);
  await giveTo(site.account, file);
}

function configuration(site: Site, host: Host, tags: Record<string, boolean>): object {
  const { ports, secrets } = site;
  const here = (port: number) => ({ listen: `127.0.0.1:${port}`, connect_address: `127.0.0.1:${port}` });
  return {
    scope,
    namespace: '/lab/',
    name: host,
    restapi: {
      ...here(ports[`role-${host}`].number),
      authentication: { username: restUser, password: secrets.patroni },
    },
    etcd3: { host: `127.0.0.1:${ports.etcd.number}` },
    bootstrap: { dcs: shared(site) },
    postgresql: { ...here(ports[host].number), ...server(site, host) },
    tags,
  };
}

/** What all members have in common: it lives in the store, once the cluster is there. */
function shared({ patroni = usualSettings }: Site): object {
  return {
    // loop_wait + 2 * retry_timeout may be no longer than the ttl.
    ttl: patroni.ttl,
    loop_wait: 1,
    retry_timeout: 3,
    maximum_lag_on_failover: 1_048_576,
    synchronous_mode: patroni.synchronous,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: { max_connections: 80, max_prepared_transactions: 4, track_commit_timestamp: 'on' },
    },
  };
}

/** Backups, WAL and new standbys come from pgBackRest, as on the pair without Patroni. */
function server(site: Site, host: Host): object {
  const { data, directory, socket, backupConfiguration } = site.layout.host(host);
  const backrest = `${site.programs.pgbackrest} --config=${backupConfiguration} --stanza=${stanza}`;
  return {
    data_dir: data,
    bin_dir: site.programs.postgresql,
    pgpass: join(directory, 'pgpass.patroni'),
    use_unix_socket: true,
    use_unix_socket_repl: true,
    authentication: {
      superuser: { username: superuser },
      replication: { username: 'replicator', password: site.secrets.replicator },
      rewind: { username: rewinder, password: site.secrets.patroni },
    },
    create_replica_methods: ['pgbackrest', 'basebackup'],
    pgbackrest: { command: `${backrest} --delta --type=standby restore`, keep_data: true, no_params: true },
    basebackup: { checkpoint: 'fast' },
    recovery_conf: { restore_command: `${backrest} archive-get %f "%p"` },
    parameters: {
      ...own(settingsOf(site, host)),
      unix_socket_directories: socket,
      archive_command: archiveCommand(site, host),
    },
  };
}

/** What Patroni keeps the same on all members, or sets itself, is not a member's own. */
const kept = ['listen_addresses', 'port', 'max_connections', 'max_prepared_transactions', 'track_commit_timestamp'];

function own(settings: Record<string, string | number>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !kept.includes(name)));
}
