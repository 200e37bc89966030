import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configureAs, copyConfiguration, saveConfiguration } from '../../../activities/rebuild/configuration.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'configuration-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function directory(name: string, files: Record<string, string>): Promise<string> {
  const data = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(data, path, '..'), { recursive: true });
    await writeFile(join(data, path), text);
  }
  return data;
}

const standby = {
  PG_VERSION: '15',
  'postgresql.conf': 'port = 5434',
  'pg_hba.conf': 'of the standby',
  'conf.d/own.conf': 'of the standby',
  'server.key': 'secret',
  'postmaster.opts': 'postgres "-D" "/srv/db2"',
  'standby.signal': '',
  backup_label: 'old',
  'pg_wal/000000010000000000000001': 'wal',
  'base/1/1': 'data',
  'log/postgresql.log': 'words',
};
const primary = {
  'postgresql.conf': 'port = 5433',
  'pg_hba.conf': 'of the primary',
  'conf.d/other.conf': 'of the primary',
  'base/1/1': 'new data',
};

test('what a rewind brings from the primary is replaced by the standby’s own, folders wholly; data and signals are left alone', async () => {
  const from = await directory('old', standby);
  const saved = join(folder, 'saved');
  await saveConfiguration(from, saved);
  expect((await readdir(saved)).sort()).toEqual(
    ['conf.d', 'pg_hba.conf', 'postgresql.conf', 'postmaster.opts', 'server.key'].sort(),
  );
  const to = await directory('new', primary);
  await copyConfiguration(saved, to);
  expect(await readFile(join(to, 'postgresql.conf'), 'utf8')).toBe('port = 5434');
  expect(await readFile(join(to, 'pg_hba.conf'), 'utf8')).toBe('of the standby');
  expect(await readdir(join(to, 'conf.d'))).toEqual(['own.conf']);
  expect(await readFile(join(to, 'base/1/1'), 'utf8')).toBe('new data');
});

test('what was saved once is not saved again: by then it is the primary’s', async () => {
  const data = await directory('data', standby);
  const saved = join(folder, 'saved');
  await saveConfiguration(data, saved);
  await writeFile(join(data, 'postgresql.conf'), 'port = 5433');
  await saveConfiguration(data, saved);
  expect(await readFile(join(saved, 'postgresql.conf'), 'utf8')).toBe('port = 5434');
});

test('half of a copy, left by a worker that was killed, is not taken for all of it', async () => {
  const data = await directory('data', standby);
  await directory('saved.half', { 'postgresql.conf': 'po' });
  await saveConfiguration(data, join(folder, 'saved'));
  expect(await readFile(join(folder, 'saved', 'postgresql.conf'), 'utf8')).toBe('port = 5434');
});

test('a link stays a link, and what is too large to be configuration stays behind', async () => {
  const data = await directory('data', { 'postgresql.conf': '', core: 'x'.repeat(2 * 1024 * 1024) });
  await symlink('/etc/ssl/server.crt', join(data, 'server.crt'));
  const saved = join(folder, 'saved');
  await saveConfiguration(data, saved);
  expect((await readdir(saved)).sort()).toEqual(['postgresql.conf', 'server.crt']);
  const entries = await readdir(saved, { withFileTypes: true });
  expect(entries.find(({ name }) => name === 'server.crt')?.isSymbolicLink()).toBe(true);
});

test('where the standby’s own is gone, the primary’s serves on the port of the plan', async () => {
  const data = await directory('data', { 'postgresql.auto.conf': "port = '5433'\nwork_mem = '8MB'\n" });
  await configureAs({ host: 'db2', port: 5434, dataDirectory: '/srv/db2' }, data);
  expect(await readFile(join(data, 'postgresql.auto.conf'), 'utf8')).toBe("work_mem = '8MB'\nport = '5434'\n");
  expect(await readFile(join(data, 'postmaster.opts'), 'utf8')).toBe('postgres "-D" "/srv/db2"\n');
});
