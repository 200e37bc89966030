/** The object store that holds evidence and anchors: a thin, patient-but-not-too-patient client. */
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';
import { storeFailure } from './store-failure.ts';

/** Keys are relative to the plan's prefix. Everything throws StoreUnreachable or StoreRefused. */
export interface ObjectStore {
  put(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** In parts, where it is long: a few of them are in memory. */
  putStream(key: string, stream: Readable, contentType: string): Promise<void>;
  /** `undefined` when there is no such object. */
  getStream(key: string): Promise<Readable | undefined>;
  /** `undefined` when there is no such object. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** In the order of their names, at most `limit` of them. */
  list(prefix: string, limit?: number): Promise<string[]>;
  /** `s3://bucket/key` */
  location(key: string): string;
  close(): void;
}

// Milliseconds. An attempt may take 3 s to connect and 10 s to answer; the SDK tries three times, with short pauses.
const connectMs = 3_000;
const answerMs = 10_000;
const attempts = 3;
const pageSize = 1_000;
/** A store takes 10,000 of them at most: 160 GB. */
const partBytes = 16 * 1024 * 1024;

async function openStore(store: EvidenceStore): Promise<ObjectStore> {
  const client = await connect(store);
  const prefix = store.prefix === '' || store.prefix.endsWith('/') ? store.prefix : `${store.prefix}/`;
  const asked = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeFailure(error, store);
    }
  };
  return {
    put: (key, bytes, contentType) =>
      asked(async () => {
        await client.send(
          new PutObjectCommand({ Bucket: store.bucket, Key: prefix + key, Body: bytes, ContentType: contentType }),
        );
      }),
    putStream: (key, stream, contentType) =>
      asked(async () => {
        const params = { Bucket: store.bucket, Key: prefix + key, Body: stream, ContentType: contentType };
        await new Upload({ client, params, partSize: partBytes, queueSize: 2 }).done();
      }),
    getStream: (key) => asked(() => body(client, store.bucket, prefix + key)),
    get: (key) => asked(() => read(client, store.bucket, prefix + key)),
    list: (under, limit = Number.POSITIVE_INFINITY) =>
      asked(async () => {
        const keys = await list(client, store.bucket, prefix + under, limit);
        return keys.map((key) => key.slice(prefix.length));
      }),
    location: (key) => `s3://${store.bucket}/${prefix}${key}`,
    close: () => client.destroy(),
  };
}

/** Opens the store for one piece of work. */
export async function withStore<T>(store: EvidenceStore, body: (opened: ObjectStore) => Promise<T>): Promise<T> {
  const opened = await openStore(store);
  try {
    return await body(opened);
  } finally {
    opened.close();
  }
}

async function connect(store: EvidenceStore): Promise<S3Client> {
  const [accessKeyId, secretAccessKey, ca] = await Promise.all([
    resolveSecret(store.accessKeyId),
    resolveSecret(store.secretAccessKey),
    readAuthority(store.caFile),
  ]);
  return new S3Client({
    endpoint: store.endpoint,
    region: store.region,
    credentials: { accessKeyId, secretAccessKey },
    // Stores other than AWS rarely have a DNS name for each bucket.
    forcePathStyle: true,
    maxAttempts: attempts,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      socketTimeout: answerMs,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 8, ...(ca === undefined ? {} : { ca }) }),
    }),
  });
}

async function readAuthority(caFile: string | undefined): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  try {
    return await readFile(caFile, 'utf8');
  } catch (error) {
    throw failure(
      'PlanInvalid',
      `evidence.caFile ${caFile} cannot be read on this worker (${error instanceof Error ? error.message : String(error)}); expected the certificate authority of the evidence store, in PEM. Put it there, or correct the plan.`,
      error,
    );
  }
}

async function read(client: S3Client, bucket: string, key: string): Promise<Uint8Array | undefined> {
  const stream = await body(client, bucket, key);
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function body(client: S3Client, bucket: string, key: string): Promise<Readable | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Body instanceof Readable ? Body : Readable.from([]);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

async function list(client: S3Client, bucket: string, prefix: string, limit: number): Promise<string[]> {
  const keys: string[] = [];
  let from: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: Math.min(pageSize, limit - keys.length),
        ...(from === undefined ? {} : { ContinuationToken: from }),
      }),
    );
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
    from = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (from !== undefined && keys.length < limit);
  return keys;
}
