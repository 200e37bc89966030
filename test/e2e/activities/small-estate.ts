/** A PostgreSQL server that archives into a pgBackRest repository on the local disk: all that a host worker's activities stand on. */
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Client } from 'pg';
import type { Member, PhysicalBackups } from '../../../plan/schema.ts';

export const bin = process.env.LIFEBOAT_TEST_POSTGRESQL ?? '/usr/lib/postgresql/15/bin';
export const segmentBytes = 1024 * 1024;

export interface SmallEstate {
  root: string;
  backups: PhysicalBackups;
  member: Member;
  permit: string;
  scratchRoot: string;
  repositoryPath: string;
  runAs: { uid: number; gid: number };
  /** For newHand. */
  env: Record<string, string>;
  sql(text: string, place?: { host: string; port: number }): Promise<Record<string, unknown>[]>;
  run(file: string, ...words: string[]): Promise<string>;
  pgbackrest(...words: string[]): Promise<string>;
  backup(type?: 'full' | 'incr'): Promise<string>;
  /** Ends the current segment and waits until it is archived; returns its name. */
  archiveSegment(): Promise<string>;
  stop(): Promise<void>;
}

export async function newSmallEstate(): Promise<SmallEstate> {
  const root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-host-'));
  const runAs = await databaseUser();
  for (const name of ['', 'socket', 'repository', 'log', 'lock', 'spool', 'scratch']) {
    await mkdir(join(root, name), { recursive: true });
    await chown(join(root, name), runAs.uid, runAs.gid);
  }
  await chmod(root, 0o755);
  const data = join(root, 'data');
  const socket = { host: join(root, 'socket'), port: 5432 };
  const config = join(root, 'pgbackrest.conf');
  const permit = join(root, 'permit.yaml');
  const scratchRoot = join(root, 'scratch');
  const run = async (file: string, ...words: string[]) =>
    (await execa(file, words, { ...runAs, cwd: '/', env: { LC_ALL: 'C' } })).stdout;
  const pgbackrest = (...words: string[]) => run('pgbackrest', `--config=${config}`, '--stanza=orders', ...words);
  const sql = (text: string, place = socket) => ask(text, place);
  await run(join(bin, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-k', '--wal-segsize=1', '--no-sync');
  await writeFile(config, pgbackrestConfiguration(root, data));
  await writeFile(join(data, 'postgresql.conf'), serverConfiguration(root, config), { flag: 'a' });
  await writeFile(permit, permitText(root, data, config, scratchRoot));
  await chmod(permit, 0o444);
  await run(join(bin, 'pg_ctl'), '-D', data, '-l', join(root, 'log', 'server.log'), '-w', 'start');
  await pgbackrest('stanza-create');
  const estate: SmallEstate = {
    root,
    backups: { kind: 'pgbackrest', stanza: 'orders', config, archiveTimeout: 30_000 },
    member: { host: 'db1', port: 5432, dataDirectory: data },
    permit,
    scratchRoot,
    repositoryPath: join(root, 'repository'),
    runAs,
    env: { LIFEBOAT_PERMIT: permit, TEST_RUN_AS: `${runAs.uid}:${runAs.gid}` },
    sql,
    run,
    pgbackrest,
    backup: async (type = 'full') => {
      await pgbackrest(`--type=${type}`, 'backup');
      const [info] = JSON.parse(await pgbackrest('--output=json', 'info')) as [{ backup: { label: string }[] }];
      return info.backup.at(-1)?.label ?? '';
    },
    archiveSegment: async () => {
      const [row] = await sql('select pg_walfile_name(pg_switch_wal()) as segment');
      const segment = String(row?.segment);
      await until(`segment ${segment} is archived`, async () => (await archived(root)).includes(segment));
      return segment;
    },
    stop: async () => {
      await run(join(bin, 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop').catch(() => undefined);
      await rm(root, { recursive: true, force: true });
    },
  };
  return estate;
}

/** PostgreSQL refuses to run as root. */
async function databaseUser(): Promise<{ uid: number; gid: number }> {
  if (process.getuid?.() !== 0) return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const id = async (flag: string) => Number((await execa('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

function pgbackrestConfiguration(root: string, data: string): string {
  return `[global]
repo1-type=posix
repo1-path=${root}/repository
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=a-secret-for-a-test
repo1-retention-full=9
repo1-bundle=y
compress-type=zst
process-max=2
start-fast=y
job-retry=0
log-path=${root}/log
lock-path=${root}/lock
spool-path=${root}/spool
[orders]
pg1-path=${data}
pg1-socket-path=${root}/socket
pg1-port=5432
pg1-user=postgres
`;
}

function serverConfiguration(root: string, config: string): string {
  return `listen_addresses = ''
unix_socket_directories = '${root}/socket'
port = 5432
wal_level = logical
archive_mode = on
archive_command = 'pgbackrest --config=${config} --stanza=orders archive-push %p'
max_wal_senders = 13
max_connections = 40
fsync = off
shared_buffers = 32MB
`;
}

function permitText(root: string, data: string, config: string, scratchRoot: string): string {
  return `dataDirectories: [${data}, ${root}/standby]
scratch: [${scratchRoot}]
commands: [${root}/smoke]
backupConfigurations: [${config}]
postgresql: ${bin}
`;
}

async function ask(text: string, place: { host: string; port: number }): Promise<Record<string, unknown>[]> {
  const client = new Client({ ...place, user: 'postgres', database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Names of the archived segments, from the disk. */
export async function archived(root: string): Promise<string[]> {
  const files = await readdir(join(root, 'repository/archive/orders'), { recursive: true });
  return files.flatMap((path) => /([0-9A-F]{24})-[0-9a-f]{40}/.exec(path)?.[1] ?? []).sort();
}

export async function until(what: string, holds: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
