/** Evidence when its store is down: it lies beside the worker, waits, and is brought there by whoever writes next. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { listRuns, readEvidence, waitingRuns } from '../../../activities/evidence/store.ts';
import { storeAnswers } from '../../../activities/evidence/store-answers.ts';
import { uploadWaiting } from '../../../activities/evidence/waiting.ts';
import { writeEvidence } from '../../../activities/evidence/write-evidence.ts';
import { mountSmallDisk } from '../faults/small-disk.ts';
import { filesBelow } from '../observer.ts';
import { eventually, freePort } from './rig.ts';
import { evidenceOf, useStore } from './store-rig.ts';

const own = useStore();

describe('a store that is down', () => {
  beforeAll(async () => {
    await writeEvidence({ store: own().store, evidence: evidenceOf('orders-before') });
    await own().kill();
  });

  test('is called unreachable, so that it is tried again', async () => {
    await expect(storeAnswers({ store: own().store })).rejects.toMatchObject({
      type: 'StoreUnreachable',
      nonRetryable: false,
      message: expect.stringContaining(`${own().store.endpoint} refuses connections`),
    });
  });

  test('does not keep a run from ending: evidence goes to the directory, and can be read there', async () => {
    const written = await writeEvidence({ store: own().store, evidence: evidenceOf('orders-down') });
    const path = join(own().store.directory, 'orders/runs/orders-down/orders-down-first-execution/evidence.json');
    expect(written.location).toBe(path);
    expect(written.found).toMatch(/on this worker, not in the store: .* refuses connections/);
    const bytes = await readFile(path);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(written.sha256);
    expect(await readEvidence(own().store, 'orders', 'orders-down')).toEqual(evidenceOf('orders-down'));
  });

  test('with no directory either, the writing is tried again later', async () => {
    await writeFile(join(own().directory, 'a-file'), '');
    const nowhere = { ...own().store, directory: join(own().directory, 'a-file') };
    await expect(writeEvidence({ store: nowhere, evidence: evidenceOf('orders-lost') })).rejects.toMatchObject({
      type: 'StoreUnreachable',
      nonRetryable: false,
      message: expect.stringContaining('can be written nowhere'),
    });
  });

  test('with a directory that is full nothing half is left in it, and with room again the evidence is there', async () => {
    const full = join(own().directory, 'full');
    await mkdir(full);
    const disk = await mountSmallDisk(full, 1, undefined);
    try {
      const store = { ...own().store, directory: full };
      const evidence = evidenceOf('orders-full', { failure: { type: 'Bug', message: 'x'.repeat(400_000) } });
      await disk.fill(100_000);
      await expect(writeEvidence({ store, evidence })).rejects.toMatchObject({
        type: 'StoreUnreachable',
        nonRetryable: false,
        message: expect.stringMatching(/can be written nowhere.*ENOSPC/),
      });
      expect(Object.keys(await filesBelow(full, (path) => path.includes('orders')))).toEqual([]);
      await disk.drain();
      const { location } = await writeEvidence({ store, evidence: evidenceOf('orders-full') });
      expect(JSON.parse(await readFile(location, 'utf8'))).toEqual(evidenceOf('orders-full'));
    } finally {
      await disk.unmount();
    }
  });

  test('what lies in the directory is listed with the rest when the store is back', async () => {
    await own().start();
    const runs = await eventually('the store is back', () => listRuns(own().store, 'orders'));
    expect(runs.map(({ run }) => run)).toContain('orders-down');
    expect(runs.map(({ run }) => run)).toContain('orders-before');
  });
});

describe('evidence that waited for its store', () => {
  const folder = 'orders/runs/orders-down/orders-down-first-execution';
  const waiting = () => readdir(join(own().store.directory, 'orders/index'));

  test('is brought there by whoever writes next, read back, and removed here', async () => {
    const bytes = await readFile(join(own().store.directory, folder, 'evidence.json'));
    expect(await waiting()).toHaveLength(1);
    const { found } = await writeEvidence({ store: own().store, evidence: evidenceOf('orders-next') });
    expect(found).toContain('uploaded too, having waited on this worker: orders-down');
    expect(await own().bytesAt(`lifeboat/${folder}/evidence.json`)).toEqual(bytes);
    expect(await own().keysUnder(`lifeboat/${folder}`)).toHaveLength(3);
    expect(await waiting()).toEqual([]);
    await expect(stat(join(own().store.directory, 'orders/runs/orders-down'))).rejects.toThrow('ENOENT');
    const listed = (await listRuns(own().store, 'orders')).find(({ run }) => run === 'orders-down');
    expect(listed?.location).toBe(`s3://evidence/lifeboat/${folder}/evidence.json`);
  });

  test('is listed, and can be read, while the store is still down', async () => {
    const away = { ...own().store, endpoint: `https://localhost:${await freePort()}` };
    await writeEvidence({ store: away, evidence: evidenceOf('orders-again') });
    await expect(listRuns(away, 'orders')).rejects.toMatchObject({ type: 'StoreUnreachable' });
    expect((await waitingRuns(away, 'orders')).map(({ run }) => run)).toEqual(['orders-again']);
    expect(await readEvidence(away, 'orders', 'orders-again')).toEqual(evidenceOf('orders-again'));
  });

  test('stays where it is when the store holds something else under its name, and that is said', async () => {
    const away = { ...own().store, endpoint: `https://localhost:${await freePort()}` };
    const mine = evidenceOf('orders-other', { outcome: 'not-proven' });
    await writeEvidence({ store: own().store, evidence: evidenceOf('orders-other') });
    await writeEvidence({ store: away, evidence: mine });
    const { uploaded, kept } = await uploadWaiting(own().store, 'orders');
    expect(uploaded).toEqual([]);
    expect(kept).toEqual([expect.stringMatching(/holds other evidence of orders-other than .*: compare them/)]);
    const key = 'lifeboat/orders/runs/orders-other/orders-other-first-execution/evidence.json';
    expect(JSON.parse((await own().bytesAt(key)).toString())).toMatchObject({ outcome: 'proven' });
    expect(await waiting()).toHaveLength(1);
  });

  test('half of which is there already is completed', async () => {
    const evidence = evidenceOf('orders-half');
    const { location } = await writeEvidence({ store: own().store, evidence });
    const away = { ...own().store, endpoint: `https://localhost:${await freePort()}` };
    await writeEvidence({ store: away, evidence });
    const prefix = location.replace('s3://evidence/', '').replace('evidence.json', '');
    await own().direct.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: `${prefix}report.md` }));
    expect((await uploadWaiting(own().store, 'orders')).uploaded).toEqual(['orders-half']);
    expect(await own().keysUnder(prefix)).toHaveLength(3);
  });
});
