/** Evidence and anchors in a store that answers, or says why it does not want to. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listAnchors, saveAnchor } from '../../../activities/evidence/anchors.ts';
import { lastProven } from '../../../activities/evidence/last-proven.ts';
import { listRuns, readEvidence } from '../../../activities/evidence/store.ts';
import { storeAnswers } from '../../../activities/evidence/store-answers.ts';
import { writeEvidence } from '../../../activities/evidence/write-evidence.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Anchor } from '../../../recovery/archive.ts';
import { evidenceOf, secretKey, useStore } from './store-rig.ts';

const own = useStore();

describe('a store that answers', () => {
  test('is found to answer without a write', async () => {
    const before = await own().keysUnder('');
    expect((await storeAnswers({ store: own().store })).found).toContain('lists bucket "evidence"');
    expect(await own().keysUnder('')).toEqual(before);
  });

  test('keeps evidence and both reports, and the hash is that of the stored bytes', async () => {
    const written = await writeEvidence({ store: own().store, evidence: evidenceOf('orders-1a2b') });
    const folder = 'lifeboat/orders/runs/orders-1a2b/orders-1a2b-first-execution';
    expect(written.location).toBe(`s3://evidence/${folder}/evidence.json`);
    expect(await own().keysUnder(folder)).toEqual([
      `${folder}/evidence.json`,
      `${folder}/report.html`,
      `${folder}/report.md`,
    ]);
    const bytes = await own().bytesAt(`${folder}/evidence.json`);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(written.sha256);
    expect(await readEvidence(own().store, 'orders', 'orders-1a2b')).toEqual(evidenceOf('orders-1a2b'));
    expect(await readEvidence(own().store, 'orders', 'orders-none')).toBeUndefined();
  });

  test('gives the same bytes and one line in the list when the writing is repeated', async () => {
    const first = await writeEvidence({ store: own().store, evidence: evidenceOf('orders-twice') });
    const keys = await own().keysUnder('');
    expect(await writeEvidence({ store: own().store, evidence: evidenceOf('orders-twice') })).toEqual(first);
    expect(await own().keysUnder('')).toEqual(keys);
  });

  test('lists runs newest first, a run that was reset once', async () => {
    const service = 'ledger';
    for (const [run, endedAt] of [
      ['old', '2026-10-03T02:10:00.000Z'],
      ['new', '2026-11-07T02:10:00.000Z'],
      ['reset', '2026-11-01T02:10:00.000Z'],
      ['reset', '2026-11-02T02:10:00.000Z'],
    ] as const)
      await writeEvidence({ store: own().store, evidence: evidenceOf(run, { service, endedAt }) });
    const runs = await listRuns(own().store, service);
    expect(runs.map(({ run, endedAt }) => [run, endedAt.slice(0, 10)])).toEqual([
      ['new', '2026-11-07'],
      ['reset', '2026-11-02'],
      ['old', '2026-10-03'],
    ]);
    expect(runs[0]).toMatchObject({ outcome: 'proven', rtoMs: 36_000, rpoMs: 23_000, runbook: 'monthly-drill' });
    expect((await listRuns(own().store, service, { limit: 1 })).map(({ run }) => run)).toEqual(['new']);
  });

  test('lists the runs of one runbook, however many others there were since, and none from before a moment', async () => {
    const service = 'busy';
    const drill = { service, endedAt: '2026-11-07T02:10:00.000Z' };
    await writeEvidence({ store: own().store, evidence: evidenceOf('drill', drill) });
    for (const minute of ['10', '20', '30'])
      await writeEvidence({
        store: own().store,
        evidence: evidenceOf(`anchor-${minute}`, {
          service,
          runbook: 'anchor',
          endedAt: `2026-11-08T02:${minute}:00.000Z`,
        }),
      });
    expect((await listRuns(own().store, service, { limit: 2 })).map(({ run }) => run)).toEqual([
      'anchor-30',
      'anchor-20',
    ]);
    const of = async (runbook: string, more = {}) =>
      (await listRuns(own().store, service, { kind: { runbook, mode: 'drill' }, ...more })).map(({ run }) => run);
    expect(await of('monthly-drill', { limit: 2 })).toEqual(['drill']);
    expect(await of('anchor', { since: new Date('2026-11-08T02:20:00Z') })).toEqual(['anchor-30', 'anchor-20']);
    expect(await of('monthly-drill', { since: new Date('2026-11-08T00:00:00Z') })).toEqual([]);
  });

  test('a run whose name is a path stays inside of its folder', async () => {
    const run = '../../other/../x';
    const { location } = await writeEvidence({ store: own().store, evidence: evidenceOf(run) });
    expect(location).toMatch(/^s3:\/\/evidence\/lifeboat\/orders\/runs\/[A-Za-z0-9_~-]+\//);
    expect((await readEvidence(own().store, 'orders', run))?.run).toBe(run);
  });

  test('secrets that strayed into evidence are not stored, and it is said', async () => {
    const failure = { type: 'StoreRefused', message: `the key ${secretKey} at postgres://orders:hunter2@db/orders` };
    const { found } = await writeEvidence({ store: own().store, evidence: evidenceOf('orders-leak', { failure }) });
    expect(found).toContain('secrets were found in 1 of its texts');
    const stored = JSON.stringify(await readEvidence(own().store, 'orders', 'orders-leak'));
    expect(stored).not.toContain(secretKey);
    expect(stored).not.toContain('hunter2');
  });

  test('only a live recovery that ended well has proven what a drill leaves out', async () => {
    const service = 'proofs';
    const write = (run: string, more: Partial<Evidence>) =>
      writeEvidence({ store: own().store, evidence: evidenceOf(run, { service, ...more }) });
    await write('drill', {});
    await write('backup', { mode: 'live', outcome: 'completed' });
    await write('broken', { mode: 'live', outcome: 'failed' });
    expect(await lastProven({ store: own().store, service })).toEqual({});
    await write('first', { mode: 'live', outcome: 'recovered', endedAt: '2026-09-01T10:00:00.000Z' });
    await write('second', {
      mode: 'live',
      outcome: 'recovered',
      endedAt: '2026-10-01T10:00:00.000Z',
      notExercised: [{ what: 'traffic' }],
    });
    expect(await lastProven({ store: own().store, service })).toEqual({
      swap: '2026-10-01T10:00:00.000Z',
      people: '2026-10-01T10:00:00.000Z',
      traffic: '2026-09-01T10:00:00.000Z',
    });
  });

  test('gives anchors back, newest first, whatever their timeline', async () => {
    const anchor = (at: string, timeline: number, lsn: string): Anchor => ({
      lsn,
      timeline,
      at,
      systemIdentifier: '7000000000000000001',
      source: 'standby db2, replay paused',
      tables: [{ table: 'public.orders', rows: 3, fingerprint: '-12', castToText: [] }],
    });
    const anchors = [
      anchor('2026-11-01T00:00:00.000Z', 3, '0/9000000'),
      anchor('2026-11-02T00:00:00.000Z', 1, '1/10'),
      anchor('2026-11-03T00:00:00.000Z', 1, '2/A0'),
    ];
    expect((await listAnchors({ store: own().store, service: 'orders' })).anchors).toEqual([]);
    for (const one of anchors) await saveAnchor({ store: own().store, service: 'orders', anchor: one });
    const { location } = await saveAnchor({
      store: own().store,
      service: 'orders',
      anchor: anchors[2] ?? anchor('', 1, '0/0'),
    });
    expect(location).toMatch(/anchors\/00000001-00000002000000A0-2026-11-03T/);
    expect((await listAnchors({ store: own().store, service: 'orders' })).anchors).toEqual([...anchors].reverse());
  });
});

describe('a store that refuses says whose move it is', () => {
  test('a wrong key', async () => {
    const wrong = { ...own().store, secretAccessKey: await own().secret('wrong', 'not-the-secret-key') };
    await expect(storeAnswers({ store: wrong })).rejects.toMatchObject({
      type: 'StoreRefused',
      nonRetryable: true,
      message: expect.stringMatching(/refuses the key \(SignatureDoesNotMatch\): compare the secrets/),
    });
    const unknown = { ...own().store, accessKeyId: await own().secret('unknown', 'unknown-key') };
    await expect(storeAnswers({ store: unknown })).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringMatching(/refuses the key \(\w+\): compare the secrets/),
    });
  });

  test('a missing bucket', async () => {
    await expect(storeAnswers({ store: { ...own().store, bucket: 'nowhere' } })).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringContaining('has no bucket "nowhere": create it, or correct evidence.bucket'),
    });
  });

  test('a certificate of another authority, and a missing authority file', async () => {
    await expect(
      storeAnswers({ store: { ...own().store, caFile: join(own().directory, 'other.crt') } }),
    ).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringContaining('certificate that is not trusted'),
    });
    await expect(storeAnswers({ store: { ...own().store, caFile: '/nowhere/ca.crt' } })).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('/nowhere/ca.crt cannot be read'),
    });
  });
});
