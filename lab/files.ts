/** An nginx beside the database of db1, whose configuration restic keeps in the estate's own store: as the plan's component `web`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { needParts } from '../parts/parts.ts';
import { certificates } from './certificates.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { type Port, reservePort } from './ports.ts';
import { makeRepository, type ResticRepository } from './restic.ts';
import type { Site } from './site.ts';

export interface EstateFiles {
  nginx: Nginx;
  port: Port;
  repository: ResticRepository;
  /** The file that says what nginx answers: `first` at the beginning. */
  site: string;
}

/** Plan and permit know them from then on. @param password key of the repository */
export async function addFiles(estate: Site, password: string): Promise<EstateFiles> {
  const { layout, secrets, account, say } = estate;
  const programs = await needParts(['restic', 'nginx'], say);
  const port = await reservePort();
  const directory = join(layout.root, 'web');
  const nginx = await startNginx(estate, { nginx: programs.nginx.path, directory, port, account }, 'first');
  const repository = await makeRepository({
    restic: programs.restic.path,
    directory: join(layout.root, 'files'),
    endpoint: `https://localhost:${estate.ports.store.number}`,
    bucket: 'kept',
    caFile: certificates(layout.certificates).authority,
    password,
    accessKeyId: secrets.accessKeyId,
    secretAccessKey: secrets.secretAccessKey,
    account,
  });
  const { test, reload, url, pidFile: workers } = nginx;
  const paths = [nginx.configuration];
  await setIn(layout.host('db1').permit, 'files', [
    { paths, repository: repository.plan.repository, test, reload, workers },
  ]);
  const inUse = { test, reload, healthy: { url, within: '5s' }, workers };
  await setIn(layout.planFile, 'components', {
    web: { ...repository.plan, host: 'db1', paths, newestWithin: '30h', inUse },
  });
  return { nginx, port, repository, site: join(nginx.configuration, 'sites', 'health.conf') };
}

/** The file keeps its owner: a permit is root's. */
async function setIn(file: string, key: string, value: unknown): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'));
  document.setIn([key], value);
  await writeFile(file, document.toString({ lineWidth: 0 }));
}
