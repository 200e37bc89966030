/** An object store of its own behind TLS, and a client beside Lifeboat's that looks into it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { execa } from 'execa';
import { afterAll, beforeAll } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { EvidenceStore } from '../../../plan/schema.ts';
import { type Child, eventually, freePort, partPath, removeDirectory, scratchDirectory, start } from './rig.ts';

const accessKey = 'the-access-key';
export const secretKey = 'the-secret-access-key';
const bucket = 'evidence';
const region = 'us-east-1';

export class OwnStore {
  readonly directory: string;
  readonly store: EvidenceStore;
  readonly direct: S3Client;
  readonly #port: number;
  #gateway: Child | undefined;

  constructor(directory: string, port: number, store: EvidenceStore, direct: S3Client) {
    this.directory = directory;
    this.#port = port;
    this.store = store;
    this.direct = direct;
  }

  async start(): Promise<void> {
    const at = (name: string) => join(this.directory, name);
    this.#gateway = await start({
      directory: this.directory,
      name: 'versitygw',
      command: await partPath('versitygw'),
      args: [
        ...['--port', `127.0.0.1:${this.#port}`, '--quiet'],
        ...['--cert', at('server.crt'), '--key', at('server.key')],
        ...['posix', at('objects')],
      ],
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    });
  }

  async kill(): Promise<void> {
    await this.#gateway?.end('SIGKILL');
  }

  async stop(): Promise<void> {
    this.direct.destroy();
    await this.#gateway?.end();
    await removeDirectory(this.directory);
  }

  async keysUnder(prefix: string): Promise<(string | undefined)[]> {
    const { Contents = [] } = await this.direct.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return Contents.map(({ Key }) => Key);
  }

  async bytesAt(key: string): Promise<Buffer> {
    const { Body } = await this.direct.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  /** A file with this value, as a plan names it. */
  secret(name: string, value: string): Promise<string> {
    return secretIn(this.directory, name, value);
  }
}

/** Started before the tests of a file, and gone after them. */
export function useStore(): () => OwnStore {
  let own: OwnStore | undefined;
  beforeAll(async () => {
    const directory = await scratchDirectory('control-store');
    await certificates(directory);
    await mkdir(join(directory, 'objects'));
    const ca = await readFile(join(directory, 'ca.crt'));
    const port = await freePort();
    const endpoint = `https://localhost:${port}`;
    const store: EvidenceStore = {
      kind: 's3',
      endpoint,
      region,
      bucket,
      prefix: 'lifeboat',
      accessKeyId: await secretIn(directory, 'access', accessKey),
      secretAccessKey: await secretIn(directory, 'secret', secretKey),
      caFile: join(directory, 'ca.crt'),
      directory: join(directory, 'instead'),
    };
    own = new OwnStore(directory, port, store, clientOf(endpoint, ca));
    await own.start();
    const { direct } = own;
    await eventually('a bucket can be made', async () => {
      await direct.send(new CreateBucketCommand({ Bucket: bucket }));
      return true;
    });
  });
  afterAll(() => own?.stop());
  return () => {
    if (own === undefined) throw new Error('the store did not start');
    return own;
  };
}

function clientOf(endpoint: string, ca: Buffer): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca }) }),
  });
}

async function secretIn(directory: string, name: string, value: string): Promise<string> {
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

export function evidenceOf(run: string, more: Partial<Evidence> = {}): Evidence {
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
