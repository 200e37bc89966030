/** Closing and opening what leads through a real HAProxy, whose health check follows a role as on a real estate. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createWebServer, type Server as WebServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { haproxy } from '../../../activities/traffic/haproxy.ts';
import type { Traffic } from '../../../plan/schema.ts';
import { type Child, eventually, freePort, partPath, removeDirectory, scratchDirectory, start } from './rig.ts';

let directory: string;
let child: Child;
let traffic: Traffic;
let front: number;
let primary = 'db1';
const servers: (Server | WebServer)[] = [];

/** Says its name, and keeps the session open. */
function database(name: string, port: number): Server {
  const open = new Set<Socket>();
  const server = createServer((session) => {
    open.add(session);
    session.on('error', () => undefined).on('close', () => open.delete(session));
    session.write(name);
  }).listen(port, '127.0.0.1');
  server.on('close', () => {
    for (const session of open) session.destroy();
  });
  return server;
}

const role = (name: string, port: number) =>
  createWebServer((_request, response) => response.writeHead(name === primary ? 200 : 503).end()).listen(
    port,
    '127.0.0.1',
  );

async function run(): Promise<void> {
  child = await start({
    directory,
    name: 'haproxy',
    command: await partPath('haproxy'),
    args: ['-db', '-f', join(directory, 'haproxy.cfg')],
  });
}

beforeAll(async () => {
  directory = await scratchDirectory('control-door');
  const ports = { db1: await freePort(), db2: await freePort(), role1: await freePort(), role2: await freePort() };
  front = await freePort();
  servers.push(database('db1', ports.db1), database('db2', ports.db2));
  servers.push(role('db1', ports.role1), role('db2', ports.role2));
  const stateFile = join(directory, 'servers.state');
  await writeFile(
    join(directory, 'haproxy.cfg'),
    `global
  stats socket ${join(directory, 'admin.sock')} mode 600 level admin
  server-state-file ${stateFile}
defaults
  mode tcp
  load-server-state-from-file global
  timeout connect 1s
  timeout client 1m
  timeout server 1m
frontend front
  bind 127.0.0.1:${front}
  default_backend postgres
backend postgres
  option httpchk GET /primary
  default-server inter 200ms fall 2 rise 1
  server db1 127.0.0.1:${ports.db1} check port ${ports.role1}
  server db2 127.0.0.1:${ports.db2} check port ${ports.role2}
`,
  );
  await run();
  traffic = { kind: 'haproxy', socket: join(directory, 'admin.sock'), backend: 'postgres', stateFile };
  await eventually('the check has put the standby out', async () =>
    (await states()) === 'db1 UP, db2 DOWN' ? true : undefined,
  );
});

afterAll(async () => {
  await child?.end();
  for (const server of servers) server.close();
  await removeDirectory(directory);
});

const does = <T>(act: () => Promise<T>) =>
  new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(act) as Promise<T>;

async function states(): Promise<string> {
  const found = await haproxy.backends(traffic);
  return found.map(({ server, state }) => `${server} ${state.split(' ')[0]}`).join(', ');
}

/** Whom a client comes to; `nobody` when he is sent away. */
function comesTo(): Promise<string> {
  return new Promise((resolve) => {
    const session = connect(front, '127.0.0.1');
    session.on('data', (name) => {
      resolve(name.toString());
      session.destroy();
    });
    session.on('error', () => resolve('nobody'));
    session.on('close', () => resolve('nobody'));
  });
}

test('closed, it ends the sessions that are open and lets nobody in; closed again, nothing changes', async () => {
  const session = connect(front, '127.0.0.1');
  await new Promise((resolve) => session.once('data', resolve));
  const ended = new Promise((resolve) => session.once('close', resolve));
  await does(() => haproxy.close(traffic));
  await ended;
  expect(await states()).toBe('db1 MAINT, db2 MAINT');
  expect(await comesTo()).toBe('nobody');
  await does(() => haproxy.close(traffic));
  expect(await comesTo()).toBe('nobody');
});

test('started again while it is closed, it stays closed', async () => {
  await child.end();
  await run();
  await eventually('it answers', async () => (await states().catch(() => undefined)) && true);
  expect(await states()).toBe('db1 MAINT, db2 MAINT');
  expect(await comesTo()).toBe('nobody');
  expect(await readFile(join(directory, 'servers.state'), 'utf8')).toContain('postgres 1 db1');
});

test('opened to the other server it leads there alone, before any check has looked', async () => {
  primary = 'db2';
  await does(() => haproxy.open(traffic, 'db2'));
  expect(await comesTo()).toBe('db2');
  expect(await states()).toBe('db1 MAINT, db2 UP');
});

test('a server that is left to its check again is given nothing, in no moment', async () => {
  let watching = true;
  const seen = new Set<string>();
  const watch = (async () => {
    while (watching) seen.add(await comesTo());
  })();
  await does(() => haproxy.release(traffic, 'db1'));
  watching = false;
  await watch;
  expect([...seen]).toEqual(['db2']);
  expect(await states()).toBe('db1 DOWN, db2 UP');
});

test('a name that would be another command is refused', async () => {
  const strange = { ...traffic, backend: 'postgres/db1 state maint; disable frontend front' };
  await expect(does(() => haproxy.open(strange, 'db1'))).rejects.toMatchObject({ type: 'PlanInvalid' });
  await expect(does(() => haproxy.open(traffic, 'db1; shutdown sessions server postgres/db2'))).rejects.toMatchObject({
    type: 'PlanInvalid',
  });
});
