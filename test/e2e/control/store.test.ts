import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listAnchors, saveAnchor } from '../../../activities/evidence/anchors.ts';
import { lastProven } from '../../../activities/evidence/last-proven.ts';
import { listRuns, readEvidence, waitingRuns } from '../../../activities/evidence/store.ts';
import { storeAnswers } from '../../../activities/evidence/store-answers.ts';
import { uploadWaiting } from '../../../activities/evidence/waiting.ts';
import { writeEvidence } from '../../../activities/evidence/write-evidence.ts';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { EvidenceStore } from '../../../plan/schema.ts';
import type { Anchor } from '../../../recovery/archive.ts';
import { type Child, eventually, freePort, partPath, removeDirectory, scratchDirectory, start } from './rig.ts';

const accessKey = 'the-access-key';
const secretKey = 'the-secret-access-key';

let directory: string;
let gateway: Child;
let store: EvidenceStore;
let direct: S3Client;
let startGateway: () => Promise<void>;

beforeAll(async () => {
  directory = await scratchDirectory('control-store');
  await certificates(directory);
  const port = await freePort();
  await mkdir(join(directory, 'objects'));
  startGateway = async () => {
    gateway = await start({
      directory,
      name: 'versitygw',
      command: await partPath('versitygw'),
      args: [
        ...['--port', `127.0.0.1:${port}`, '--quiet'],
        ...['--cert', join(directory, 'server.crt'), '--key', join(directory, 'server.key')],
        ...['posix', join(directory, 'objects')],
      ],
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    });
  };
  await startGateway();
  store = {
    kind: 's3',
    endpoint: `https://localhost:${port}`,
    region: 'us-east-1',
    bucket: 'evidence',
    prefix: 'lifeboat',
    accessKeyId: await secret('access', accessKey),
    secretAccessKey: await secret('secret', secretKey),
    caFile: join(directory, 'ca.crt'),
    directory: join(directory, 'instead'),
  };
  direct = new S3Client({
    endpoint: store.endpoint,
    region: store.region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: await readFile(join(directory, 'ca.crt')) }) }),
  });
  await eventually('a bucket can be made', async () => {
    await direct.send(new CreateBucketCommand({ Bucket: 'evidence' }));
    return true;
  });
});

afterAll(async () => {
  direct?.destroy();
  await gateway?.end();
  await removeDirectory(directory);
});

async function secret(name: string, value: string): Promise<string> {
  await writeFile(join(directory, name), `${value}\n`);
  return `\${file:${directory}/${name}}`;
}

