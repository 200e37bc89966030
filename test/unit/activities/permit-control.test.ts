import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { permitServerControl } from '../../../activities/permit-control.ts';
import type { ServerControl } from '../../../plan/server-control.ts';

let root: string;
const before = process.env.LIFEBOAT_PERMIT;
const at = (name: string) => join(root, name);
const pgCtl: ServerControl = { kind: 'pg_ctl' };
const systemd: ServerControl = {
  kind: 'command',
  start: ['/usr/bin/sudo', '-n', 'systemctl', 'start', 'postgresql@15-main'],
  stop: ['/usr/bin/sudo', '-n', 'systemctl', 'stop', 'postgresql@15-main'],
};

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-control-')));
  for (const name of ['by-signal', 'by-command', 'backed-up']) await mkdir(at(name));
  await symlink(at('by-signal'), at('link'));
  process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  await writeFile(
    at('permit.yaml'),
    stringify({
      dataDirectories: ['by-signal', 'by-command', 'backed-up'].map(at),
      serverControl: [
        { dataDirectory: at('by-signal'), log: at('server.log') },
        { dataDirectory: at('by-command'), start: systemd.start, stop: systemd.stop },
      ],
      postgresql: '/usr/bin',
    }),
  );
});

afterAll(async () => {
  if (before === undefined) delete process.env.LIFEBOAT_PERMIT;
  else process.env.LIFEBOAT_PERMIT = before;
  await rm(root, { recursive: true, force: true });
});

const ask = (name: string, control?: ServerControl) =>
  permitServerControl({ host: 'db1', port: 5432, dataDirectory: at(name), ...(control && { control }) });

test('a server that is listed may be stopped and started, also by another name of its directory', async () => {
  await expect(ask('by-signal', pgCtl)).resolves.toMatchObject({ control: pgCtl });
  await expect(ask('link', pgCtl)).resolves.toMatchObject({ control: pgCtl });
  await expect(ask('by-command', systemd)).resolves.toMatchObject({ control: systemd });
});

test('one that may be backed up may not be stopped for that, and the line to add is said', async () => {
  await expect(ask('backed-up', pgCtl)).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining(`adds the line "- {"dataDirectory":"${at('backed-up')}"}" under "serverControl:"`),
  });
});

test('a plan that says nothing of control stops nothing', async () => {
  await expect(ask('by-signal')).rejects.toMatchObject({
    type: 'PlanInvalid',
    message: expect.stringContaining('control: { kind: pg_ctl }'),
  });
});

test.each([
  ['another unit', { ...systemd, stop: [...systemd.stop.slice(0, -1), 'ssh'] }],
  ['one word more', { ...systemd, start: [...systemd.start, '--now'] }],
  ['another program', { ...systemd, start: ['/bin/sh', ...systemd.start.slice(1)] }],
])('commands are permitted word by word: not with %s', async (_what, control) => {
  await expect(ask('by-command', control)).rejects.toMatchObject({ type: 'NotPermitted' });
});

test('a server writes to the log that is listed with it, and to no other file', async () => {
  await expect(ask('by-signal', { kind: 'pg_ctl', log: at('server.log') })).resolves.toBeDefined();
  for (const log of ['by-signal/pg_hba.conf', 'by-signal/../server.log', 'link/pg_hba.conf'])
    await expect(ask('by-signal', { kind: 'pg_ctl', log: `${root}/${log}` })).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining('"log":'),
    });
});

test('commands are not permitted where only a signal is', async () => {
  await expect(ask('by-signal', systemd)).rejects.toMatchObject({
    type: 'NotPermitted',
    message: expect.stringContaining('"start":["/usr/bin/sudo"'),
  });
});
