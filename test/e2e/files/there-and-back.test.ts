/** The configuration of an nginx and what people have uploaded: kept by restic in an object store, lost, and brought back. */
import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HostChanges, HostReads } from '../../../activities/contract.ts';
import { hostChanges, hostReads } from '../../../activities/host.ts';
import { madeBeside, secrets, sitePath, siteSaying, startWorks, type Works } from './works.ts';

let works: Works;

beforeAll(async () => {
  works = await startWorks();
});

afterAll(() => works?.stop());

const inData = () => madeBeside(dirname(works.nginx.configuration));

test('what is backed up is one snapshot of exactly these paths, taken once however often it is asked', async () => {
  const { hand, files, repository } = works;
  await hand.call('filesReadable', { files });
  const first = await hand.call('backUpFiles', { files, tag: 'orders-1-web' });
  const again = await hand.call('backUpFiles', { files, tag: 'orders-1-web' });
  expect(again.snapshot).toBe(first.snapshot);
  expect(again.found).toContain('was taken by an earlier attempt');
  const listed = JSON.parse(await repository.byHand('snapshots', '--json'));
  expect(listed).toMatchObject([
    { id: first.snapshot, hostname: 'web1', paths: files.paths, tags: ['lifeboat', 'orders-1-web'] },
  ]);
  expect((await hand.call('filesSound', { files })).found).toMatch(/^all .* read, no error$/);
});

test('a look says that nothing differs, and later what does, by names and counts alone', async () => {
  const { hand, files, write } = works;
  const same = await hand.call('filesLook', { files });
  expect(same.places).toMatchObject([{ state: 'there', added: 0, changed: 0, removed: 0, entries: 4 }]);
  await write(sitePath(works), siteSaying(works, 'somebody else was here'));
  await write(join(works.nginx.configuration, 'stray.conf'), '# not in the snapshot\n');
  await rm(join(works.nginx.configuration, 'nginx.conf'));
  const differs = await hand.call('filesLook', { files });
  expect(differs.places).toMatchObject([{ state: 'there', added: 1, changed: 1, removed: 1 }]);
  expect(JSON.stringify(differs)).not.toContain('somebody else was here');
});

test('it comes back: restored beside, compared, swapped, and new workers answer with it', async () => {
  const { hand, files, nginx, answer } = works;
  const beside = { files, run: 'orders-2' };
  const { snapshot } = await hand.call('filesLook', { files });
  await hand.call('restoreFiles', { ...beside, snapshot: snapshot.id });
  expect(await readFile(sitePath(works), 'utf8')).toContain('somebody else was here');
  const differences = await hand.call('filesDifferences', beside);
  const path = nginx.configuration;
  expect(differences.first).toEqual([
    `added ${path}/nginx.conf`,
    `changed ${path}/sites/health.conf`,
    `removed ${path}/stray.conf`,
  ]);
  expect(await readFile(differences.list, 'utf8')).toBe(`${differences.first.join('\n')}\n`);
  await hand.call('replaceFiles', { ...beside, seen: differences.seen });
  const taken = await hand.call('takeUpFiles', { files });
  expect(taken.found).toMatch(/2 new workers; http:\/\/127\.0\.0\.1:\d+\/health answers 200$/);
  expect(await answer()).toBe('first');
  await hand.call('filesAre', { files, snapshot: snapshot.id });
  await hand.call('tidyFiles', beside);
  expect(await inData()).toEqual(['conf.before-orders-2', 'conf.before-orders-2.differences.txt']);
  expect(await readFile(join(`${path}.before-orders-2`, 'stray.conf'), 'utf8')).toContain('not in the snapshot');
});

test('asked again, what is replaced already is found so', async () => {
  const { hand, files } = works;
  const beside = { files, run: 'orders-3' };
  const { snapshot } = await hand.call('filesLook', { files });
  await hand.call('restoreFiles', { ...beside, snapshot: snapshot.id });
  const { seen } = await hand.call('filesDifferences', beside);
  await hand.call('replaceFiles', { ...beside, seen });
  await hand.call('replaceFiles', { ...beside, seen });
  await hand.call('giveFilesBack', beside);
  await hand.call('giveFilesBack', beside);
  expect(await inData()).toContain('.conf.lifeboat-orders-3');
  await hand.call('removeRestored', beside);
  expect((await inData()).filter((name) => name.includes('orders-3'))).toEqual([]);
  await hand.call('filesAre', { files, snapshot: snapshot.id });
});

