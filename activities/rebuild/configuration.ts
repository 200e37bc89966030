/** The standby's own configuration, where it lies in the data directory: what takes its place comes with the primary's. */
import { cp, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { writeDurably } from '../cluster/standby-only.ts';
import { exists } from '../postgres/scratch.ts';

/** Of a running server, of a backup, of a recovery; and logs. */
const notConfiguration =
  /^(PG_VERSION|postmaster\.pid|backup_.*|tablespace_map.*|.*\.signal|current_logfiles|.*\.log|.*\.new|lifeboat.*)$/;
const ownFolders = /^(base|global|log|pg_.*)$/;
/** Larger ones are no configuration: a core dump, somebody's copy. */
const largestBytes = 1024 * 1024;

async function configurationIn(data: string): Promise<string[]> {
  const entries = await readdir(data, { withFileTypes: true });
  const wanted = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isDirectory()) return !ownFolders.test(entry.name);
      if (entry.isSymbolicLink()) return !ownFolders.test(entry.name) || entry.name.endsWith('.conf');
      if (!entry.isFile() || notConfiguration.test(entry.name)) return false;
      return (await stat(join(data, entry.name))).size <= largestBytes;
    }),
  );
  return entries.filter((_one, index) => wanted[index]).map(({ name }) => name);
}

/** All or nothing, whenever the worker is killed; what was saved once is not saved again. */
export async function saveConfiguration(data: string, to: string): Promise<void> {
  if (await exists(to)) return;
  const half = `${to}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { mode: 0o700 });
  await copyConfiguration(data, half);
  await rename(half, to);
}

/** Each file and folder of the one replaces that of the other. */
export async function copyConfiguration(from: string, to: string): Promise<string[]> {
  const names = await configurationIn(from);
  for (const name of names) {
    await rm(join(to, name), { recursive: true, force: true });
    await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
  return names;
}

/** Where the standby's own is gone, the primary's serves, on the port that the plan says. */
export async function configureAs({ dataDirectory, port }: Member, data: string): Promise<void> {
  const auto = join(data, 'postgresql.auto.conf');
  const kept = (await readFile(auto, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*port\s*=/.test(line));
  await writeDurably(auto, [...kept, `port = '${port}'`, ''].join('\n'));
  // As pg_ctl would have left it: how its server is started.
  await writeDurably(join(data, 'postmaster.opts'), `postgres "-D" "${dataDirectory}"\n`);
}
