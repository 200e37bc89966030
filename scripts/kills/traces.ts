/** What a run leaves in the estate, wanted and unwanted: read from files, servers, the object store's disk and the process table. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backrest, buckets } from '../../lab/backrest.ts';
import type { Estate } from '../../lab/estate.ts';
import { hosts } from '../../lab/layout.ts';
import { processesIn } from '../../lab/litter.ts';
import { database, withServer } from '../../lab/postgres.ts';
import { until } from '../../lab/until.ts';

/** What must be the same after a run as before. */
export interface Litter {
  scratch: string[];
  processes: string[];
  temporary: string[];
  sessions: string[];
  slots: string[];
  replay: string[];
  /** When each server was started, and on which timeline it is: neither was restarted or promoted. */
  servers: string[];
}

export async function litterIn(estate: Estate): Promise<Litter> {
  const { site, servers } = estate;
  const { scratch } = servers.db2;
  const asked = (host: (typeof hosts)[number], sql: string) =>
    withServer(site, host, database, async (client) =>
      (await client.query<{ what: string }>(sql)).rows.map(({ what }) => `${what} on ${host}`),
    );
  const everywhere = async (sql: string) =>
    (await Promise.all(hosts.map((host) => asked(host, sql)))).flat().toSorted();
  const temporary = await Promise.all(hosts.map((host) => readdir(site.layout.host(host).temporary)));
  return {
    scratch: await readdir(scratch),
    processes: await startedByLifeboat(estate),
    temporary: temporary.flat(),
    sessions: await everywhere(
      "select distinct application_name as what from pg_stat_activity where application_name ~ '^lifeboat-' and application_name !~ 'pulse'",
    ),
    slots: await everywhere('select slot_name::text as what from pg_replication_slots'),
    replay: await asked('db2', 'select pg_get_wal_replay_pause_state() as what'),
    servers: await everywhere(
      `select pg_postmaster_start_time()::text || ', timeline ' || timeline_id as what from pg_control_checkpoint()`,
    ),
  };
}

/** Programs of the host workers that are still there: in the scratch directory, or such as a watchdog or a backup. */
async function startedByLifeboat(estate: Estate): Promise<string[]> {
  const inScratch = await processesIn(estate.servers.db2.scratch);
  const others = (await processesIn(estate.root)).filter(({ commandLine }) =>
    /lifeboat-resumes-replay|--annotation=|pg_amcheck|pg_checksums|pg_waldump/.test(commandLine),
  );
  return [...inScratch, ...others].map(({ commandLine }) => commandLine.slice(0, 160));
}

/** A look for the metrics comes and goes beside every run: that it is over is no loss. */
const passing: readonly (keyof Litter)[] = ['processes', 'temporary', 'sessions'];

/** What is left that was not there before, and what is gone that was, in words. */
export function leftOver(before: Litter, after: Litter): string[] {
  return (Object.keys(before) as (keyof Litter)[]).flatMap((kind) => {
    const more = after[kind].filter((one) => !before[kind].includes(one));
    const gone = passing.includes(kind) ? [] : before[kind].filter((one) => !after[kind].includes(one));
    return [...more.map((one) => `${kind}: ${one}`), ...gone.map((one) => `${kind}: ${one} is gone`)];
  });
}

/** What a run is for. */
export interface Results {
  backups: string[];
  anchors: string[];
  /** Everything else in the evidence store. */
  evidence: string[];
}

export async function resultsIn({ site }: Estate): Promise<Results> {
  const info: { backup: { label: string }[] }[] = JSON.parse(await backrest(site, 'db1', ['info', '--output=json']));
  const objects = await filesBelow(join(site.layout.store, 'objects', buckets.evidence));
  return {
    backups: info.flatMap(({ backup }) => backup.map(({ label }) => label)),
    anchors: objects.filter((name) => name.includes('/anchors/')),
    evidence: objects.filter((name) => !name.includes('/anchors/')),
  };
}

export function newIn(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((one) => !before.includes(one));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
}

/** An anchor that can be used: whole, and of the critical tables. */
export async function isWhole({ site }: Estate, anchor: string): Promise<boolean> {
  const text = await readFile(join(site.layout.store, 'objects', buckets.evidence, anchor), 'utf8');
  const { lsn, tables }: { lsn?: string; tables?: unknown[] } = JSON.parse(text);
  return /^[0-9A-F]+\/[0-9A-F]+$/.test(lsn ?? '') && (tables ?? []).length > 0;
}

/** An anchor can be used once the archive holds its WAL: a drill before that would have fewer steps. */
export async function archivePasses({ site }: Estate): Promise<void> {
  const { signal } = site;
  const asked = (sql: string, values: string[] = []) =>
    withServer(
      site,
      'db1',
      database,
      async (client) => (await client.query<{ answer: string }>(sql, values)).rows[0]?.answer,
    );
  const now = await asked('select pg_walfile_name(pg_current_wal_lsn()) as answer');
  await until({ what: 'the archive to pass the anchor', withinMs: 120_000, everyMs: 200, signal }, async () => {
    const passed = await asked('select (last_archived_wal > $1)::text as answer from pg_stat_archiver', [now ?? '']);
    return passed === 'true';
  });
}
