import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { previewTraffic } from '../../../activities/traffic/preview.ts';
import type { Traffic } from '../../../plan/schema.ts';
import { type Child, eventually, freePort, partPath, removeDirectory, scratchDirectory, start } from './rig.ts';

let directory: string;
let haproxy: Child;
let server: Server;
let traffic: Traffic;

beforeAll(async () => {
  directory = await scratchDirectory('control-haproxy');
  const [front, up, down] = [await freePort(), await freePort(), await freePort()];
  server = createServer((connection) => connection.on('error', () => undefined).end()).listen(up, '127.0.0.1');
  const socket = join(directory, 'admin.sock');
  await writeFile(
    join(directory, 'haproxy.cfg'),
    `global
  stats socket ${socket} mode 600 level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
frontend front
  bind 127.0.0.1:${front}
  default_backend postgres
backend postgres
  server db1 127.0.0.1:${up} check inter 200ms
  server db2 127.0.0.1:${down} check inter 200ms fall 1
`,
  );
  haproxy = await start({
    directory,
    name: 'haproxy',
    command: await partPath('haproxy'),
    args: ['-db', '-f', join(directory, 'haproxy.cfg')],
  });
  traffic = { kind: 'haproxy', socket, backend: 'postgres' };
});

afterAll(async () => {
  await haproxy?.end();
  server?.close();
  await removeDirectory(directory);
});

test('a real HAProxy says who serves, and is left as it was', async () => {
  const preview = await eventually('the checks have seen both servers', async () => {
    const found = await previewTraffic({ traffic, wouldServe: 'db2' });
    return found.found.includes('db2 is DOWN') ? found : undefined;
  });
  expect(preview.found).toMatch(
    /^backend postgres is served by db1 \(127\.0\.0\.1:\d+, UP, \d+ sessions\); db2 is DOWN\./,
  );
  expect(preview.found).toContain('set server postgres/db1 state maint');
  const again = await previewTraffic({ traffic, wouldServe: 'db1' });
  expect(again.found).toContain('db1 serves already: no change would be needed. Nothing was moved');
});

test('a wrong backend gets the right names from it', async () => {
  await expect(previewTraffic({ traffic: { ...traffic, backend: 'mysql' }, wouldServe: 'db1' })).rejects.toThrow(
    'has no backend "mysql", it has postgres',
  );
});
