/** What a person would type to have the data back at a target: pgBackRest, pg_ctl, and waiting for the pause. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { stanza } from '../lab/backrest.ts';
import { command } from '../lab/command.ts';
import { giveTo } from '../lab/host.ts';
import { until } from '../lab/until.ts';
import type { Ground } from './ground.ts';

export interface Way {
  /** Options of `pgbackrest restore`. */
  restore(folder: string): string[];
  /** Settings of the server. */
  settings(folder: string): Record<string, string>;
}

/** As both programs come: one process, each segment fetched when it is asked for, the source's own configuration. */
export const defaults: Way = {
  // The lab's configuration asks for two.
  restore: () => ['--process-max=1'],
  settings: () => ({}),
};

/** As somebody types it who has read both manuals to their ends, for a server that is thrown away. */
export function tuned(ground: Ground, cores: number): Way {
  const { site } = ground.estate;
  const fetch = (folder: string) =>
    [
      site.programs.pgbackrest,
      `--config=${configuration(ground)} --stanza=${stanza} --pg1-path=${folder}/data --lock-path=${folder}/lock`,
      `--log-path=${folder} --archive-async --spool-path=${folder}/spool --archive-get-queue-max=1GiB`,
      `--process-max=${cores} archive-get %f "%p"`,
    ].join(' ');
  return {
    restore: (folder) => [`--process-max=${cores}`, `--recovery-option=restore_command=${fetch(folder)}`],
    settings: () => ({
      shared_buffers: '1GB',
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      max_wal_size: '64GB',
      checkpoint_timeout: '1d',
      wal_recycle: 'off',
      autovacuum: 'off',
      max_parallel_maintenance_workers: '2',
    }),
  };
}

/** Restores into a folder of its own and returns how long that took, milliseconds; the folder is gone afterwards. */
export async function restoreByHand(ground: Ground, way: Way, folder: string): Promise<number> {
  const { site } = ground.estate;
  const { account, programs } = site;
  for (const place of ['', 'data', 'lock', 'spool']) {
    await mkdir(join(folder, place), { recursive: true, mode: 0o700 });
    await giveTo(account, join(folder, place));
  }
  const control = join(programs.postgresql, 'pg_ctl');
  const data = join(folder, 'data');
  const run = (file: string, args: string[]) => command(file, args, { account, signal: ground.signal });
  try {
    const started = performance.now();
    await run(programs.pgbackrest, restoreWords(ground, way, folder));
    await run(control, ['start', '-D', data, '-l', join(folder, 'log'), '-o', serverWords(way, folder)]);
    await paused(folder, ground.signal);
    return performance.now() - started;
  } finally {
    await command(control, ['stop', '-m', 'immediate', '-D', data], { account }).catch(() => undefined);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function restoreWords(ground: Ground, way: Way, folder: string): string[] {
  const { lsn, timeline } = ground.target;
  return [
    `--config=${configuration(ground)}`,
    `--stanza=${stanza}`,
    `--pg1-path=${join(folder, 'data')}`,
    `--lock-path=${join(folder, 'lock')}`,
    ...[
      '--type=lsn',
      `--target=${lsn}`,
      '--target-action=pause',
      `--target-timeline=${timeline}`,
      '--archive-mode=off',
    ],
    `--set=${ground.backup.label}`,
    ...way.restore(folder),
    'restore',
  ];
}

function configuration(ground: Ground): string {
  return ground.estate.site.layout.host('db2').backupConfiguration;
}

/** Apart from the tuning, what keeps the server away from the live one. */
function serverWords(way: Way, folder: string): string {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    port: '5432',
    primary_conninfo: '',
    ...way.settings(folder),
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/** Asked every 50 ms: no person looks as often. */
async function paused(folder: string, signal: AbortSignal): Promise<void> {
  await until({ what: 'the server to pause at its target', withinMs: 900_000, everyMs: 50, signal }, async () => {
    const client = new pg.Client({ host: folder, port: 5432, user: 'postgres', database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { rows } = await client.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state');
      return rows[0]?.state === 'paused';
    } finally {
      await client.end();
    }
  });
}
