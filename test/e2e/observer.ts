/** Looks at an estate with other means than Lifeboat's own: plain SQL, plain files, the process table. */
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pg from 'pg';

/** A server to ask: `host` is an address, or the folder of its socket. */
export interface Server {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
}

export async function ask<T extends pg.QueryResultRow>(server: Server, sql: string): Promise<T[]> {
  const client = new pg.Client({ user: 'postgres', database: 'orders', connectionTimeoutMillis: 5_000, ...server });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function countRows(server: Server, table: string): Promise<number> {
  const [row] = await ask<{ count: string }>(server, `select count(*) from ${table}`);
  return Number(row?.count);
}

/** Of every row's text, in an order that depends on nothing but the rows: another way than Lifeboat's fingerprints. */
export async function contentOf(server: Server, table: string): Promise<{ rows: number; md5: string }> {
  const [row] = await ask<{ rows: string; md5: string }>(
    server,
    `select count(*) as rows, md5(coalesce(string_agg(row_md5, '' order by row_md5), '')) as md5
     from (select md5(t::text) as row_md5 from ${table} t) each_row`,
  );
  return { rows: Number(row?.rows), md5: row?.md5 ?? '' };
}

/** Numbers of the pulses that a server holds, ascending. */
export async function pulsesIn(server: Server): Promise<number[]> {
  const rows = await ask<{ number: string }>(server, 'select number from lifeboat.pulse order by number');
  return rows.map(({ number }) => Number(number));
}

/** What of a server is not its data: a dry run must leave every word of it as it was. */
export async function catalogueOf(server: Server): Promise<Record<string, unknown[]>> {
  const list = (sql: string) => ask(server, sql);
  return {
    slots: await list('select slot_name, slot_type, temporary from pg_replication_slots order by 1'),
    roles: await list('select rolname, rolsuper, rolreplication, rolcanlogin from pg_roles order by 1'),
    databases: await list('select datname, datistemplate, datallowconn from pg_database order by 1'),
    settings: await list("select name, setting from pg_settings where source <> 'client' order by 1"),
    schemas: await list('select nspname from pg_namespace where nspname !~ $$^pg_(toast_)?temp$$ order by 1'),
    replayPaused: await list('select case when pg_is_in_recovery() then pg_is_wal_replay_paused() end as paused'),
  };
}

/** Path (relative) to the hash of its content, of all files below a folder whose relative path `wanted` accepts. */
export async function filesBelow(
  folder: string,
  wanted: (path: string) => boolean = () => true,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of await pathsBelow(folder)) {
    const name = relative(folder, path);
    if (wanted(name)) found[name] = await hashOf(path);
  }
  return found;
}

async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** Configuration of a server's data directory, which nobody but an administrator writes. */
export function configurationOf(data: string): Promise<Record<string, string>> {
  return filesBelow(data, (path) =>
    /^(postgresql(\.auto)?|pg_hba|pg_ident|lab)\.conf$|^PG_VERSION$|\.signal$/.test(path),
  );
}

/** Names and sizes of a bucket's objects, as they lie on the store's disk. */
export async function objectsIn(bucket: string, wanted: (path: string) => boolean = () => true): Promise<string[]> {
  const found: string[] = [];
  for (const path of await pathsBelow(bucket)) {
    const name = relative(bucket, path);
    if (wanted(name)) found.push(`${name} ${(await stat(path)).size}`);
  }
  return found;
}

/** Command lines of all processes that name this path in it or in their environment, or work below it. */
export async function processesNaming(path: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const directory = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const line = (await read('cmdline')).replaceAll('\0', ' ').trim();
      return { line, words: [line, await read('environ'), directory].join('\0') };
    }),
  );
  return seen.filter(({ words }) => words.includes(path)).map(({ line }) => line);
}

/** Polls until `look` is true, and says what was last seen when it never is. */
export async function seenWithin<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T>,
  enough: (seen: T) => boolean,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const seen = await look();
      if (enough(seen)) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `${what}: not within ${withinMs} ms; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