async function certificates(into: string): Promise<void> {
  const openssl = await partPath('openssl');
  const make = (name: string, issuer: string[]) =>
    execa(
      openssl,
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`, ...issuer],
      ],
      { cwd: into },
    );
  await make('ca', []);
  await make('other', []);
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  await make('server', [
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-addext',
    names,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ]);
}

const keysUnder = async (prefix: string) =>
  ((await direct.send(new ListObjectsV2Command({ Bucket: 'evidence', Prefix: prefix }))).Contents ?? []).map(
    ({ Key }) => Key,
  );

function evidenceOf(run: string, more: Partial<Evidence> = {}): Evidence {
  return {
    schema: 'lifeboat.evidence/1',
    lifeboatVersion: '0.1.0',
    run,
    runId: `${run}-first-execution`,
    runbook: 'monthly-drill',
    title: 'Monthly drill',
    service: 'orders',
    mode: 'drill',
    input: {},
    plan: { sha256: 'ab'.repeat(32), file: '/etc/lifeboat/orders.yaml' },
    startedAt: '2026-11-21T14:00:00.000Z',
    endedAt: '2026-11-21T14:01:00.000Z',
    outcome: 'proven',
    flags: [],
    objectives: { rtoMs: 3_600_000, rpoMs: 300_000 },
    rto: { valueMs: 36_000, objectiveMs: 3_600_000, how: 'from the start until validation passed' },
    rpo: { valueMs: 23_000, objectiveMs: 300_000, how: 'newest pulse that came back' },
    phases: [],
    steps: [],
    measurements: [],
    notExercised: [],
    leftBehind: [],
    ...more,
  };
}

describe('a store that answers', () => {
  test('is found to answer without a write', async () => {
    const before = await keysUnder('');
    expect((await storeAnswers({ store })).found).toContain('lists bucket "evidence"');
    expect(await keysUnder('')).toEqual(before);
  });

  test('keeps evidence and both reports, and the hash is that of the stored bytes', async () => {
    const written = await writeEvidence({ store, evidence: evidenceOf('orders-1a2b') });
    const folder = 'lifeboat/orders/runs/orders-1a2b/orders-1a2b-first-execution';
    expect(written.location).toBe(`s3://evidence/${folder}/evidence.json`);
    expect(await keysUnder(folder)).toEqual([
      `${folder}/evidence.json`,
      `${folder}/report.html`,
      `${folder}/report.md`,
    ]);
    const { Body } = await direct.send(new GetObjectCommand({ Bucket: 'evidence', Key: `${folder}/evidence.json` }));
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(written.sha256);
    expect(await readEvidence(store, 'orders', 'orders-1a2b')).toEqual(evidenceOf('orders-1a2b'));
    expect(await readEvidence(store, 'orders', 'orders-none')).toBeUndefined();
  });

  test('gives the same bytes and one line in the list when the writing is repeated', async () => {
    const first = await writeEvidence({ store, evidence: evidenceOf('orders-twice') });
    const keys = await keysUnder('');
    expect(await writeEvidence({ store, evidence: evidenceOf('orders-twice') })).toEqual(first);
    expect(await keysUnder('')).toEqual(keys);
  });

  test('lists runs newest first, a run that was reset once', async () => {
    const service = 'ledger';
    for (const [run, endedAt] of [
      ['old', '2026-10-03T02:10:00.000Z'],
      ['new', '2026-11-07T02:10:00.000Z'],
      ['reset', '2026-11-01T02:10:00.000Z'],
      ['reset', '2026-11-02T02:10:00.000Z'],
    ] as const)
      await writeEvidence({ store, evidence: evidenceOf(run, { service, endedAt }) });
    const runs = await listRuns(store, service);
    expect(runs.map(({ run, endedAt }) => [run, endedAt.slice(0, 10)])).toEqual([
      ['new', '2026-11-07'],
      ['reset', '2026-11-02'],
      ['old', '2026-10-03'],
    ]);
    expect(runs[0]).toMatchObject({ outcome: 'proven', rtoMs: 36_000, rpoMs: 23_000, runbook: 'monthly-drill' });
    expect((await listRuns(store, service, { limit: 1 })).map(({ run }) => run)).toEqual(['new']);
  });

  test('lists the runs of one runbook, however many others there were since, and none from before a moment', async () => {
    const service = 'busy';
    const drill = { service, endedAt: '2026-11-07T02:10:00.000Z' };
    await writeEvidence({ store, evidence: evidenceOf('drill', drill) });
    for (const minute of ['10', '20', '30'])
      await writeEvidence({
        store,
        evidence: evidenceOf(`anchor-${minute}`, {
          service,
          runbook: 'anchor',
          endedAt: `2026-11-08T02:${minute}:00.000Z`,
        }),
      });
    expect((await listRuns(store, service, { limit: 2 })).map(({ run }) => run)).toEqual(['anchor-30', 'anchor-20']);
    const of = async (runbook: string, more = {}) =>
      (await listRuns(store, service, { kind: { runbook, mode: 'drill' }, ...more })).map(({ run }) => run);
    expect(await of('monthly-drill', { limit: 2 })).toEqual(['drill']);
    expect(await of('anchor', { since: new Date('2026-11-08T02:20:00Z') })).toEqual(['anchor-30', 'anchor-20']);
    expect(await of('monthly-drill', { since: new Date('2026-11-08T00:00:00Z') })).toEqual([]);
  });

  test('a run whose name is a path stays inside of its folder', async () => {
    const run = '../../other/../x';
    const { location } = await writeEvidence({ store, evidence: evidenceOf(run) });
    expect(location).toMatch(/^s3:\/\/evidence\/lifeboat\/orders\/runs\/[A-Za-z0-9_~-]+\//);
    expect((await readEvidence(store, 'orders', run))?.run).toBe(run);
  });

  test('secrets that strayed into evidence are not stored, and it is said', async () => {
    const failure = { type: 'StoreRefused', message: `the key ${secretKey} at postgres://orders:hunter2@db/orders` };
    const { found } = await writeEvidence({ store, evidence: evidenceOf('orders-leak', { failure }) });
    expect(found).toContain('secrets were found in 1 of its texts');
    const stored = JSON.stringify(await readEvidence(store, 'orders', 'orders-leak'));
    expect(stored).not.toContain(secretKey);
    expect(stored).not.toContain('hunter2');
  });

  test('only a live recovery that ended well has proven what a drill leaves out', async () => {
    const service = 'proofs';
    const write = (run: string, more: Partial<Evidence>) =>
      writeEvidence({ store, evidence: evidenceOf(run, { service, ...more }) });
    await write('drill', {});
    await write('backup', { mode: 'live', outcome: 'completed' });
    await write('broken', { mode: 'live', outcome: 'failed' });
    expect(await lastProven({ store, service })).toEqual({});
    await write('first', { mode: 'live', outcome: 'recovered', endedAt: '2026-09-01T10:00:00.000Z' });
    await write('second', {
      mode: 'live',
      outcome: 'recovered',
      endedAt: '2026-10-01T10:00:00.000Z',
      notExercised: [{ what: 'traffic' }],
    });
    expect(await lastProven({ store, service })).toEqual({
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
    expect((await listAnchors({ store, service: 'orders' })).anchors).toEqual([]);
    for (const one of anchors) await saveAnchor({ store, service: 'orders', anchor: one });
    const { location } = await saveAnchor({ store, service: 'orders', anchor: anchors[2] ?? anchor('', 1, '0/0') });
    expect(location).toMatch(/anchors\/00000001-00000002000000A0-2026-11-03T/);
    expect((await listAnchors({ store, service: 'orders' })).anchors).toEqual([...anchors].reverse());
  });
});

describe('a store that refuses says whose move it is', () => {
  test('a wrong key', async () => {
    const wrong = { ...store, secretAccessKey: await secret('wrong', 'not-the-secret-key') };
    await expect(storeAnswers({ store: wrong })).rejects.toMatchObject({
      type: 'StoreRefused',
      nonRetryable: true,
      message: expect.stringMatching(/refuses the key \(SignatureDoesNotMatch\): compare the secrets/),
    });
    const unknown = { ...store, accessKeyId: await secret('unknown', 'unknown-key') };
    await expect(storeAnswers({ store: unknown })).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringMatching(/refuses the key \(\w+\): compare the secrets/),
    });
  });

  test('a missing bucket', async () => {
    await expect(storeAnswers({ store: { ...store, bucket: 'nowhere' } })).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringContaining('has no bucket "nowhere": create it, or correct evidence.bucket'),
    });
  });

  test('a certificate of another authority, and a missing authority file', async () => {
    await expect(storeAnswers({ store: { ...store, caFile: join(directory, 'other.crt') } })).rejects.toMatchObject({
      type: 'StoreRefused',
      message: expect.stringContaining('certificate that is not trusted'),
    });
    await expect(storeAnswers({ store: { ...store, caFile: '/nowhere/ca.crt' } })).rejects.toMatchObject({
      type: 'PlanInvalid',
      message: expect.stringContaining('/nowhere/ca.crt cannot be read'),
    });
  });
});

