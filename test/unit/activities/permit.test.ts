import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  guardPermit,
  loadPermit,
  permitBackupConfiguration,
  permitCommand,
  permitDataDirectory,
  permitScratch,
} from '../../../activities/permit.ts';

describe('the permit file', () => {
  let root: string;
  const before = process.env.LIFEBOAT_PERMIT;
  const at = (name: string) => join(root, name);

  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'lifeboat-permit-')));
    for (const name of ['scratch/run-1', 'live', 'elsewhere']) await mkdir(at(name), { recursive: true });
    await writeFile(at('pgbackrest.conf'), '');
    await symlink(at('elsewhere'), at('scratch/link'));
    await symlink(at('not-yet'), at('scratch/dangling'));
    await symlink(at('scratch'), at('also-scratch'));
    await writeFile(
      at('permit.yaml'),
      `dataDirectories: [${at('live')}]\nscratch: [${at('scratch')}]\ncommands: [/bin/true]\nbackupConfigurations: [${at('pgbackrest.conf')}]\npostgresql: /usr/bin\n`,
    );
    process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  });
  afterEach(() => {
    process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.LIFEBOAT_PERMIT;
    else process.env.LIFEBOAT_PERMIT = before;
    await rm(root, { recursive: true, force: true });
  });

  it.each(['scratch/run-1', 'scratch/not/there/yet', 'also-scratch/run-2'])(
    'allows %s, below a scratch root',
    async (name) => {
      await expect(permitScratch(await loadPermit(), at(name))).resolves.toBeUndefined();
    },
  );

  it.each([
    ['the root itself', 'scratch'],
    ['a neighbour whose name begins alike', 'scratch-2/run'],
    ['a link that leads out', 'scratch/link/run'],
    ['a link that leads nowhere yet', 'scratch/dangling/run'],
    ['the live directory', 'live'],
  ])('refuses %s', async (_what, name) => {
    await expect(permitScratch(await loadPermit(), at(name))).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining(at('permit.yaml')),
    });
  });

  it.each(['scratch/../live', 'scratch/run-1/../../live', 'scratch/./run'])(
    'refuses %s, whatever it leads to',
    async (name) => {
      await expect(permitScratch(await loadPermit(), `${root}/${name}`)).rejects.toMatchObject({
        type: 'NotPermitted',
      });
    },
  );

  it('refuses a relative path', async () => {
    await expect(permitScratch(await loadPermit(), 'scratch/run')).rejects.toMatchObject({ type: 'NotPermitted' });
  });

  it('names the line to add', async () => {
    await expect(permitScratch(await loadPermit(), at('elsewhere/run'))).rejects.toThrow(
      `adds the line "- ${at('elsewhere')}" under "scratch:" there`,
    );
  });

  it('lists data directories, configurations and commands one by one', async () => {
    const permit = await loadPermit();
    await permitDataDirectory(permit, at('live'));
    await permitBackupConfiguration(permit, at('pgbackrest.conf'));
    await permitCommand(permit, '/bin/true');
    await expect(permitDataDirectory(permit, at('live/base'))).rejects.toMatchObject({ type: 'NotPermitted' });
    await expect(permitBackupConfiguration(permit, at('other.conf'))).rejects.toThrow('under "backupConfigurations:"');
    await expect(permitCommand(permit, '/bin/sh')).rejects.toThrow('under "commands:"');
  });

  it('refuses a key that it does not know, and says which', async () => {
    await writeFile(at('misspelt.yaml'), 'scratches: [/x]\npostgresql: /usr/bin\n');
    process.env.LIFEBOAT_PERMIT = at('misspelt.yaml');
    await expect(loadPermit()).rejects.toThrow('scratches');
  });

  it('permits nothing without a file', async () => {
    process.env.LIFEBOAT_PERMIT = '';
    await expect(loadPermit()).rejects.toMatchObject({ type: 'NotPermitted' });
    process.env.LIFEBOAT_PERMIT = at('nowhere.yaml');
    await expect(loadPermit()).rejects.toMatchObject({ type: 'NotPermitted' });
  });

  it('does not serve as root, nor with a permit file that its user may write', async () => {
    await chmod(at('permit.yaml'), 0o644);
    await expect(guardPermit()).rejects.toThrow(/does not run as root|may write the permit file/);
  });
});
