/** Three servers that Patroni keeps, and the store with its lock. Debian's own services of these names are never used. */
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Estate } from '../estate.ts';
import { giveTo } from '../host.ts';
import type { Host } from '../layout.ts';
import { withServer } from '../postgres.ts';
import { makeDatabase } from '../seed.ts';
import { launch, type Site } from '../site.ts';
import { until } from '../until.ts';
import { configurationFile, restUser, rewinder, writeConfiguration } from './settings.ts';

/** One that is made anew from a backup, and then catches up. */
const readyWithinMs = 120_000;

/** The store, and the first server, which takes the lock. Its standbys need the archive: they are started once that is there. */
export async function startFirst(site: Site, { template, rows }: { template?: string; rows?: number }): Promise<void> {
  if (template === undefined) await makeDatabase(site, rows ?? 2_000);
  await startStoreOfPatroni(site);
  for (const host of site.hosts) {
    await writeConfiguration(site, host);
    await forgetOwnSettings(site, host);
  }
  const [first] = site.hosts;
  if (first === undefined) throw new Error('an estate has a host');
  await startMember(site, first);
  // It comes up as a standby, takes the lock, and is the primary some moments after Patroni has said so.
  await until({ what: `${first} to lead`, withinMs: readyWithinMs, signal: site.signal }, () =>
    withServer(site, first, 'postgres', async (client) => {
      const { rows } = await client.query<{ leads: boolean }>('select not pg_is_in_recovery() as leads');
      return rows[0]?.leads;
    }),
  );
  await withServer(site, first, 'postgres', (client) => makeRewinder(site, client));
}

export async function startStandbys(site: Site): Promise<void> {
  // One after the other: the first time each asks the archive for all of a backup.
  for (const host of site.hosts.slice(1)) await startMember(site, host);
}

async function startStoreOfPatroni(site: Site): Promise<void> {
  const { etcd, etcdPeers } = site.ports;
  const directory = join(site.layout.root, 'etcd');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (site.account.ids) await chown(directory, site.account.ids.uid, site.account.ids.gid);
  const clients = `http://127.0.0.1:${etcd.number}`;
  const peers = `http://127.0.0.1:${etcdPeers.number}`;
  await launch(site, {
    name: 'etcd',
    command: needed(site.programs.etcd),
    args: [
      ...['--name', 'lab', '--data-dir', join(directory, 'data'), '--logger', 'zap'],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `lab=${peers}`],
    ],
    account: site.account,
    ports: [etcd, etcdPeers],
    ready: async () => (await fetch(`${clients}/health`)).ok,
  });
}

async function startMember(site: Site, host: Host): Promise<void> {
  const port = site.ports[`role-${host}`];
  await launch(site, {
    name: host,
    command: needed(site.programs.patroni),
    args: [configurationFile(site, host)],
    account: site.account,
    cwd: site.layout.host(host).directory,
    ports: [port, site.ports[host]],
    readyWithinMs,
    // Started again, it may come up as either.
    ready: async () => (await serves(site, host, '/replica')) || (await serves(site, host, '/primary')),
  });
}

async function serves(site: Site, host: Host, as: '/primary' | '/replica'): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${site.ports[`role-${host}`].number}${as}`)).ok;
}

function needed(program: string | undefined): string {
  if (program === undefined) throw new Error('this estate was built without Patroni');
  return program;
}

/** What the template's servers were configured with, Patroni configures. */
async function forgetOwnSettings(site: Site, host: Host): Promise<void> {
  const { data } = site.layout.host(host);
  if (!existsSync(join(data, 'PG_VERSION'))) return;
  const file = join(data, 'lab.conf');
  await writeFile(file, '# Patroni configures this server.\n');
  await giveTo(site.account, file);
}

/** What pg_rewind needs instead of a superuser. @see PostgreSQL documentation, pg_rewind, "Notes" */
async function makeRewinder(site: Site, client: pg.Client): Promise<void> {
  const { rows } = await client.query('select from pg_roles where rolname = $1', [rewinder]);
  if (rows.length > 0) return;
  const functions = [
    'pg_ls_dir(text, boolean, boolean)',
    'pg_stat_file(text, boolean)',
    'pg_read_binary_file(text)',
    'pg_read_binary_file(text, bigint, bigint, boolean)',
  ];
  await client.query(`create role ${rewinder} login password ${client.escapeLiteral(site.secrets.patroni)}`);
  for (const one of functions) await client.query(`grant execute on function pg_catalog.${one} to ${rewinder}`);
}

/** The postmaster that runs in a member's data directory, whoever has started it. */
export async function postmasterOf({ servers }: Estate, host: Host): Promise<number> {
  const text = await readFile(join(servers[host].data, 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

/** A host that is lost with all that runs on it: server and Patroni, at once. */
export async function loseHost(estate: Estate, host: Host): Promise<void> {
  const server = await postmasterOf(estate, host);
  await estate.process(host).kill('SIGKILL');
  process.kill(server, 'SIGKILL');
}

/** What Patroni on this host answers. */
export async function askRest<T>({ site }: Estate, host: Host, path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${site.ports[`role-${host}`].number}${path}`, {
    signal: AbortSignal.timeout(10_000),
  });
  return (await answer.json()) as T;
}

/** As an administrator would: `PATCH /config`. */
export async function patchConfiguration({ site }: Estate, host: Host, change: object): Promise<void> {
  const password = Buffer.from(`${restUser}:${site.secrets.patroni}`).toString('base64');
  const answer = await fetch(`http://127.0.0.1:${site.ports[`role-${host}`].number}/config`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${password}` },
    body: JSON.stringify(change),
  });
  if (!answer.ok) throw new Error(`PATCH /config: ${answer.status} ${await answer.text()}`);
}
