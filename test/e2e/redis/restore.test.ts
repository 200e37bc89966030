/** An RDB into a cache that writes append-only files: all of it is there after a further start, whoever is killed on the way. */
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CacheServer } from '../../../activities/contract.ts';
import { until } from '../../../lab/until.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { useRedis } from './rig.ts';

const rig = useRedis();
const aside = 'before-orders-1';
let file = '';

function first(): CacheServer {
  const [server] = rig().component.members;
  if (server === undefined) throw new Error('there is no member');
  return server;
}

const ask = () => ({ server: first(), password: rig().component.password ?? '' });
const timely = () => ({ ...ask(), withinMs: 20_000 });

/** The server on which all happens is the master, and its neighbours follow it again after the test before. */
beforeEach(async () => {
  await mastersOn(first().port);
  await rig().ask(first().port, 'FLUSHALL');
  await rig().fill('kept', 2_000);
  file = await rig().takeRdb();
  await rig().fill('later', 50);
  // What they would make of a master that is stopped is another file's subject.
  for (const one of rig().sentinels) await one.stop();
});

afterEach(async () => {
  await rig().does.startCache(timely());
  for (const one of rig().sentinels) await one.start();
  await rig().settled();
});

async function mastersOn(port: number): Promise<void> {
  await until({ what: `${port} to be the master`, withinMs: 60_000 }, async () => {
    if ((await rig().master()) === port) return true;
    await rig().settled();
    await rig().ask(rig().component.sentinels[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', rig().component.master);
    return false;
  });
  await rig().settled();
}

const keys = async () => Number(await rig().ask(first().port, 'DBSIZE'));
const lies = async () => (await readdir(first().dataDirectory)).toSorted();

async function restored() {
  const { sha256 } = await rig().does.rdbFound({ server: first(), file });
  await rig().does.stopCache(timely());
  return rig().does.restoreCache({ ...timely(), file, sha256, aside });
}

describe('an RDB is looked at before anything is changed', () => {
  test('what is in it is told', async () => {
    const found = await rig().does.rdbFound({ server: first(), file });
    expect(found).toMatchObject({ keys: 2_000, expiring: 0 });
    expect(found.at).toMatch(/^20\d\d-/);
  });

  test('damaged or cut off it is refused, and the server runs on', async () => {
    const whole = await readFile(file);
    for (const damage of ['byte', 'end'] as const) {
      if (damage === 'end') await truncate(file, whole.length - 20);
      else {
        const bytes = Buffer.from(whole);
        const at = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
        await writeFile(file, bytes);
      }
      await expect(rig().does.rdbFound({ server: first(), file })).rejects.toMatchObject({
        type: 'RdbUnfit',
        message: expect.stringContaining('redis-check-rdb finds'),
      });
      await writeFile(file, whole);
    }
    expect(await keys()).toBe(2_050);
  });

  test('a file that the host does not permit, or that is not there, is not read', async () => {
    const elsewhere = join(rig().root, 'other.rdb');
    await expect(rig().does.rdbFound({ server: first(), file: elsewhere })).rejects.toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining('under "caches:"'),
    });
  });

  test('words that are not those of the permit start and stop nothing', async () => {
    const server = { ...first(), control: { start: ['/bin/true'], stop: ['/bin/true'] } };
    await expect(rig().does.stopCache({ ...timely(), server })).rejects.toMatchObject({ type: 'NotPermitted' });
    expect(await keys()).toBe(2_050);
  });
});

test('while the server runs none of its files is touched', async () => {
  const { sha256 } = await rig().does.rdbFound({ server: first(), file });
  const before = await lies();
  const running = rig().does.restoreCache({ ...timely(), file, sha256, aside });
  await expect(running).rejects.toMatchObject({ type: 'ServerAlive' });
  expect(await lies()).toEqual(before);
});

test('another file than was shown is not restored', async () => {
  await rig().does.stopCache(timely());
  const before = await lies();
  const other = rig().does.restoreCache({ ...timely(), file, sha256: 'of another file', aside });
  await expect(other).rejects.toMatchObject({ type: 'Moved' });
  expect(await lies()).toEqual(before);
});

