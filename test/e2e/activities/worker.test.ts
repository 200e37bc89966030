import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseAccount } from '../../../lab/account.ts';
import { type Home, homeFor } from '../../../lab/home.ts';
import {
  type Child,
  eventually,
  freePort,
  removeDirectory,
  scratchDirectory,
  start,
  startTemporal,
} from '../control/rig.ts';
import { bin } from './small-estate.ts';

describe('the host worker', () => {
  let directory: string;
  let home: Home;
  let user: { uid: number; gid: number } | undefined;
  const children: Child[] = [];

  beforeAll(async () => {
    directory = await scratchDirectory('host-worker');
    const account = await databaseAccount();
    user = account.ids;
    home = await homeFor(account, () => undefined);
    await mkdir(join(directory, 'run'));
    await chmod(join(directory, 'run'), 0o777);
    await writeFile(join(directory, 'permit.yaml'), `scratch: [${directory}/scratch]\npostgresql: ${bin}\n`, {
      mode: 0o444,
    });
  });
  afterAll(async () => {
    await Promise.all(children.map((child) => child.end('SIGKILL')));
    await removeDirectory(directory);
  });

  async function worker(name: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Child> {
    const child = await start({
      directory,
      name,
      command: home.node,
      args: [home.program('workers/host.js'), ...args],
      env: {
        LIFEBOAT_HOST: undefined,
        LIFEBOAT_PERMIT: undefined,
        HOME: directory,
        TEMPORAL_ADDRESS: '127.0.0.1:1',
        ...env,
      },
      cwd: '/',
      ...(user === undefined ? {} : { user }),
    });
    children.push(child);
    return child;
  }
  const said = (child: Child) => readFile(child.log, 'utf8');

  it('names everything that is missing at once', async () => {
    const child = await worker('unset', {}, '--dry');
    expect(await child.exit).toBe(1);
    expect(await said(child)).toMatch(
      /LIFEBOAT_HOST is not set.*LIFEBOAT_PERMIT is not set.*--dry.* is not understood/,
    );
  });

  it('does not serve with a permit file that its user may write', async () => {
    const permit = join(directory, 'open.yaml');
    await writeFile(permit, `postgresql: ${bin}\n`);
    await chmod(permit, 0o666);
    const child = await worker('open', { LIFEBOAT_HOST: 'db1', LIFEBOAT_PERMIT: permit });
    expect(await child.exit).toBe(1);
    expect(await said(child)).toContain('this user may write the permit file');
  });

  it('waits for its server, says when it polls, and stops when it is told', async () => {
    const port = await freePort();
    const ready = join(directory, 'run/ready.json');
    const env = {
      LIFEBOAT_HOST: 'db1',
      LIFEBOAT_PERMIT: join(directory, 'permit.yaml'),
      LIFEBOAT_READY_FILE: ready,
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    };
    const child = await worker('db1', env);
    await eventually('it says that the server is away', async () =>
      (await said(child)).includes('does not answer, trying again') ? true : undefined,
    );
    children.push(await startTemporal(directory, port));
    const answer = await eventually('it polls', async () => JSON.parse(await readFile(ready, 'utf8')), 60_000);
    expect(answer).toEqual({ pid: child.pid, identity: `host-db1@${child.pid}` });
    expect(await child.end('SIGTERM')).toBe(0);
    await expect(readFile(ready)).rejects.toThrow('ENOENT');
  });

  it('can be stopped while it still waits for its server', async () => {
    const child = await worker('alone', { LIFEBOAT_HOST: 'db1', LIFEBOAT_PERMIT: join(directory, 'permit.yaml') });
    await eventually('it waits', async () => ((await said(child)).includes('trying again') ? true : undefined));
    expect(await child.end('SIGTERM')).toBe(0);
  });

  it.skipIf(process.getuid?.() !== 0)('does not serve as root', async () => {
    const child = await start({
      directory,
      name: 'root',
      command: process.execPath,
      args: [home.program('workers/host.js')],
      env: { LIFEBOAT_HOST: 'db1', LIFEBOAT_PERMIT: join(directory, 'permit.yaml') },
    });
    children.push(child);
    expect(await child.exit).toBe(1);
    expect(await said(child)).toContain('does not run as root');
  });
});
