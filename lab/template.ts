import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backrest } from './backrest.ts';
import { type Built, build } from './build.ts';
import { command } from './command.ts';
import { demolish, stopProcesses } from './demolish.ts';
import { withServer } from './postgres.ts';
import { until } from './until.ts';

/** What an estate is copied from: data, objects, secrets and certificates; no configuration, for ports and paths differ. */
const kept = ['db1/data', 'db2/data', 'store/objects', 'store/knowledge', 'secrets', 'certificates'];

export interface TemplateOptions {
  rows?: number;
  say?: (line: string) => void;
}

/** Makes a small estate with one full backup, stops it in order, and leaves its files in `directory`. */
export async function prepareTemplate(directory: string, { rows = 2_000, say }: TemplateOptions = {}): Promise<void> {
  const root = `${directory}.making`;
  const site = await build({
    root,
    rows,
    walSegmentMb: 1,
    archiveTimeout: '2s',
    lifeboat: false,
    engine: false,
    shop: false,
    ...(say ? { say } : {}),
  });
  try {
    await backrest(site, 'db1', ['--type=full', 'backup']);
    await standbyHasAll(site);
    await stopProcesses(site);
    await keep(root, directory);
  } finally {
    await demolish(site);
  }
}

async function standbyHasAll(site: Built): Promise<void> {
  await until({ what: 'the standby to have replayed all', withinMs: 60_000 }, () =>
    withServer(site, 'db1', 'postgres', async (client) => {
      const { rows } = await client.query<{ level: boolean }>(
        'select replay_lsn = pg_current_wal_lsn() as level from pg_stat_replication',
      );
      return rows[0]?.level;
    }),
  );
}

async function keep(root: string, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  for (const part of kept) {
    if (!existsSync(join(root, part))) continue;
    await mkdir(join(directory, part, '..'), { recursive: true });
    await rename(join(root, part), join(directory, part));
  }
  // Logs and caches of the servers say nothing of the estates that are copied from here.
  await command('chmod', ['755', directory, ...['db1', 'db2', 'store'].map((part) => join(directory, part))]);
}
