import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inTemporary } from '../../../activities/temporary.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'temporary-'));
  vi.stubEnv('TMPDIR', root);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

test('the folder is gone afterwards, also when its use has failed', async () => {
  const folders: string[] = [];
  await inTemporary('history', async (folder) => folders.push(folder));
  await expect(
    inTemporary('history', async (folder) => {
      folders.push(folder);
      throw new Error('made to fail');
    }),
  ).rejects.toThrow('made to fail');
  expect(folders).toHaveLength(2);
  expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
});

test('what a worker that was killed has left goes with the next one; that of others stays', async () => {
  const { pid: gone } = spawnSync(process.execPath, ['-e', '']);
  const left = join(root, `lifeboat-history-${gone}-abc`);
  const used = join(root, `lifeboat-history-${process.ppid}-abc`);
  const ofAnother = join(root, `lifeboat-told-${gone}-abc`);
  for (const folder of [left, used, ofAnother]) await mkdir(folder);
  await inTemporary('history', async () => undefined);
  expect([left, used, ofAnother].map((folder) => existsSync(folder))).toEqual([false, true, true]);
});
