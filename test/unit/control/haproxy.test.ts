import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseStatistics } from '../../../activities/traffic/haproxy-statistics.ts';
import { previewTraffic } from '../../../activities/traffic/preview.ts';

const header = '# pxname,svname,scur,status,bck,addr,last_agt,';
const row = (name: string, status: string, sessions = 0, backup = 0) =>
  `postgres,${name},${sessions},${status},${backup},127.0.0.1:5432,"Layer7 check passed, ""OK""",`;

let server: Server | undefined;
const asked: string[] = [];

afterEach(() => {
  server?.close();
  asked.length = 0;
});

/** A runtime socket that gives this answer, or none. */
function socketThatSays(answer: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    server = createServer((connection) => {
      connection.on('error', () => undefined);
      connection.on('data', (data) => {
        asked.push(data.toString());
        if (answer !== undefined) connection.end(answer);
      });
    }).listen(0, '127.0.0.1', () => {
      const address = server?.address();
      resolve(typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '');
    });
  });
}

const preview = async (rows: string[], wouldServe: string) =>
  previewTraffic({
    traffic: { kind: 'haproxy', socket: await socketThatSays([header, ...rows, ''].join('\n')), backend: 'postgres' },
    wouldServe,
  });

const front = 'front,FRONTEND,3,OPEN,,,,';
const total = 'postgres,BACKEND,3,UP,,,,';

test('says who serves and what would be said to HAProxy, and only asks', async () => {
  const { found } = await preview([front, row('db1', 'UP', 12), row('db2', 'DOWN'), total], 'db2');
  expect(found).toContain('backend postgres is served by db1 (127.0.0.1:5432, UP, 12 sessions); db2 is DOWN');
  expect(found).toContain(
    'set server postgres/db1 state maint; shutdown sessions server postgres/db1; set server postgres/db2 state ready',
  );
  expect(asked).toEqual(['show stat\n']);
});

test('a server that serves already needs no change, one that is unknown would have to be added', async () => {
  expect((await preview([row('db1', 'UP 1/3'), row('db2', 'MAINT'), total], 'db1')).found).toContain('serves already');
  expect((await preview([row('db1', 'UP'), total], 'db9')).found).toContain('db9 is not among its servers (db1)');
});

test('a healthy backup server serves only when no other does', async () => {
  const idle = await preview([row('db1', 'UP', 1), row('db2', 'UP', 0, 1), total], 'db1');
  expect(idle.found).toContain('served by db1 (127.0.0.1:5432, UP, 1 sessions); db2 is UP');
  const used = await preview([row('db1', 'DOWN'), row('db2', 'UP', 4, 1), total], 'db2');
  expect(used.found).toContain('served by db2');
});

test('nobody serving is said', async () => {
  expect((await preview([row('db1', 'DOWN'), total], 'db1')).found).toContain('served by no server; db1 is DOWN');
});

test('a backend that is not there is a wrong plan, and the right names are given', async () => {
  await expect(preview(['mysql,BACKEND,0,UP,,,,'], 'db1')).rejects.toMatchObject({
    type: 'PlanInvalid',
    message: expect.stringContaining('has no backend "postgres", it has mysql'),
  });
});

test('a socket that is not there, refuses or keeps silent is unreachable; one that is no address is a wrong plan', async () => {
  const ask = (socket: string) =>
    previewTraffic({ traffic: { kind: 'haproxy', socket, backend: 'postgres' }, wouldServe: 'db1' });
  await expect(ask('/nowhere/admin.sock')).rejects.toMatchObject({
    type: 'TrafficUnreachable',
    nonRetryable: false,
    message: expect.stringContaining('does not exist'),
  });
  await expect(ask(await socketThatSays(undefined))).rejects.toThrow('did not answer within 3 s');
  await expect(ask('admin.sock')).rejects.toMatchObject({ type: 'PlanInvalid' });
});

test('quoted cells may hold commas and quotes', () => {
  expect(parseStatistics([header, row('db1', 'UP')].join('\n'))).toEqual([
    {
      pxname: 'postgres',
      svname: 'db1',
      scur: '0',
      status: 'UP',
      bck: '0',
      addr: '127.0.0.1:5432',
      last_agt: 'Layer7 check passed, "OK"',
      '': '',
    },
  ]);
});
