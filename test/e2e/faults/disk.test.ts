/** A disk that fills while a restore uses it: the drill says so and goes, and nothing else is read out of it. */
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { restoreCommandText } from '../../../activities/postgres/restore-command.ts';
import { placesOf } from '../../../activities/postgres/scratch.ts';
import { sampled } from '../../sample.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate, until } from '../activities/small-estate.ts';
import { processesNaming } from '../observer.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';

const MB = 1024 * 1024;

let estate: SmallEstate;
let hand: Hand;
let disk: SmallDisk;
let label: string;
let end: string;
let runs = 0;
let scratch: { host: string; directory: string };

beforeAll(async () => {
  estate = await newSmallEstate();
  disk = await mountSmallDisk(estate.scratchRoot, 160, estate.runAs);
  hand = await newHand(estate.env);
  await estate.sql('create table orders as select n as id, md5(n::text) as note from generate_series(1, 1000) n');
  label = await estate.backup();
  for (let segments = 0; segments < 6; segments += 1) {
    await estate.sql(`insert into orders select n, md5(n::text) from generate_series(1, 6000) n`);
    await estate.archiveSegment();
  }
  await estate.sql('insert into orders values (0, $$the last$$)');
  const [row] = await estate.sql('select pg_current_wal_insert_lsn() as lsn');
  end = String(row?.lsn);
  await estate.sql('insert into orders values (0, $$beyond the target$$)');
  await estate.archiveSegment();
});

afterEach(async () => {
  // Also while the disk is full: this is how room is made.
  await hand.call('removeScratch', { scratch });
  expect(await readdir(estate.scratchRoot)).not.toContain(`run-${runs}`);
  expect(await processesNaming(`${scratch.directory}/`)).toEqual([]);
  await disk.drain();
});

afterAll(async () => {
  await hand?.stop();
  await disk?.unmount();
  await estate?.stop();
});

function newScratch(): void {
  runs += 1;
  scratch = { host: 'db2', directory: join(estate.scratchRoot, `run-${runs}`) };
}

const restore = (room?: { bytes: number; keepFree: string }) => ({
  backups: estate.backups,
  label,
  bytes: 30 * MB,
  scratch,
  ...(room === undefined ? {} : { room }),
});
const replay = (room?: { bytes: number; keepFree: string }) => ({
  backups: estate.backups,
  scratch,
  target: { kind: 'lsn', lsn: end, inclusive: true, timeline: 1 } as const,
  outageWithinMs: 60_000,
  throwAway: true,
  ...(room === undefined ? {} : { room }),
});
const liveRows = async () => Number((await estate.sql('select count(*) from orders'))[0]?.count);

describe('while a backup is restored', () => {
  test('a disk that is full says which it is, what is free, and what is needed', async () => {
    newScratch();
    await disk.fill(8 * MB);
    const before = await liveRows();
    await expect(hand.call('restoreBeside', restore({ bytes: 30 * MB, keepFree: '0B' }))).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(
        new RegExp(`MB are free on the disk at ${estate.scratchRoot} on db2, expected 31.4 MB for the restore`),
      ),
    });
    // Nobody has looked beforehand: then the tool runs into it, and its log lies on the same disk.
    await expect(hand.call('restoreBeside', restore())).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(new RegExp(`the disk at ${estate.scratchRoot} on db2 takes no more: .* are free`)),
    });
    expect(await liveRows()).toBe(before);
  });

  test('what the plan keeps free for the live server is left to whoever takes it meanwhile', async () => {
    newScratch();
    const room = { bytes: 60 * MB, keepFree: '40MB' };
    expect(await hand.call('roomFor', { scratch, ...room })).toMatchObject({ found: expect.stringContaining('free') });
    const running = hand.start('restoreBeside', restore(room));
    const pid = await restoringProcess();
    process.kill(pid, 'SIGSTOP');
    await disk.fill(20 * MB);
    await expect(running.result).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(/only .*MB are free .*expected 41\.9 MB that the plan keeps free/),
    });
    expect(await processesNaming(`${scratch.directory}/`)).toEqual([]);
  });

  test('with room again, the same restore is completed', async () => {
    newScratch();
    await disk.fill(6 * MB);
    await expect(hand.call('restoreBeside', restore())).rejects.toMatchObject({ type: 'DiskFull' });
    await disk.drain();
    await hand.call('restoreBeside', restore());
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });
});

describe('while WAL is replayed', () => {
  test.each(sampled([0, 100_000, 1_500_000, 4_000_000], 2, 'full while replaying'))(
    'a disk with %i bytes left is no end of the WAL and no damage, and with room again the target is reached',
    async (left) => {
      newScratch();
      await hand.call('restoreBeside', restore());
      await disk.fill(left);
      await expect(hand.call('replayTo', replay())).rejects.toMatchObject({
        type: 'DiskFull',
        message: expect.stringContaining(`the disk at ${estate.scratchRoot} on db2 takes no more`),
      });
      await disk.drain();
      const reached = await hand.call('replayTo', replay());
      expect(reached.timeline).toBe(1);
      const rows = await estate.sql('select note from orders where id = 0', {
        host: join(scratch.directory, 'socket'),
        port: 5432,
      });
      expect(rows).toEqual([{ note: 'the last' }]);
    },
  );

  test('the server beside is ended before it takes what is kept free for the live one', async () => {
    newScratch();
    const room = { bytes: 60 * MB, keepFree: '40MB' };
    await hand.call('restoreBeside', restore(room));
    await disk.fill(30 * MB);
    await expect(hand.call('replayTo', replay(room))).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringContaining('The restore gives way'),
    });
    expect(await processesNaming(`${scratch.directory}/data`)).toEqual([]);
  });

  test('a server that somebody stopped is noticed, and the replay gives up', async () => {
    newScratch();
    await hand.call('restoreBeside', restore());
    await hand.call('replayTo', replay());
    const postmaster = Number((await readFile(join(scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
    process.kill(postmaster, 'SIGSTOP');
    await expect(hand.call('replayTo', replay())).rejects.toMatchObject({
      type: 'ReplayFailed',
      message: expect.stringContaining(`process ${postmaster} `),
    });
  });
});

describe('the restore_command on a full disk', () => {
  test.each(['/bin/dash', '/bin/bash'])('under %s never says that a file is absent', async (shell) => {
    newScratch();
    const places = placesOf(scratch.directory);
    for (const folder of [places.directory, places.log]) {
      await mkdir(folder);
      await chown(folder, estate.runAs.uid, estate.runAs.gid);
    }
    const tool = join(estate.root, 'a-tool-that-says-absent');
    await writeFile(tool, '#!/bin/sh\nexit 1\n');
    await chmod(tool, 0o755);
    const fetch = `fetch_fast() { exec ${tool}; }\nfetch_proven() { exec ${tool}; }`;
    const script = join(estate.root, 'restore-command');
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
    const { stdout } = await execa('pgrep', ['-f', `pgbackrest .*restore .*${scratch.directory}/data`], {
      reject: false,
    });
    pid = Number(stdout.split('\n')[0]);
    return pid > 0;
  });
  return pid;
}
