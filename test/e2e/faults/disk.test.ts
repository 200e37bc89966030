/** A disk that fills while a restore uses it: the drill says so and goes, and nothing else is read out of it. */
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { restoreCommandText } from '../../../activities/postgres/restore-command.ts';
import { placesOf } from '../../../activities/postgres/scratch.ts';
import { sampled } from '../../sample.ts';
import { useBeside } from '../activities/beside.ts';
import { until } from '../activities/small-estate.ts';
import { processesNaming } from '../observer.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const MB = 1024 * 1024;

let disk: SmallDisk;

const beside = useBeside(async (estate) => {
  await estate.sql('create table orders as select n as id, md5(n::text) as note from generate_series(1, 1000) n');
  const label = await estate.backup();
  for (let segments = 0; segments < 6; segments += 1) {
    await estate.sql(`insert into orders select n, md5(n::text) from generate_series(1, 6000) n`);
    await estate.archiveSegment();
  }
  await estate.sql('insert into orders values (0, $$the last$$)');
  const [row] = await estate.sql('select pg_current_wal_insert_lsn() as lsn');
  await estate.sql('insert into orders values (0, $$beyond the target$$)');
  await estate.archiveSegment();
  return { label, end: String(row?.lsn) };
});

beforeAll(async () => {
  const { scratchRoot, runAs } = beside().estate;
  disk = await mountSmallDisk(scratchRoot, 160, runAs);
});

afterEach(async () => {
  const { directory } = beside().scratch;
  // Also while the disk is full: this is how room is made.
  await beside().remove();
  expect(await readdir(beside().estate.scratchRoot)).not.toContain(basename(directory));
  expect(await processesNaming(`${directory}/`)).toEqual([]);
  await disk.drain();
});

afterAll(() => disk?.unmount());

interface Room {
  bytes: number;
  keepFree: string;
}

const restore = (room?: Room) => ({
  ...beside().restoreAsk(),
  bytes: 30 * MB,
  ...(room === undefined ? {} : { room }),
});
const replay = (room?: Room) => ({ ...beside().replayAsk(), ...(room === undefined ? {} : { room }) });
const liveRows = async () => Number((await beside().estate.sql('select count(*) from orders'))[0]?.count);

describe('while a backup is restored', () => {
  test('a disk that is full says which it is, what is free, and what is needed', async () => {
    beside().newScratch();
    await disk.fill(8 * MB);
    const before = await liveRows();
    await expect(beside().call('restoreBeside', restore({ bytes: 30 * MB, keepFree: '0B' }))).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(
        new RegExp(
          `MB are free on the disk at ${beside().estate.scratchRoot} on db1, expected 31.4 MB for the restore`,
        ),
      ),
    });
    // Nobody has looked beforehand: then the tool runs into it, and its log lies on the same disk.
    await expect(beside().call('restoreBeside', restore())).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(
        new RegExp(`the disk at ${beside().estate.scratchRoot} on db1 takes no more: .* are free`),
      ),
    });
    expect(await liveRows()).toBe(before);
  });

  test('what the plan keeps free for the live server is left to whoever takes it meanwhile', async () => {
    beside().newScratch();
    const room = { bytes: 60 * MB, keepFree: '40MB' };
    expect(await beside().call('roomFor', { scratch: beside().scratch, ...room })).toMatchObject({
      found: expect.stringContaining('free'),
    });
    const running = beside().start('restoreBeside', restore(room));
    const pid = await restoringProcess();
    process.kill(pid, 'SIGSTOP');
    await disk.fill(20 * MB);
    await expect(running.result).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(/only .*MB are free .*expected 41\.9 MB that the plan keeps free/),
    });
    expect(await processesNaming(`${beside().scratch.directory}/`)).toEqual([]);
  });

  test('with room again, the same restore is completed', async () => {
    beside().newScratch();
    await disk.fill(6 * MB);
    await expect(beside().call('restoreBeside', restore())).rejects.toMatchObject({ type: 'DiskFull' });
    await disk.drain();
    await beside().call('restoreBeside', restore());
    expect(await beside().call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });
});

describe('while WAL is replayed', () => {
  test.each(sampled([0, 100_000, 1_500_000, 4_000_000], 2, 'full while replaying'))(
    'a disk with %i bytes left is no end of the WAL and no damage, and with room again the target is reached',
    async (left) => {
      beside().newScratch();
      await beside().call('restoreBeside', restore());
      await disk.fill(left);
      await expect(beside().call('replayTo', replay())).rejects.toMatchObject({
        type: 'DiskFull',
        message: expect.stringContaining(`the disk at ${beside().estate.scratchRoot} on db1 takes no more`),
      });
      await disk.drain();
      const reached = await beside().call('replayTo', replay());
      expect(reached.timeline).toBe(1);
      const rows = await beside().sql('select note from orders where id = 0');
      expect(rows).toEqual([{ note: 'the last' }]);
    },
  );

  test('the server beside is ended before it takes what is kept free for the live one', async () => {
    beside().newScratch();
    const room = { bytes: 60 * MB, keepFree: '40MB' };
    await beside().call('restoreBeside', restore(room));
    await disk.fill(30 * MB);
    await expect(beside().call('replayTo', replay(room))).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringContaining('The restore gives way'),
    });
    expect(await processesNaming(`${beside().scratch.directory}/data`)).toEqual([]);
  });

  test('a server that somebody stopped is noticed, and the replay gives up', async () => {
    beside().newScratch();
    await beside().call('restoreBeside', restore());
    await beside().call('replayTo', replay());
    const postmaster = Number(
      (await readFile(join(beside().scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0],
    );
    process.kill(postmaster, 'SIGSTOP');
    await expect(beside().call('replayTo', replay())).rejects.toMatchObject({
      type: 'ReplayFailed',
      message: expect.stringContaining(`process ${postmaster} `),
    });
  });
});

describe('the restore_command on a full disk', () => {
  test.each(['/bin/dash', '/bin/bash'])('under %s never says that a file is absent', async (shell) => {
    beside().newScratch();
    const places = placesOf(beside().scratch.directory);
    for (const folder of [places.directory, places.log]) {
      await mkdir(folder);
      await chown(folder, beside().estate.runAs.uid, beside().estate.runAs.gid);
    }
    const tool = join(beside().estate.root, 'a-tool-that-says-absent');
    await writeFile(tool, '#!/bin/sh\nexit 1\n');
    await chmod(tool, 0o755);
    const fetch = `fetch_fast() { exec ${tool}; }\nfetch_proven() { exec ${tool}; }`;
    const script = join(beside().estate.root, 'restore-command');
    await writeFile(script, restoreCommandText(places, { fetch, outageWithinMs: 60_000 }, 0));
    const ask = async () =>
      (await execa(shell, [script, '000000010000000000000007', '/nowhere'], { reject: false })).exitCode;
    expect(await ask()).toBe(1);
    await disk.fill();
    expect(await ask()).toBe(200);
  });
});

async function restoringProcess(): Promise<number> {
  let pid = 0;
  await until('pgBackRest restores', async () => {
    const { stdout } = await execa('pgrep', ['-f', `pgbackrest .*restore .*${beside().scratch.directory}/data`], {
      reject: false,
    });
    pid = Number(stdout.split('\n')[0]);
    return pid > 0;
  });
  return pid;
}
