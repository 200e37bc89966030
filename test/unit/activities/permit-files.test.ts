import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Files } from '../../../activities/contract.ts';
import { permitFiles } from '../../../activities/permit-files.ts';

let root: string;
let files: Files;
const before = process.env.LIFEBOAT_PERMIT;
const at = (name: string) => join(root, name);
const inUse = {
  test: ['/usr/sbin/nginx', '-t'],
  reload: ['/usr/bin/sudo', '-n', '/usr/bin/systemctl', 'reload', 'nginx'],
  healthy: { url: 'http://127.0.0.1/health', status: 200, within: 30_000 },
};

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-permit-files-')));
  await mkdir(at('nginx'));
  await mkdir(at('other'));
  await symlink(at('other'), at('link'));
  files = {
    ...{ kind: 'restic', after: [], host: 'web1', newestWithin: 86_400_000 },
    repository: 's3:https://s3.example.com/backups/web',
    password: '$' + '{file:/etc/lifeboat/web.key}',
    accessKeyId: '$' + '{env:KEY}',
    secretAccessKey: '$' + '{env:SECRET}',
    paths: [at('nginx')],
    inUse,
  };
  process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  await writeFile(
    at('permit.yaml'),
    stringify({
      files: [
        {
          paths: [at('nginx'), at('not-there-yet'), at('link')],
          repository: files.repository,
          test: inUse.test,
          reload: inUse.reload,
        },
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

test('the very paths, repository and commands are permitted, also where nothing lies yet', async () => {
  await expect(permitFiles(files)).resolves.toMatchObject({ file: at('permit.yaml') });
  await expect(permitFiles({ ...files, paths: [at('nginx'), at('not-there-yet')] })).resolves.toBeDefined();
  const { inUse: _, ...alone } = files;
  await expect(permitFiles(alone)).resolves.toBeDefined();
});

test('anything else is refused, with the line to add', async () => {
  const changed: Partial<Files>[] = [
    { paths: [at('nginx'), at('other')] },
    { paths: [root] },
    { paths: [join(at('nginx'), 'conf.d')] },
    { repository: 's3:https://elsewhere.example.com/mine' },
    { inUse: { ...inUse, test: ['/bin/sh', '-c', 'true'] } },
    { inUse: { ...inUse, reload: ['/usr/bin/sudo', '-n', '/usr/bin/systemctl', 'stop', 'nginx'] } },
    { inUse: { ...inUse, workers: at('nginx.pid') } },
  ];
  for (const more of changed)
    await expect(permitFiles({ ...files, ...more })).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining('under "files:" there.'),
    });
});

test('a link is refused also where it is listed: restic would keep the link, and a rename replace it', async () => {
  for (const path of [at('link'), join(at('link'), 'below')])
    await expect(permitFiles({ ...files, paths: [path] })).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining(`it leads to ${path.replace('link', 'other')}`),
    });
});

test('".." is refused, not resolved', async () => {
  await expect(permitFiles({ ...files, paths: [`${at('other')}/../nginx`] })).rejects.toMatchObject({
    type: 'NotPermitted',
  });
});