test('with append-only files on, all keys are there, and after a further start too', async () => {
  const done = await restored();
  expect(done).toMatchObject({ keys: 2_000, appendOnly: true });
  for (let start = 0; start < 2; start += 1) {
    await rig().does.startCache(timely());
    expect(await keys()).toBe(2_000);
    expect(await rig().ask(first().port, 'GET', 'later:1')).toBeNull();
    expect(await rig().ask(first().port, 'CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    if (start === 0) await rig().ask(first().port, 'SET', 'written', 'since');
    await rig().does.stopCache(timely());
    if (start === 0) {
      // Append-only files are what it starts from: the RDB beside them has not what was written since.
      await rig().does.startCache(timely());
      expect(await rig().ask(first().port, 'GETDEL', 'written')).toBe('since');
      await rig().does.stopCache(timely());
    }
  }
  await rig().does.giveCacheBack({ ...ask(), aside });
});

test('undone, the old content is back, and nothing of the restore is left', async () => {
  const before = await lies();
  await restored();
  expect(await lies()).toContain(aside);
  await rig().does.giveCacheBack({ ...ask(), aside });
  expect(await lies()).toEqual(before);
  // Once more, as after a crash.
  await rig().does.giveCacheBack({ ...ask(), aside });
  await rig().does.startCache(timely());
  expect(await keys()).toBe(2_050);
});

describe('a worker that is killed', () => {
  /** The process dies as soon as it has renamed something to this place. */
  const dies = async (at: string): Promise<void> => {
    const { sha256 } = await rig().does.rdbFound({ server: first(), file });
    await rig().does.stopCache(timely());
    const hand: Hand = await newHand({ LIFEBOAT_PERMIT: rig().permitFile });
    const asked = { ...timely(), file, sha256, aside };
    const killed = hand.start('restoreCache', asked, { dieAtRenameTo: join(first().dataDirectory, at) });
    await expect(killed.result).rejects.toThrow('the worker was killed');
    await hand.stop();
  };

  test.each([
    ['when the first of the old files was moved', join(aside, 'dump.rdb')],
    ['when all but the last of them were', join(aside, 'appendonlydir')],
    ['when the new file has taken its place', 'dump.rdb'],
  ])('%s: done again, all is there', async (_, at) => {
    await dies(at);
    const again = await restored();
    expect(again.keys).toBe(2_000);
    await rig().does.startCache(timely());
    expect(await keys()).toBe(2_000);
    await rig().does.stopCache(timely());
    await rig().does.giveCacheBack({ ...ask(), aside });
    await rig().does.startCache(timely());
    expect(await keys()).toBe(2_050);
  });

  test.each([
    ['when the first of the old files was moved', join(aside, 'dump.rdb')],
    ['when the new file has taken its place', 'dump.rdb'],
  ])('%s: undone, the old content is back', async (_, at) => {
    await dies(at);
    await rig().does.giveCacheBack({ ...ask(), aside });
    await rig().does.startCache(timely());
    expect(await keys()).toBe(2_050);
  });

  test('while the server that loads the file runs: it is ended first, and all is there', async () => {
    const { sha256 } = await rig().does.rdbFound({ server: first(), file });
    await rig().does.stopCache(timely());
    const hand: Hand = await newHand({ LIFEBOAT_PERMIT: rig().permitFile });
    const running = hand.start('restoreCache', { ...timely(), file, sha256, aside });
    const log = join(first().dataDirectory, aside, 'restore.log');
    // The second one to start: the first has only told what the configuration says.
    await until({ what: 'the file to be loaded', withinMs: 30_000 }, async () =>
      /DB loaded from disk/.test(await readFile(log, 'utf8')),
    );
    await hand.kill();
    await running.result.catch(() => undefined);
    const again = await restored();
    expect(again.keys).toBe(2_000);
    await rig().does.startCache(timely());
    expect(await keys()).toBe(2_000);
    await rig().does.stopCache(timely());
    await rig().does.giveCacheBack({ ...ask(), aside });
  });
});
