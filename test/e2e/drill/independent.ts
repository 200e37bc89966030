/** An observer who trusts nobody: restores by himself with pgBackRest and PostgreSQL, and reads the pulse log himself. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { stanza } from '../../../lab/backrest.ts';
import { command } from '../../../lab/command.ts';
import type { Estate } from '../../../lab/estate.ts';
import { giveTo } from '../../../lab/host.ts';
import { until } from './scenario.ts';

export interface Independent {
  rows(sql: string): Promise<Record<string, string>[]>;
  remove(): Promise<void>;
}

/** His own server, paused at an LSN. */
export async function restoreIndependently(
  { site, servers }: Estate,
  target: { lsn: string; inclusive: boolean },
): Promise<Independent> {
  const folder = await mkdtemp(join(servers.db1.scratch, '..', 'own-'));
  await giveTo(site.account, folder);
  const data = join(folder, 'data');
  const run = (file: string, args: string[]) => command(file, args, { account: site.account });
  const { backupConfiguration } = site.layout.host('db1');
  await run(site.programs.pgbackrest, [
    ...[`--config=${backupConfiguration}`, `--stanza=${stanza}`, `--pg1-path=${data}`, '--type=lsn'],
    ...[`--target=${target.lsn}`, '--target-action=pause', '--target-timeline=current', '--archive-mode=off'],
    ...(target.inclusive ? [] : ['--target-exclusive']),
    'restore',
  ]);
  const control = join(site.programs.postgresql, 'pg_ctl');
  const settings = `-c listen_addresses= -c unix_socket_directories=${folder} -c port=5432 -c primary_conninfo=`;
  await run(control, ['start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', settings]);
  const query = async (sql: string): Promise<Record<string, string>[]> => {
    const client = new pg.Client({ host: folder, port: 5432, user: 'postgres', database: 'orders' });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await until('the independent restore pauses', async () => {
    const [state] = await query('select pg_get_wal_replay_pause_state() as state');
    return state?.state === 'paused' ? true : undefined;
  });
  return {
    rows: query,
    remove: async () => {
      await run(control, ['stop', '-m', 'immediate', '-D', data]);
      await rm(folder, { recursive: true });
    },
  };
}

export interface LoggedPulse {
  number: number;
  at: string;
  lsn: string;
}

/** Every acknowledged pulse that the log holds. */
export async function readPulseLog({ site }: Estate): Promise<LoggedPulse[]> {
  const folder = site.layout.pulse;
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line.endsWith('}')))
    .map((line): LoggedPulse & { failed?: boolean } => JSON.parse(line))
    .filter((pulse) => pulse.failed !== true && pulse.lsn !== undefined);
}
