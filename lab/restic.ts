/** A repository of files in an object store, and what reads it past Lifeboat. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { command } from './command.ts';
import { giveTo } from './host.ts';

export interface ResticWanted {
  /** Its program. */
  restic: string;
  /** For its secrets; made here. */
  directory: string;
  /** Of the store. */
  endpoint: string;
  bucket: string;
  caFile: string;
  password: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Who reads the secrets. */
  account: Account;
}

export interface ResticRepository {
  /** As it stands in the plan of a service. */
  plan: {
    kind: 'restic';
    repository: string;
    password: string;
    accessKeyId: string;
    secretAccessKey: string;
    caFile: string;
  };
  /** The file of its key, as the plan names it. */
  keyFile: string;
  /** What people would do: restic with the keys in its environment. @returns what it printed */
  byHand(...words: string[]): Promise<string>;
}

/** A new repository; its bucket is made with it. */
export async function makeRepository(wanted: ResticWanted): Promise<ResticRepository> {
  const { directory, endpoint, bucket, caFile, account } = wanted;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const secrets = {
    password: wanted.password,
    accessKeyId: wanted.accessKeyId,
    secretAccessKey: wanted.secretAccessKey,
  };
  const named: Record<string, string> = {};
  for (const [name, value] of Object.entries(secrets)) {
    const file = join(directory, name);
    await writeFile(file, `${value}\n`, { mode: 0o600 });
    await giveTo(account, file);
    named[name] = file;
  }
  const repository = `s3:${endpoint}/${bucket}/files`;
  const env = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: wanted.password,
    AWS_ACCESS_KEY_ID: wanted.accessKeyId,
    AWS_SECRET_ACCESS_KEY: wanted.secretAccessKey,
  };
  const byHand = (...words: string[]) => command(wanted.restic, [...words, '--no-cache', '--cacert', caFile], { env });
  await byHand('init');
  const reference = (name: string) => `\${file:${named[name]}}`;
  return {
    plan: {
      kind: 'restic',
      repository,
      password: reference('password'),
      accessKeyId: reference('accessKeyId'),
      secretAccessKey: reference('secretAccessKey'),
      caFile,
    },
    keyFile: named.password ?? '',
    byHand,
  };
}
