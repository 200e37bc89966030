/** A host worker that dies in the middle of a backup, a restore and a swap: whoever comes next ends in the same state. */
import { lstat, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { madeBeside, startWorks, usual, type Works } from './works.ts';

let works: Works;
let snapshot: string;
const path = () => works.uploads.paths[0] ?? '';

beforeAll(async () => {
  works = await startWorks();
  for (let nth = 0; nth < 20; nth += 1) await works.write(join(path(), `photo-${nth}`), `photo ${nth} `.repeat(5_000));
  snapshot = (await works.hand.call('backUpFiles', { files: works.uploads, tag: 'first' })).snapshot;
  await works.write(join(path(), 'photo-3'), 'spoilt');
});

afterAll(() => works?.stop());

afterEach(() => works.resticDoes(usual));

const isWhole = async () => (await readFile(join(path(), 'photo-3'), 'utf8')).startsWith('photo 3 photo 3 ');

test('a restore that is killed midway is done again from nothing', async () => {
  const doomed = await works.another();
  const beside = { files: works.uploads, run: 'orders-1' };
  // Half of it is there, with something that is in no snapshot, when the worker and its restic die.
  await works.resticDoes(`case "$1" in
    restore) mkdir -p "$4${path()}"; echo half > "$4${path()}/photo-0"; echo stranger > "$4${path()}/stranger"; kill -9 $PPID;;
    *) ${usual};;
  esac`);
  await expect(doomed.call('restoreFiles', { ...beside, snapshot })).rejects.toThrow('the worker was killed');
  await works.resticDoes(usual);
  expect(await isWhole()).toBe(false);
  await works.hand.call('restoreFiles', { ...beside, snapshot });
  const differences = await works.hand.call('filesDifferences', beside);
  expect(differences.first).toEqual([`changed ${path()}/photo-3`]);
  await works.hand.call('replaceFiles', { ...beside, seen: differences.seen });
  await works.hand.call('filesAre', { files: works.uploads, snapshot });
  expect(await isWhole()).toBe(true);
  await works.hand.call('giveFilesBack', beside);
  await works.hand.call('removeRestored', beside);
});

test.each(['setAside', 'restored'] as const)(
  'a swap that is killed right after it has renamed %s is ended, or taken back',
  async (renamed) => {
    const run = `orders-${renamed === 'setAside' ? 2 : 3}`;
    const beside = { files: works.uploads, run };
    await works.hand.call('restoreFiles', { ...beside, snapshot });
    const { seen } = await works.hand.call('filesDifferences', beside);
    const dies = async () => {
      const doomed = await works.another();
      const dieAtRenameTo = renamed === 'setAside' ? `${path()}.before-${run}` : path();
      await expect(doomed.start('replaceFiles', { ...beside, seen }, { dieAtRenameTo }).result).rejects.toThrow(
        'the worker was killed',
      );
    };
    await dies();
    await works.hand.call('giveFilesBack', beside);
    expect(await readFile(join(path(), 'photo-3'), 'utf8')).toBe('spoilt');
    await dies();
    await works.hand.call('replaceFiles', { ...beside, seen });
    expect(await isWhole()).toBe(true);
    await works.hand.call('giveFilesBack', beside);
    await works.hand.call('removeRestored', beside);
  },
);

test('a backup that is killed leaves nothing that counts, and the next one is whole', async () => {
  const doomed = await works.another();
  await works.resticDoes(
    `case "$1" in backup) "$restic" "$@" & sleep 0.2; kill -9 $!; kill -9 $PPID;; *) ${usual};; esac`,
  );
  await expect(doomed.call('backUpFiles', { files: works.uploads, tag: 'killed' })).rejects.toThrow(
    'the worker was killed',
  );
  await works.resticDoes(usual);
  const taken = await works.hand.call('backUpFiles', { files: works.uploads, tag: 'killed' });
  const listed = JSON.parse(await works.repository.byHand('snapshots', '--json', '--tag', 'killed')) as {
    id: string;
  }[];
  expect(listed.map(({ id }) => id)).toEqual([taken.snapshot]);
  await works.hand.call('filesSound', { files: works.uploads });
});

test('nothing is left beside', async () => {
  expect((await madeBeside(dirname(path()))).filter((name) => name.includes('uploads'))).toEqual([]);
  await rm(join(path(), 'photo-3'));
  await expect(lstat(join(path(), 'stranger'))).rejects.toMatchObject({ code: 'ENOENT' });
});
