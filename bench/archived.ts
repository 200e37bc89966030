import type { Estate } from '../lab/estate.ts';
import type { Host } from '../lab/layout.ts';
import { withServer } from '../lab/postgres.ts';
import { until } from '../lab/until.ts';

/** Ends a segment, and waits until the archive holds all that is written by now, history files too. The switch writes a record after it. */
export async function archived({ site }: Estate, primary: Host, signal: AbortSignal): Promise<void> {
  const what = `the archive to hold what ${primary} has written`;
  await withServer(site, primary, 'postgres', async (client) => {
    const { rows: switched } = await client.query<{ wal: string }>('select pg_walfile_name(pg_switch_wal()) as wal');
    await until({ what, withinMs: 300_000, everyMs: 250, signal }, async () => {
      const { rows } = await client.query<{ there: boolean }>(
        `select last_archived_wal >= $1 and not exists (select from pg_ls_archive_statusdir() where name like '%.ready') as there
         from pg_stat_archiver`,
        [switched[0]?.wal],
      );
      return rows[0]?.there;
    });
  });
}
