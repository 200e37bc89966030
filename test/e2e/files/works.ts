/** A store, a repository, files and an nginx that runs on some of them; a host worker's activities; and a restic that can meet with an accident. */
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Files } from '../../../activities/contract.ts';
import { type Account, databaseAccount } from '../../../lab/account.ts';
import { certificates, makeCertificates } from '../../../lab/certificates.ts';
import { type Nginx, siteAt, startNginx } from '../../../lab/nginx.ts';
import { type Port, reservePort } from '../../../lab/ports.ts';
import type { EstateProcess } from '../../../lab/process.ts';
import { makeRepository, type ResticRepository } from '../../../lab/restic.ts';
import type { Ground } from '../../../lab/site.ts';
import { launchStore, storeFolders } from '../../../lab/store.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { partPath, removeDirectory, scratchDirectory } from '../control/rig.ts';

export const secrets = {
  password: 'the-key-of-the-repository-in-tests',
  accessKeyId: 'LABFILES',
  secretAccessKey: 'the-key-of-the-store-in-tests',
};

export interface Works {
  /** As the plan has them: the configuration of nginx, which runs on it. */
  files: Files;
  /** Files that nobody runs on. */
  uploads: Files;
  hand: Hand;
  nginx: Nginx;
  port: Port;
  repository: ResticRepository;
  store: EstateProcess;
  root: string;
  account: Account;
  /** A host worker that was not there before, with the same rights. */
  another(): Promise<Hand>;
  /** Writes one file, as its owner. */
  write(path: string, text: string): Promise<void>;
  /** What clients get. */
  answer(): Promise<string>;
  /** From now on: shell, with `real` for the true program. */
  resticDoes(script: string): Promise<void>;
  /** Arguments of every restic that was run. */
  resticWasTold(): Promise<string>;
  /** The files in which the store keeps the repository's data. */
  packs(): Promise<string[]>;
  stop(): Promise<void>;
}

export const usual = 'real "$@"';

export async function startWorks(): Promise<Works> {
  const root = await scratchDirectory('files');
  const account = await databaseAccount();
  const at = (...parts: string[]) => join(root, ...parts);
  const own = async (path: string) =>
    account.ids === undefined ? undefined : chown(path, account.ids.uid, account.ids.gid);
  for (const folder of ['logs', 'pids', 'bin', 'certificates', 'data', 'data/uploads']) {
    await mkdir(at(folder));
    if (folder.startsWith('data')) await own(at(folder));
  }
  const ground: Ground = {
    layout: { root, logs: at('logs'), pids: at('pids') },
    processes: new Map(),
    say: (line) => console.log(line),
    signal: new AbortController().signal,
  };
  await makeCertificates(at('certificates'), await partPath('openssl'));
  const [storePort, port] = [await reservePort(), await reservePort()];
  const store = await launchStore(ground, {
    name: 'store',
    versitygw: await partPath('versitygw'),
    directory: at('store'),
    certificates: at('certificates'),
    secrets,
    port: storePort,
  });
  const restic = await partPath('restic');
  const { authority } = certificates(at('certificates'));
  const repository = await makeRepository({
    ...{ restic, directory: at('secrets'), endpoint: `https://localhost:${storePort.number}`, bucket: 'kept' },
    ...{ caFile: authority, ...secrets, account },
  });
  const nginx = await startNginx(
    ground,
    { nginx: await partPath('nginx'), directory: at('data', 'web'), port, account },
    'first',
  );
  const common = { ...repository.plan, host: 'web1', after: [], newestWithin: 3_600_000 };
  const files: Files = {
    ...common,
    paths: [nginx.configuration],
    inUse: {
      test: nginx.test,
      reload: nginx.reload,
      healthy: { url: nginx.url, status: 200, within: 3_000 },
      workers: nginx.pidFile,
    },
  };
  const uploads: Files = { ...common, paths: [at('data', 'uploads')] };
  await writeFile(
    at('permit.yaml'),
    stringify({
      files: [
        {
          paths: files.paths,
          repository: files.repository,
          test: nginx.test,
          reload: nginx.reload,
          workers: nginx.pidFile,
        },
        { paths: [...uploads.paths, at('data', 'certificates')], repository: uploads.repository },
        ...absent(uploads.repository).map((repository) => ({ paths: uploads.paths, repository })),
      ],
      postgresql: '/usr/bin',
    }),
    { mode: 0o444 },
  );
  const resticDoes = async (script: string) => {
    await writeFile(
      at('bin', 'restic'),
      `#!/bin/sh\nprintf '%s\\n' "$*" >> ${root}/told\nrestic=${restic}\nreal() { $restic "$@"; }\n${script}\n`,
    );
    await chmod(at('bin', 'restic'), 0o755);
  };
  await writeFile(at('told'), '', { mode: 0o666 });
  await chmod(at('told'), 0o666);
  await resticDoes(usual);
  const another = () =>
    newHand({
      LIFEBOAT_PERMIT: at('permit.yaml'),
      PATH: `${at('bin')}:${process.env.PATH}`,
      ...(account.ids === undefined ? {} : { TEST_RUN_AS: `${account.ids.uid}:${account.ids.gid}` }),
    });
  const hand = await another();
  return {
    ...{ files, uploads, hand, nginx, port, repository, store, root, account, another, resticDoes },
    write: async (path, text) => {
      await writeFile(path, text);
      await own(path);
    },
    answer: async () => (await (await fetch(nginx.url, { headers: { connection: 'close' } })).text()).trim(),
    resticWasTold: () => readFile(at('told'), 'utf8'),
    packs: async () => {
      const folder = join(storeFolders(at('store')).objects, 'kept', 'files', 'data');
      const found = await readdir(folder, { recursive: true, withFileTypes: true });
      return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    },
    stop: async () => {
      await hand.stop();
      for (const process of [...ground.processes.values()].reverse()) await process.stop();
      await removeDirectory(root);
    },
  };
}

/** Where there is none: beside it, and in another bucket. */
export function absent(repository: string): string[] {
  return [`${repository}-of-others`, repository.replace('/kept/', '/never-made/')];
}

/** The same site, with something else to say. */
export function sitePath(works: Works): string {
  return join(works.nginx.configuration, 'sites', 'health.conf');
}

export function siteSaying(works: Works, says: string, port = works.port.number): string {
  return siteAt(port, says);
}

/** Names beside a path that Lifeboat has made. */
export async function madeBeside(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.includes('.lifeboat-') || name.includes('.before-')).sort();
}
