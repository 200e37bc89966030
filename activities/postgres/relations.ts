/** What a catalog says of relations, by the numbers of their files and by object ids. No lock is taken: who drops a table holds one. */
import { type Client, DatabaseError } from 'pg';
import type { RelationFacts } from '../../recovery/search/naming.ts';
import type { RelationsAsk } from '../shapes.ts';

/**
 * Of one database. `sizes` reads the size of a file from the disk, which only a superuser may; the planner's way of estimating rows
 * needs it.
 */
function question(sizes: boolean): string {
  const size = sizes
    ? `(select (pg_stat_file(pg_relation_filepath(c.oid), true)).size where c.relkind in ('r', 'm', 'p'))`
    : 'null::bigint';
  return `
  with here as (select oid, dattablespace from pg_database where datname = current_database()),
  wanted as (
    select c.*, pg_relation_filenode(c.oid) as file, n.nspname, here.oid as database,
      coalesce(nullif(c.reltablespace, 0), here.dattablespace) as tablespace
    from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join here
    where c.relpersistence <> 't' and (c.oid = any($2::oid[]) or pg_relation_filenode(c.oid) = any($1::oid[]))
  )
  select c.oid::text, c.database::text,
    c.tablespace::text || '/' || c.database::text || '/' || coalesce(c.file, 0)::text as file,
    format('%I.%I', c.nspname, c.relname) as name,
    (c.relkind in ('r', 'm', 'p') and c.nspname not in ('pg_catalog', 'information_schema', 'pg_toast'))::text as is_table,
    (select format('%I.%I', rn.nspname, r.relname) from pg_class r join pg_namespace rn on rn.oid = r.relnamespace
      where c.relispartition and r.oid = pg_partition_root(c.oid)) as root,
    c.reltuples::numeric::text as tuples, c.relpages::text as pages, ${size}::text as bytes
  from wanted c order by c.oid`;
}

const pageBytes = 8_192;
/** PostgreSQL's files end here, and go on in others; then what the catalog says of their pages is near enough. */
const longestFile = 1024 ** 3;

export async function relationsIn(
  client: Client,
  { files, oids }: RelationsAsk,
  named: { sizes: boolean; database?: string },
): Promise<RelationFacts[]> {
  const numbers = files.map((file) => file.slice(file.lastIndexOf('/') + 1));
  const { rows } = await client.query<Record<string, string | null>>(question(named.sizes), [
    numbers,
    oids.map(String),
  ]);
  return rows.map((row) => ({
    oid: Number(row.oid),
    database: Number(row.database),
    file: row.file ?? '',
    name: named.database === undefined ? (row.name ?? '') : `${named.database}.${row.name}`,
    isTable: row.is_table === 'true',
    ...(row.root == null ? {} : { root: named.database === undefined ? row.root : `${named.database}.${row.root}` }),
    ...sizeOf(row),
  }));
}

function sizeOf({ tuples, pages, bytes }: Record<string, string | null>): { rows?: number; bytes?: number } {
  if (bytes == null) return {};
  const known = { tuples: Number(tuples), pages: Number(pages), bytes: Number(bytes) };
  const now = known.bytes < longestFile ? known.bytes / pageBytes : Math.max(known.pages, longestFile / pageBytes);
  const size = Math.round(now * pageBytes);
  if (size === 0) return { rows: 0, bytes: 0 };
  // Never counted so far: -1, and 0 pages.
  if (known.tuples < 0 || known.pages === 0) return { bytes: size };
  return { rows: Math.round((known.tuples / known.pages) * now), bytes: size };
}

/** No name: a letter that none may begin with, a quote that is not closed. */
const noName = '22023';

/**
 * As PostgreSQL writes its name, when there is such a table. Looked for in the catalog itself: `to_regclass` would refuse a schema that
 * the role may not use.
 */
export async function tableNamed(client: Client, table: string | undefined): Promise<string | undefined> {
  if (table === undefined) return undefined;
  const { rows } = await client
    .query<{ name: string }>(
      `with wanted as (select parse_ident($1) as words)
       select format('%I.%I', n.nspname, c.relname) as name
       from wanted, pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'm') and c.relname = words[cardinality(words)]
         and case cardinality(words) when 1 then n.nspname = any(current_schemas(false)) else n.nspname = words[1] end
       order by array_position(current_schemas(false), n.nspname) nulls last`,
      [table],
    )
    .catch((error: unknown) => {
      if (error instanceof DatabaseError && error.code === noName) return { rows: [] };
      throw error;
    });
  return rows[0]?.name;
}

export async function databaseHere(client: Client): Promise<number> {
  const { rows } = await client.query<{ oid: string }>(
    'select oid::text from pg_database where datname = current_database()',
  );
  return Number(rows[0]?.oid);
}
