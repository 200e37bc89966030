import { mkdir, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { buckets, region } from './backrest.ts';
import { certificates } from './certificates.ts';
import { faultsAt } from './faults.ts';
import { listens, type Port } from './ports.ts';
import type { EstateProcess } from './process.ts';
import { type Region, storePort } from './regions.ts';
import type { Secrets } from './secrets.ts';
import { type Ground, launch, type Site } from './site.ts';

/** The object store of the east, over TLS, and if wanted the fault proxy, through which everybody then reaches it. */
export async function startStore(site: Site, faults: boolean): Promise<void> {
  await startStoreOf(site, 'east', faults ? site.ports.gateway : site.ports.store);
  if (faults) await startFaultProxy(site);
}

/** Of the west. */
export function startOtherStore(site: Site): Promise<void> {
  return startStoreOf(site, 'west', site.ports.storeWest);
}

export const storeProcess = (region: Region): string => (region === 'east' ? 'store' : 'store-west');

async function startStoreOf(site: Site, where: Region, own: Port): Promise<void> {
  await launchStore(site, {
    name: storeProcess(where),
    versitygw: site.programs.versitygw,
    directory: where === 'east' ? site.layout.store : site.layout.storeWest,
    certificates: site.layout.certificates,
    secrets: site.secrets,
    port: own,
  });
}

export interface StoreWanted {
  name: string;
  /** Its program. */
  versitygw: string;
  directory: string;
  /** Where those of the store are. */
  certificates: string;
  secrets: Pick<Secrets, 'accessKeyId' | 'secretAccessKey'>;
  port: Port;
}

/** An object store over TLS, as part of an estate or by itself. */
export async function launchStore(ground: Ground, wanted: StoreWanted): Promise<EstateProcess> {
  const { objects, knowledge } = storeFolders(wanted.directory);
  await mkdir(objects, { recursive: true });
  await mkdir(knowledge, { recursive: true });
  const { certificate, key } = certificates(wanted.certificates);
  const port = wanted.port.number;
  return launch(ground, {
    name: wanted.name,
    command: wanted.versitygw,
    args: [
      ...['--port', `127.0.0.1:${port}`, '--region', region, '--quiet', '--cert', certificate, '--key', key],
      // Not in extended attributes: many file systems have none, and copies of a folder lose them.
      ...['posix', '--sidecar', knowledge, objects],
    ],
    env: { ROOT_ACCESS_KEY: wanted.secrets.accessKeyId, ROOT_SECRET_KEY: wanted.secrets.secretAccessKey },
    ports: [wanted.port],
    ready: () => listens(port),
  });
}

/** Objects as files, a folder a bucket; and what the store knows of them. */
export function storeFolders(store: string): { objects: string; knowledge: string } {
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

export async function makeBuckets(site: Site, where: Region): Promise<void> {
  const client = await storeClient(site, { where });
  try {
    for (const bucket of Object.values(buckets)) {
      const there = await client.send(new HeadBucketCommand({ Bucket: bucket })).catch(() => undefined);
      if (there === undefined) await client.send(new CreateBucketCommand({ Bucket: bucket }));
    }
  } finally {
    client.destroy();
  }
}

/** @param more.maxAttempts 1 shows every fault; the SDK's own number rides out short ones */
export async function storeClient(
  site: Site,
  { where = 'east', maxAttempts }: { where?: Region; maxAttempts?: number } = {},
): Promise<S3Client> {
  const ca = await readFile(certificates(site.layout.certificates).authority);
  return new S3Client({
    endpoint: `https://localhost:${storePort(site, where)}`,
    region,
    forcePathStyle: true,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    credentials: { accessKeyId: site.secrets.accessKeyId, secretAccessKey: site.secrets.secretAccessKey },
    requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca }) }),
  });
}
