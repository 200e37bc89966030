/** Small real parts for the tests of this folder: each in a directory of its own, on a free port, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { findPart, type PartName } from '../../../parts/parts.ts';

/** A directory that the postgres user can read too. */
export async function scratchDirectory(name: string): Promise<string> {
  const directory = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? '/tmp', `lifeboat-${name}-`));
  await chmod(directory, 0o755);
  return directory;
}

export async function partPath(name: PartName): Promise<string> {
  const part = await findPart(name);
  if (part === undefined) throw new Error(`${name} is not installed; lifeboat doctor says how`);
  return part.path;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Polls until `look` gives something; the error says what was last seen. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 60_000,
): Promise<T> {
  const until = Date.now() + withinMs;
  let last = 'nothing';
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > until) throw new Error(`${what}: not within ${withinMs} ms; last seen: ${last}`);
    await pause(50);
  }
}

export interface Child {
  readonly pid: number;
  readonly log: string;
  /** Its exit code; null when a signal ended it. */
  readonly exit: Promise<number | null>;
  /** Ends it and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

interface Start {
  directory: string;
  name: string;
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  user?: { uid: number; gid: number };
}

export async function start({ directory, name, command, args, env, cwd, user }: Start): Promise<Child> {
  const log = join(directory, `${name}.log`);
  // Its own file: a child that inherits our output keeps the test runner's pipe open.
  const output = await open(log, 'a');
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', output.fd, output.fd],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  await output.close();
  return {
    pid: child.pid ?? 0,
    log,
    exit,
    end: (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return exit;
    },
  };
}

/** A Temporal server without its pages; it answers a moment later. @param file where it keeps what it knows, else in memory */
export async function startTemporal(directory: string, port: number, file?: string): Promise<Child> {
  return start({
    directory,
    name: 'temporal',
    command: await partPath('temporal'),
    args: [
      ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
      ...(file === undefined ? [] : ['--db-filename', file]),
    ],
  });
}

/** PostgreSQL refuses to run as root. */
async function databaseUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await execa('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

export interface Postgres {
  readonly port: number;
  readonly dataDirectory: string;
  readonly bin: string;
  readonly user: { uid: number; gid: number } | undefined;
  start(): Promise<void>;
  /** Ended like by `pg_ctl stop -m fast`. */
  stop(): Promise<void>;
  /** Of the postmaster. */
  pid(): number;
}

export const adminPassword = 'admin-password-of-the-tests';

/** A server with password authentication over TCP; superuser `admin`. */
export async function createPostgres(directory: string, name: string): Promise<Postgres> {
  const user = await databaseUser();
  const bin = await partPath('postgresql');
  const home = join(directory, name);
  await mkdir(home);
  if (user) await execa('chown', [`${user.uid}:${user.gid}`, home]);
  const passwordFile = join(directory, `${name}.password`);
  await writeFile(passwordFile, adminPassword);
  const dataDirectory = join(home, 'data');
  await execa(
    join(bin, 'initdb'),
    [
      '-D',
      dataDirectory,
      '-U',
      'admin',
      '-A',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
      '--wal-segsize=1',
      '-k',
      '-N',
    ],
    { ...user, cwd: '/' },
  );
  return serverAt(directory, name, await freePort(), dataDirectory, bin, user);
}

/** The standby of a server, by a base backup. */
export async function createStandby(directory: string, name: string, of: Postgres): Promise<Postgres> {
  const home = join(directory, name);
  await mkdir(home);
  if (of.user) await execa('chown', [`${of.user.uid}:${of.user.gid}`, home]);
  const dataDirectory = join(home, 'data');
  const source = `host=127.0.0.1 port=${of.port} user=admin password=${adminPassword}`;
  await execa(join(of.bin, 'pg_basebackup'), ['-D', dataDirectory, '-R', '-c', 'fast', '-N', '-d', source], {
    ...of.user,
    cwd: '/',
  });
  return serverAt(directory, name, await freePort(), dataDirectory, of.bin, of.user);
}

function serverAt(
  directory: string,
  name: string,
  port: number,
  dataDirectory: string,
  bin: string,
  user: Postgres['user'],
): Postgres {
  const socket = join(directory, name);
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${socket}`, 'fsync=off'];
  let running: Child | undefined;
  return {
    port,
    dataDirectory,
    bin,
    user,
    pid: () => running?.pid ?? 0,
    start: async () => {
      const args = ['-D', dataDirectory, ...settings.flatMap((setting) => ['-c', setting])];
      running = await start({
        directory,
        name,
        command: join(bin, 'postgres'),
        args,
        cwd: '/',
        ...(user ? { user } : {}),
      });
      await eventually(`${name} accepts connections`, async () => {
        await execa(join(bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]);
        return true;
      });
    },
    stop: async () => {
      await running?.end('SIGINT');
      running = undefined;
    },
  };
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
