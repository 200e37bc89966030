import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificates } from './certificates.ts';
import { asDatabase, giveTo, superuser } from './host.ts';
import type { Host } from './layout.ts';
import { type Region, regionOf, regionsOf, storePort } from './regions.ts';
import type { Site } from './site.ts';

export const stanza = 'orders';
export const buckets = { backups: 'backups', evidence: 'evidence' } as const;
export const region = 'us-east-1';

export function archiveCommand(site: Site, host: Host): string {
  const { backupConfiguration } = site.layout.host(host);
  return `${site.programs.pgbackrest} --config=${backupConfiguration} --stanza=${stanza} archive-push %p`;
}

/** One configuration a host, and those that the plan names, one a store, which are the same on all of them. */
export async function configureBackups(site: Site): Promise<void> {
  for (const host of site.hosts)
    await writeConfiguration(site, site.layout.host(host).backupConfiguration, [
      ...repositorySection(site, regionOf(site, host)),
      ...placesSection(site, host),
      '',
      `[${stanza}]`,
      ...memberSection(site, host),
    ]);
  for (const region of regionsOf(site))
    await writeConfiguration(site, site.layout.backupConfiguration(region), [...repositorySection(site, region), '']);
}

function repositorySection(site: Site, where: Region): string[] {
  const { authority } = certificates(site.layout.certificates);
  return [
    '[global]',
    'repo1-type=s3',
    'repo1-path=/pgbackrest',
    `repo1-s3-bucket=${buckets.backups}`,
    'repo1-s3-endpoint=localhost',
    `repo1-storage-port=${storePort(site, where)}`,
    `repo1-storage-ca-file=${authority}`,
    `repo1-s3-region=${region}`,
    'repo1-s3-uri-style=path',
    `repo1-s3-key=${site.secrets.accessKeyId}`,
    `repo1-s3-key-secret=${site.secrets.secretAccessKey}`,
    'repo1-cipher-type=aes-256-cbc',
    `repo1-cipher-pass=${site.secrets.cipher}`,
    'repo1-retention-full=4',
    'repo1-bundle=y',
    'compress-type=zst',
    'process-max=2',
    'start-fast=y',
    // Every member archives into the store of its own region, be it primary or standby.
    ...(site.twoSites ? ['archive-mode-check=n'] : []),
    'log-level-console=warn',
    'log-level-file=info',
  ];
}

function placesSection(site: Site, host: Host): string[] {
  const { backrest } = site.layout.host(host);
  return [
    `log-path=${join(backrest, 'log')}`,
    `lock-path=${join(backrest, 'lock')}`,
    `spool-path=${join(backrest, 'spool')}`,
  ];
}

function memberSection(site: Site, host: Host): string[] {
  const { data, socket } = site.layout.host(host);
  return [
    `pg1-path=${data}`,
    `pg1-port=${site.ports[host].number}`,
    `pg1-socket-path=${socket}`,
    `pg1-user=${superuser}`,
  ];
}

/** What the shared configuration leaves open on each host, as pgBackRest reads it from the environment. */
export function backupEnvironment(site: Site, host: Host): Record<string, string> {
  const options = [...placesSection(site, host), ...memberSection(site, host)];
  return Object.fromEntries(
    options.map((option) => {
      const [name = '', value = ''] = option.split('=');
      return [`PGBACKREST_${name.toUpperCase().replaceAll('-', '_')}`, value];
    }),
  );
}

/** It holds the store's key and the repository's passphrase. */
async function writeConfiguration(site: Site, file: string, lines: string[]): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  await giveTo(site.account, file);
}

export function backrest(site: Site, host: Host, args: string[]): Promise<string> {
  const { backupConfiguration } = site.layout.host(host);
  return asDatabase(site, site.programs.pgbackrest, [`--config=${backupConfiguration}`, `--stanza=${stanza}`, ...args]);
}

export async function createStanza(site: Site): Promise<void> {
  await backrest(site, 'db1', ['stanza-create']);
}

/** By the control file of a standby: the primary is in another region. */
export async function createStanzaBeside(site: Site, host: Host): Promise<void> {
  await backrest(site, host, ['--no-online', 'stanza-create']);
}