describe('a store that is down', () => {
  beforeAll(async () => {
    await gateway.end('SIGKILL');
  });

  test('is called unreachable, so that it is tried again', async () => {
    await expect(storeAnswers({ store })).rejects.toMatchObject({
      type: 'StoreUnreachable',
      nonRetryable: false,
      message: expect.stringContaining(`${store.endpoint} refuses connections`),
    });
  });

  test('does not keep a run from ending: evidence goes to the directory, and can be read there', async () => {
    const written = await writeEvidence({ store, evidence: evidenceOf('orders-down') });
    const path = join(store.directory, 'orders/runs/orders-down/orders-down-first-execution/evidence.json');
    expect(written.location).toBe(path);
    expect(written.found).toMatch(/on this worker, not in the store: .* refuses connections/);
    const bytes = await readFile(path);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(written.sha256);
    expect(await readEvidence(store, 'orders', 'orders-down')).toEqual(evidenceOf('orders-down'));
  });

  test('with no directory either, the writing is tried again later', async () => {
    await writeFile(join(directory, 'a-file'), '');
    const nowhere = { ...store, directory: join(directory, 'a-file') };
    await expect(writeEvidence({ store: nowhere, evidence: evidenceOf('orders-lost') })).rejects.toMatchObject({
      type: 'StoreUnreachable',
      nonRetryable: false,
      message: expect.stringContaining('can be written nowhere'),
    });
  });

  test('what lies in the directory is listed with the rest when the store is back', async () => {
    await startGateway();
    const runs = await eventually('the store is back', () => listRuns(store, 'orders'));
    expect(runs.map(({ run }) => run)).toContain('orders-down');
    expect(runs.map(({ run }) => run)).toContain('orders-1a2b');
  });
});