test('what was changed since people have seen it is not replaced', async () => {
  const { hand, files, write } = works;
  const beside = { files, run: 'orders-4' };
  const { snapshot } = await hand.call('filesLook', { files });
  await hand.call('restoreFiles', { ...beside, snapshot: snapshot.id });
  const { seen } = await hand.call('filesDifferences', beside);
  const late = join(works.nginx.configuration, 'late.conf');
  await write(late, '# written while people were asked\n');
  await expect(hand.call('replaceFiles', { ...beside, seen })).rejects.toMatchObject({ type: 'Moved' });
  expect(await readFile(late, 'utf8')).toContain('while people were asked');
  await rm(late);
  await hand.call('removeRestored', beside);
});

describe('a place in which nothing lies, or something else', () => {
  test('is filled, and is empty again when that is taken back', async () => {
    const { hand, uploads, write } = works;
    const [path = ''] = uploads.paths;
    await write(join(path, 'photo'), 'a photo');
    await hand.call('backUpFiles', { files: uploads, tag: 'uploads' });
    await rm(path, { recursive: true });
    const look = await hand.call('filesLook', { files: uploads });
    expect(look.places).toMatchObject([{ state: 'missing', added: 2 }]);
    const beside = { files: uploads, run: 'orders-5' };
    await hand.call('restoreFiles', { ...beside, snapshot: look.snapshot.id });
    const { seen } = await hand.call('filesDifferences', beside);
    await hand.call('replaceFiles', { ...beside, seen });
    expect(await readFile(join(path, 'photo'), 'utf8')).toBe('a photo');
    await hand.call('giveFilesBack', beside);
    await expect(lstat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    await hand.call('replaceFiles', { ...beside, seen });
    await hand.call('tidyFiles', beside);
    expect((await madeBeside(dirname(path))).filter((name) => name.includes('uploads'))).toEqual([
      'uploads.before-orders-5.differences.txt',
    ]);
  });

  test('is refused while a link stands in its way, which is neither followed nor replaced', async () => {
    const { hand, uploads } = works;
    const [path = ''] = uploads.paths;
    await rename(path, `${path}.elsewhere`);
    await symlink(`${path}.elsewhere`, path);
    for (const refused of [
      hand.call('filesLook', { files: uploads }),
      hand.call('backUpFiles', { files: uploads, tag: 'link' }),
    ])
      await expect(refused).rejects.toMatchObject({
        type: 'NotPermitted',
        message: expect.stringContaining(`${path} is a link, or lies behind one: it leads to ${path}.elsewhere`),
      });
    expect(await readlink(path)).toBe(`${path}.elsewhere`);
    await rm(path);
    await rename(`${path}.elsewhere`, path);
  });

  test('a link in a directory that comes back is no trouble, and comes back as a link', async () => {
    const { hand, uploads } = works;
    const [path = ''] = uploads.paths;
    await symlink('/etc/hostname', join(path, 'link'));
    if (works.account.ids !== undefined) await lchown(join(path, 'link'), works.account.ids.uid, works.account.ids.gid);
    const { snapshot } = await hand.call('backUpFiles', { files: uploads, tag: 'with-link' });
    await rm(join(path, 'link'));
    await writeFile(join(path, 'link'), 'a file in its place');
    const beside = { files: uploads, run: 'orders-6' };
    await hand.call('restoreFiles', { ...beside, snapshot });
    const { seen, first } = await hand.call('filesDifferences', beside);
    expect(first).toEqual([`changed ${path}/link`]);
    await hand.call('replaceFiles', { ...beside, seen });
    expect(await readlink(join(path, 'link'))).toBe('/etc/hostname');
    await hand.call('tidyFiles', beside);
    await rm(join(path, 'link'));
  });
});

test('a path, a repository or a command that the permit does not name is refused before anything is read', async () => {
  const { hand, files, uploads } = works;
  const told = (await works.resticWasTold()).length;
  const others = [
    { ...uploads, paths: ['/etc'] },
    { ...uploads, repository: `${uploads.repository}-of-mine` },
    { ...files, inUse: { ...files.inUse, test: ['/bin/true'] } },
    { ...files, inUse: { ...files.inUse, workers: '/run/other.pid' } },
  ] as (typeof files)[];
  for (const other of others)
    for (const refused of [
      hand.call('filesLook', { files: other }),
      hand.call('backUpFiles', { files: other, tag: 'mine' }),
      hand.call('giveFilesBack', { files: other, run: 'mine' }),
    ])
      await expect(refused).rejects.toMatchObject({ type: 'NotPermitted', message: expect.stringContaining('files') });
  await expect(hand.call('removeRestored', { files, run: '../../etc' })).rejects.toMatchObject({
    type: 'NotPermitted',
  });
  expect((await works.resticWasTold()).length).toBe(told);
});

test.runIf(process.getuid?.() === 0)('what people have uploaded comes back with its owners and modes', async () => {
  const { uploads, root } = works;
  const [path = ''] = uploads.paths;
  const odd = join(path, 'ana', 'private file with ünïcode');
  await mkdir(dirname(odd));
  await writeFile(odd, 'hers alone');
  await chmod(odd, 0o640);
  await chown(odd, 12_345, 23_456);
  await chmod(dirname(odd), 0o2750);
  await chown(dirname(odd), 12_345, 23_456);
  // chown takes setgid away.
  await chmod(dirname(odd), 0o2750);
  const before = [process.env.LIFEBOAT_PERMIT, process.env.PATH];
  process.env.LIFEBOAT_PERMIT = join(root, 'permit.yaml');
  process.env.PATH = `${join(root, 'bin')}:${process.env.PATH}`;
  const as = asRoot();
  const { snapshot } = await as.backUpFiles({ files: uploads, tag: 'owned' });
  // The database's user could neither read it nor give it back, and says so beforehand.
  await expect(works.hand.call('filesReadable', { files: uploads })).rejects.toMatchObject({
    type: 'BackupFailed',
    message: expect.stringContaining('cannot be read'),
  });
  await expect(works.hand.call('filesLook', { files: uploads })).rejects.toMatchObject({
    type: 'NotReplaceable',
    message: expect.stringContaining('belongs to user 12345'),
  });
  await rm(join(path, 'ana'), { recursive: true });
  const beside = { files: uploads, run: 'orders-7' };
  await as.restoreFiles({ ...beside, snapshot });
  const { seen } = await as.filesDifferences(beside);
  await as.replaceFiles({ ...beside, seen });
  await as.filesAre({ files: uploads, snapshot });
  expect(await lstat(odd)).toMatchObject({ uid: 12_345, gid: 23_456, mode: 0o100640 });
  expect(await lstat(dirname(odd))).toMatchObject({ uid: 12_345, gid: 23_456, mode: 0o42750 });
  expect(await readFile(odd, 'utf8')).toBe('hers alone');
  await as.tidyFiles(beside);
  process.env.LIFEBOAT_PERMIT = before[0] ?? '';
  process.env.PATH = before[1];
});

/** In this process, which is root's. */
function asRoot(): HostReads & HostChanges {
  const all = { ...hostReads, ...hostChanges };
  const run = (activity: (ask: never) => Promise<unknown>) => (ask: never) =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(activity, ask);
  return Object.fromEntries(
    Object.entries(all).map(([name, activity]) => [name, run(activity as never)]),
  ) as unknown as HostReads & HostChanges;
}

test('the keys are in no argument, and nothing that was restored lies about', async () => {
  const told = await works.resticWasTold();
  expect(told).toContain('restore ');
  expect(told).toContain('backup ');
  for (const secret of [secrets.password, secrets.secretAccessKey]) expect(told).not.toContain(secret);
  const made = await madeBeside(dirname(works.nginx.configuration));
  expect(made.filter((name) => name.startsWith('.'))).toEqual([]);
  expect((await readdir(works.root)).sort()).toContain('data');
});
