import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { canReplace } from '../../../activities/replace/can-replace.ts';

/** Another file system than that of temporary files, on every Linux. */
const memory = '/dev/shm';

let root: string;
let inMemory: string;
const before = process.env.LIFEBOAT_PERMIT;
const at = (...names: string[]) => join(root, ...names);

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-can-replace-')));
  inMemory = await mkdtemp(join(memory, 'lifeboat-can-replace-'));
  for (const name of ['main/pg_tblspc', 'main/pg_wal', 'scratch']) await mkdir(at(name), { recursive: true });
  await writeFile(at('main/PG_VERSION'), '15\n');
  process.env.LIFEBOAT_PERMIT = at('permit.yaml');
  await writeFile(
    at('permit.yaml'),
    stringify({
      dataDirectories: ['main', 'link', 'backed-up'].map((name) => at(name)),
      serverControl: ['main', 'link'].map((name) => ({ dataDirectory: at(name) })),
      scratch: [at('scratch'), inMemory, at('main/scratch')],
      postgresql: '/usr/bin',
    }),
  );
});

afterEach(async () => {
  if (before === undefined) delete process.env.LIFEBOAT_PERMIT;
  else process.env.LIFEBOAT_PERMIT = before;
  for (const one of [root, inMemory]) await rm(one, { recursive: true, force: true });
});

const ask = (change: { data?: string; directory?: string; setAside?: string } = {}) => {
  const { data = at('main'), directory = at('scratch/run') } = change;
  return canReplace({
    member: { host: 'db1', port: 5432, dataDirectory: data, control: { kind: 'pg_ctl' } },
    scratch: { host: 'db1', directory },
    setAside: change.setAside ?? `${data}.before-pitr-20261130`,
    backups: { kind: 'pgbackrest', stanza: 'orders', config: '/etc/pgbackrest.conf', archiveTimeout: 1 },
  });
};

test('one of one piece, on the file system of its scratch directory, can be replaced', async () => {
  await expect(ask()).resolves.toMatchObject({
    state: 'untouched',
    liveBytes: expect.any(Number),
    freeBytes: expect.any(Number),
  });
});

describe('what a rename would not move is refused before anything is restored', () => {
  test('WAL that lies elsewhere', async () => {
    await rm(at('main/pg_wal'), { recursive: true });
    await symlink(inMemory, at('main/pg_wal'));
    await expect(ask()).rejects.toMatchObject({
      type: 'NotReplaceable',
      message: expect.stringContaining('pg_wal is a link'),
    });
  });

  test('a tablespace', async () => {
    await symlink(inMemory, at('main/pg_tblspc/16400'));
    await expect(ask()).rejects.toMatchObject({ type: 'NotReplaceable', message: expect.stringContaining('16400') });
  });

  test('a scratch directory on another file system', async () => {
    await expect(ask({ directory: join(inMemory, 'run') })).rejects.toMatchObject({
      type: 'NotReplaceable',
      message: expect.stringContaining('different file systems'),
    });
  });

  test('a scratch directory within the live one', async () => {
    await mkdir(at('main/scratch'));
    await expect(ask({ directory: at('main/scratch/run') })).rejects.toMatchObject({
      type: 'NotReplaceable',
      message: expect.stringContaining('lie in each other'),
    });
  });

  test('a data directory that is a link', async () => {
    await symlink(at('main'), at('link'));
    await expect(ask({ data: at('link') })).rejects.toMatchObject({
      type: 'NotReplaceable',
      message: expect.stringContaining('is a link'),
    });
  });

  test('a link where the live one would be set aside', async () => {
    await symlink(inMemory, at('main.before-run'));
    await expect(ask({ setAside: at('main.before-run') })).rejects.toMatchObject({ type: 'NotReplaceable' });
  });

  test.runIf(process.geteuid?.() !== 0)('a directory in which this user may rename nothing', async () => {
    await chmod(root, 0o500);
    try {
      await expect(ask()).rejects.toMatchObject({ type: 'NotPermitted', message: expect.stringContaining('chmod') });
    } finally {
      await chmod(root, 0o700);
    }
  });
});

describe('only what the permit file lists is moved, and only beside itself', () => {
  test('a server that may be backed up may not be replaced for that', async () => {
    await mkdir(at('backed-up/pg_tblspc'), { recursive: true });
    await expect(ask({ data: at('backed-up') })).rejects.toMatchObject({ type: 'NotPermitted' });
  });

  test.each(['elsewhere', 'main.before-', 'main.before-a/b', 'main.before-../x', 'main.beforehand', 'main.before-.x'])(
    'not to %s',
    async (name) => {
      await expect(ask({ setAside: `${root}/${name}` })).rejects.toMatchObject({ type: 'NotPermitted' });
    },
  );
});