describe('evidence that waited for its store', () => {
  const folder = 'orders/runs/orders-down/orders-down-first-execution';
  const waiting = () => readdir(join(store.directory, 'orders/index'));

  test('is brought there by whoever writes next, read back, and removed here', async () => {
    const bytes = await readFile(join(store.directory, folder, 'evidence.json'));
    expect(await waiting()).toHaveLength(1);
    const { found } = await writeEvidence({ store, evidence: evidenceOf('orders-next') });
    expect(found).toContain('uploaded too, having waited on this worker: orders-down');
    const { Body } = await direct.send(
      new GetObjectCommand({ Bucket: 'evidence', Key: `lifeboat/${folder}/evidence.json` }),
    );
    expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(bytes);
    expect(await keysUnder(`lifeboat/${folder}`)).toHaveLength(3);
    expect(await waiting()).toEqual([]);
    await expect(stat(join(store.directory, 'orders/runs/orders-down'))).rejects.toThrow('ENOENT');
    const listed = (await listRuns(store, 'orders')).find(({ run }) => run === 'orders-down');
    expect(listed?.location).toBe(`s3://evidence/lifeboat/${folder}/evidence.json`);
  });

  test('is listed, and can be read, while the store is still down', async () => {
    const away = { ...store, endpoint: `https://localhost:${await freePort()}` };
    await writeEvidence({ store: away, evidence: evidenceOf('orders-again') });
    await expect(listRuns(away, 'orders')).rejects.toMatchObject({ type: 'StoreUnreachable' });
    expect((await waitingRuns(away, 'orders')).map(({ run }) => run)).toEqual(['orders-again']);
    expect(await readEvidence(away, 'orders', 'orders-again')).toEqual(evidenceOf('orders-again'));
  });

  test('stays where it is when the store holds something else under its name, and that is said', async () => {
    const away = { ...store, endpoint: `https://localhost:${await freePort()}` };
    const mine = evidenceOf('orders-other', { outcome: 'not-proven' });
    await writeEvidence({ store, evidence: evidenceOf('orders-other') });
    await writeEvidence({ store: away, evidence: mine });
    const { uploaded, kept } = await uploadWaiting(store, 'orders');
    expect(uploaded).toEqual([]);
    expect(kept).toEqual([expect.stringMatching(/holds other evidence of orders-other than .*: compare them/)]);
    const key = 'lifeboat/orders/runs/orders-other/orders-other-first-execution/evidence.json';
    const { Body } = await direct.send(new GetObjectCommand({ Bucket: 'evidence', Key: key }));
    expect(JSON.parse((await Body?.transformToString()) ?? '')).toMatchObject({ outcome: 'proven' });
    expect(await waiting()).toHaveLength(1);
  });

  test('half of which is there already is completed', async () => {
    const evidence = evidenceOf('orders-half');
    const { location } = await writeEvidence({ store, evidence });
    const away = { ...store, endpoint: `https://localhost:${await freePort()}` };
    await writeEvidence({ store: away, evidence });
    const prefix = location.replace('s3://evidence/', '').replace('evidence.json', '');
    await direct.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: `${prefix}report.md` }));
    expect((await uploadWaiting(store, 'orders')).uploaded).toEqual(['orders-half']);
    expect(await keysUnder(prefix)).toHaveLength(3);
  });
});
