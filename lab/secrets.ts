import { randomBytes } from 'node:crypto';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** All of them made up for one estate. */
export interface Secrets {
  /** Password of the application's role. */
  orders: string;
  replicator: string;
  /** Of Patroni's REST API, and of the role that rewinds. */
  patroni: string;
  /** Passphrase of the backup repository. */
  cipher: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const files = {
  orders: 'orders.password',
  replicator: 'replicator.password',
  patroni: 'patroni.password',
  cipher: 'backup.passphrase',
  accessKeyId: 'store.key-id',
  secretAccessKey: 'store.key',
} as const satisfies Record<keyof Secrets, string>;

export function secretFile(directory: string, secret: keyof Secrets): string {
  return join(directory, files[secret]);
}

export function drawSecrets(): Secrets {
  return {
    orders: draw(),
    replicator: draw(),
    patroni: draw(),
    cipher: draw(),
    accessKeyId: `LAB${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: draw(),
  };
}

export async function writeSecrets(directory: string, secrets: Secrets): Promise<void> {
  for (const name of names()) await writeFile(secretFile(directory, name), `${secrets[name]}\n`, { mode: 0o600 });
}

/** A host worker keeps the rows that a recovery has lost in the store; root reads the files all the same. */
export async function giveStoreKey(directory: string, { ids }: Account): Promise<void> {
  if (ids === undefined) return;
  for (const name of ['accessKeyId', 'secretAccessKey'] as const)
    await chown(secretFile(directory, name), ids.uid, ids.gid);
}

export async function readSecrets(directory: string): Promise<Secrets> {
  const read = async (name: keyof Secrets) => (await readFile(secretFile(directory, name), 'utf8')).trim();
  return {
    orders: await read('orders'),
    replicator: await read('replicator'),
    patroni: await read('patroni'),
    cipher: await read('cipher'),
    accessKeyId: await read('accessKeyId'),
    secretAccessKey: await read('secretAccessKey'),
  };
}

function names(): (keyof Secrets)[] {
  return Object.keys(files) as (keyof Secrets)[];
}

function draw(): string {
  return randomBytes(24).toString('base64url');
}
