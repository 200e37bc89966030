import { mkdir, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { buckets, region } from './backrest.ts';
import { certificates } from './certificates.ts';
import { faultsAt } from './faults.ts';
import { launch, type Site } from './site.ts';

/** The object store, over TLS, and if wanted the fault proxy, through which everybody then reaches it. */
export async function startStore(site: Site, faults: boolean): Promise<void> {
  const { objects, knowledge } = storeFolders(site.layout.store);
  await mkdir(objects, { recursive: true });
  await mkdir(knowledge, { recursive: true });
  const { certificate, key } = certificates(site.layout.certificates);
  const own = faults ? site.ports.gateway : site.ports.store;
  const port = own.number;
  await launch(site, {
    name: 'store',
    command: site.programs.versitygw,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--region', region, '--quiet', '--cert', certificate, '--key', key],
      // Not in extended attributes: many file systems have none, and copies of a folder lose them.
      ...['posix', '--sidecar', knowledge, objects],
    ],
    env: { ROOT_ACCESS_KEY: site.secrets.accessKeyId, ROOT_SECRET_KEY: site.secrets.secretAccessKey },
    ports: [own],
    ready: () => listens(port),
  });
  if (faults) await startFaultProxy(site);
}

/** Objects as files, a folder a bucket; and what the store knows of them. */
function storeFolders(store: string): { objects: string; knowledge: string } {
  return { objects: join(store, 'objects'), knowledge: join(store, 'knowledge') };
}

async function startFaultProxy(site: Site): Promise<void> {
  await rm(site.layout.faultSocket, { force: true });
  await launch(site, {
    name: 'fault-proxy',
    command: site.home.node,
    args: [site.home.program('lab/fault-proxy.js')],
    env: {
      LAB_PROXY_PORT: String(site.ports.store.number),
      LAB_PROXY_TARGET_PORT: String(site.ports.gateway.number),
      LAB_PROXY_CERTIFICATES: site.layout.certificates,
      LAB_PROXY_CONTROL: site.layout.faultSocket,
    },
    ports: [site.ports.store],
    ready: async () => Array.isArray(await faultsAt(site.layout.faultSocket).list()),
  });
}

export async function makeBuckets(site: Site): Promise<void> {
  const client = await storeClient(site);
  try {
    for (const bucket of Object.values(buckets)) {
      const there = await client.send(new HeadBucketCommand({ Bucket: bucket })).catch(() => undefined);
      if (there === undefined) await client.send(new CreateBucketCommand({ Bucket: bucket }));
    }
  } finally {
    client.destroy();
  }
}

/** @param maxAttempts 1 shows every fault; the SDK's own number rides out short ones */
export async function storeClient(site: Site, maxAttempts?: number): Promise<S3Client> {
  const ca = await readFile(certificates(site.layout.certificates).authority);
  return new S3Client({
    endpoint: `https://localhost:${site.ports.store.number}`,
    region,
    forcePathStyle: true,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    credentials: { accessKeyId: site.secrets.accessKeyId, secretAccessKey: site.secrets.secretAccessKey },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca }) }),
  });
}

/** Whether somebody accepts connections on the loopback port. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(1_000, () => answer(false));
  });
}
