import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { command } from './command.ts';
import type { Site } from './site.ts';

/** PostgreSQL's own superuser. */
export const superuser = 'postgres';

/** The folders that belong to the database's account. */
export async function makeHostFolders(site: Site): Promise<void> {
  for (const host of site.hosts) {
    const { directory, data, socket, scratch, backrest, temporary } = site.layout.host(host);
    await ownedFolder(directory, 0o755, site.account);
    await ownedFolder(data, 0o700, site.account);
    await ownedFolder(socket, 0o700, site.account);
    await ownedFolder(scratch, 0o700, site.account);
    await ownedFolder(temporary, 0o700, site.account);
    for (const each of ['', 'log', 'lock', 'spool']) await ownedFolder(join(backrest, each), 0o700, site.account);
  }
}

async function ownedFolder(path: string, mode: number, account: Account): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
  if (account.ids) await chown(path, account.ids.uid, account.ids.gid);
}

export async function giveTo(account: Account, file: string): Promise<void> {
  if (account.ids) await chown(file, account.ids.uid, account.ids.gid);
}

export function asDatabase(site: Site, file: string, args: readonly string[]): Promise<string> {
  return command(file, args, { account: site.account, signal: site.signal });
}
