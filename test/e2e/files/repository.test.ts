/** What a repository of files can meet with, on a real restic and a real object store. */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { flip } from '../flip.ts';
import { absent, madeBeside, secrets, startWorks, usual, type Works } from './works.ts';

let works: Works;
let snapshot: string;
const path = () => works.uploads.paths[0] ?? '';

beforeAll(async () => {
  works = await startWorks();
  await works.write(join(path(), 'photo'), 'a photo '.repeat(1_000));
  snapshot = (await works.hand.call('backUpFiles', { files: works.uploads, tag: 'first' })).snapshot;
});

afterAll(() => works?.stop());

afterEach(() => works.resticDoes(usual));

test('a lost key is found by a look, before anybody needs it, and by a backup', async () => {
  const { hand, uploads, repository } = works;
  await writeFile(repository.keyFile, 'a key that somebody else has made\n');
  const lost = {
    type: 'KeyLost',
    message: expect.stringMatching(/does not open with \$\{file:.*wrong password or no key found/),
  };
  await expect(hand.call('filesLook', { files: uploads })).rejects.toMatchObject(lost);
  await expect(hand.call('filesReadable', { files: uploads })).rejects.toMatchObject(lost);
  await expect(hand.call('backUpFiles', { files: uploads, tag: 'lost' })).rejects.toMatchObject(lost);
  await rm(repository.keyFile);
  await expect(hand.call('filesLook', { files: uploads })).rejects.toMatchObject({ type: 'SecretMissing' });
  // What lies here can be told all the same.
  expect((await hand.call('filesHere', { files: uploads })).places).toEqual([{ path: path(), state: 'there' }]);
  await writeKey();
});

async function writeKey(): Promise<void> {
  await writeFile(works.repository.keyFile, `${secrets.password}\n`);
  await chmod(works.repository.keyFile, 0o644);
}

test('a path that does not exist ends a backup, which restic itself would call a success', async () => {
  const { hand, uploads, root, repository } = works;
  const missing = join(root, 'data', 'certificates');
  const files = { ...uploads, paths: [...uploads.paths, missing] };
  await expect(hand.call('backUpFiles', { files, tag: 'missing' })).rejects.toMatchObject({
    type: 'BackupFailed',
    message: expect.stringContaining(`${missing} is not there on web1`),
  });
  expect(JSON.parse(await repository.byHand('snapshots', '--json'))).toHaveLength(1);
  // One of fewer paths would leave something out.
  await expect(hand.call('filesLook', { files })).rejects.toMatchObject({
    type: 'BackupMissing',
    message: expect.stringContaining('the repository holds one snapshot, and none is of'),
  });
});

test('a repository or a bucket that is not there is said so', async () => {
  const { hand, uploads } = works;
  for (const repository of absent(uploads.repository))
    await expect(hand.call('filesLook', { files: { ...uploads, repository } })).rejects.toMatchObject({
      type: 'BackupMissing',
      message: expect.stringContaining(`there is no repository at ${repository}`),
    });
});

test('keys that the store does not know are refused', async () => {
  const { hand, uploads, write, root } = works;
  await write(join(root, 'data', 'other-key'), 'another key\n');
  const files = { ...uploads, secretAccessKey: `\${file:${join(root, 'data', 'other-key')}}` };
  await expect(hand.call('filesLook', { files })).rejects.toMatchObject({ type: 'StoreRefused' });
});

test('a file that becomes unreadable in the middle is told, and that snapshot is never the newest', async () => {
  const { hand, uploads, repository } = works;
  // As restic itself ends when it could not read something: the snapshot is there.
  await works.resticDoes(
    `case "$1" in backup) real "$@"; echo '{"message_type":"error","error":{"message":"open photo: permission denied"},"during":"archival","item":"/photo"}' >&2; exit 3;; *) ${usual};; esac`,
  );
  await expect(hand.call('backUpFiles', { files: uploads, tag: 'partly' })).rejects.toMatchObject({
    type: 'BackupFailed',
    message: expect.stringMatching(/could not be read, and are missing in snapshot [0-9a-f]{8}.*permission denied/),
  });
  const listed = JSON.parse(await repository.byHand('snapshots', '--json')) as { tags: string[]; id: string }[];
  expect(listed.map(({ tags }) => tags)).toContainEqual(['lifeboat', 'partly', 'lifeboat-incomplete']);
  await works.resticDoes(usual);
  expect((await hand.call('filesLook', { files: uploads })).snapshot.id).toBe(snapshot);
});

test('a snapshot is found by its id, or by a moment; what there is not is said', async () => {
  const { hand, uploads } = works;
  const look = (wanted: string) => hand.call('filesLook', { files: uploads, wanted });
  expect((await look(snapshot.slice(0, 8))).snapshot.id).toBe(snapshot);
  expect((await look(new Date().toISOString())).snapshot.id).toBe(snapshot);
  await expect(look('2020-01-01T00:00:00Z')).rejects.toMatchObject({
    type: 'BackupMissing',
    message: expect.stringContaining('which is after 2020-01-01T00:00:00Z'),
  });
  await expect(look('deadbeef')).rejects.toMatchObject({ type: 'BackupMissing' });
});

test('a damaged pack is found by the check of its data, and by a restore, which leaves the files as they are', async () => {
  const { hand, uploads, write } = works;
  await hand.call('filesSound', { files: uploads });
  // Whatever a pack holds, each of its parts is told from another.
  for (const pack of await works.packs()) await flip(pack, 40);
  await expect(hand.call('filesSound', { files: uploads })).rejects.toMatchObject({ type: 'BackupCorrupt' });
  await write(join(path(), 'photo'), 'spoilt');
  await expect(hand.call('restoreFiles', { files: uploads, run: 'orders-1', snapshot })).rejects.toMatchObject({
    type: 'BackupCorrupt',
  });
  expect(await readFile(join(path(), 'photo'), 'utf8')).toBe('spoilt');
  await expect(hand.call('filesDifferences', { files: uploads, run: 'orders-1' })).rejects.toMatchObject({
    type: expect.stringMatching(/BesideLost|Moved/),
  });
  await hand.call('removeRestored', { files: uploads, run: 'orders-1' });
  expect((await madeBeside(dirname(path()))).filter((name) => name.includes('uploads'))).toEqual([]);
});
