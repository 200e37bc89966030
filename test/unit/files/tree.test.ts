import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counted, differencesBetween, type Entry, inWords, type Tree, treeAt } from '../../../activities/files/tree.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-tree-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

const file: Entry = { kind: 'file', size: 5, mode: 0o644, changedAt: '2026-11-21T14:00:00.123456789Z', uid: 1, gid: 2 };
const tree = (entries: Record<string, Partial<Entry>>): Tree =>
  new Map(Object.entries(entries).map(([way, more]) => [way, { ...file, ...more }]));

test('a file is another by its size, time, mode, owner or kind', () => {
  const now = tree({ '/a': {} });
  expect(differencesBetween(now, tree({ '/a': {} }))).toEqual([]);
  for (const more of [
    { size: 6 },
    { mode: 0o600 },
    { uid: 9 },
    { gid: 9 },
    { kind: 'symlink' },
    { changedAt: '2026-11-21T14:00:00.123456788Z' },
  ])
    expect(differencesBetween(now, tree({ '/a': more }))).toEqual([{ way: '/a', how: 'changed' }]);
});

test('a time is the same in nanoseconds and in words, whatever its offset', () => {
  const words = tree({ '/a': { changedAt: '2026-11-21T16:00:00.5+02:00' } });
  expect(differencesBetween(words, tree({ '/a': { changedAt: '1795269600500000000' } }))).toEqual([]);
});

test('what comes, what changes and what goes is told in the order of the names, and counted', () => {
  const found = differencesBetween(
    tree({ '': { kind: 'dir' }, '/gone': {}, '/other': {} }),
    tree({ '': { kind: 'dir' }, '/new': {}, '/other': { size: 1 } }),
  );
  expect(found).toEqual([
    { way: '/gone', how: 'removed' },
    { way: '/new', how: 'added' },
    { way: '/other', how: 'changed' },
  ]);
  expect(counted(found)).toEqual({ added: 1, changed: 1, removed: 1 });
  expect(inWords(counted(found))).toBe('1 would come, 1 would be another, 1 would go');
  expect(inWords(counted([]))).toBe('the same');
});

test('times of directories, and times and modes of links, change by themselves', () => {
  const now = tree({ '': { kind: 'dir' }, '/link': { kind: 'symlink', mode: 0o777 } });
  const then = tree({
    '': { kind: 'dir', changedAt: '2020-01-01T00:00:00Z' },
    '/link': { kind: 'symlink', changedAt: '2020-01-01T00:00:00Z' },
  });
  expect(differencesBetween(now, then)).toEqual([]);
});

test('what lies on a disk is listed without following links', async () => {
  await mkdir(join(root, 'conf.d'));
  await writeFile(join(root, 'conf.d', 'a.conf'), 'hello');
  await chmod(join(root, 'conf.d', 'a.conf'), 0o4711);
  await utimes(join(root, 'conf.d', 'a.conf'), 1_700_000_000, 1_700_000_000);
  await symlink('/', join(root, 'everything'));
  const found = await treeAt(root);
  expect([...found.keys()].sort()).toEqual(['', '/conf.d', '/conf.d/a.conf', '/everything']);
  expect(found.get('/conf.d/a.conf')).toMatchObject({
    kind: 'file',
    size: 5,
    mode: 0o4711,
    changedAt: '1700000000000000000',
  });
  expect(found.get('/everything')).toMatchObject({ kind: 'symlink' });
  expect((await treeAt(join(root, 'nothing'))).size).toBe(0);
});
