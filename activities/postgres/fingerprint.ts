/** The content of tables as numbers that can be compared: on a live server for an anchor, on a restored one against it. */
import { type Client, DatabaseError } from 'pg';
import type { TableFingerprint } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import type { Found, Scratch } from '../shapes.ts';
import { permittedPlaces } from './scratch.ts';
import { all, one } from './session.ts';
import { withScratch } from './standing.ts';

/**
 * Fingerprints of tables of the restored database, all in one snapshot.
 *
 * @throws PlanInvalid a table is not there
 */
export async function fingerprints(ask: {
  scratch: Scratch;
  database: string;
  tables: string[];
}): Promise<Found & { tables: TableFingerprint[] }> {
  const permitted = await permittedPlaces(ask.scratch);
  const progress = { table: '' };
  const tables = await withScratch(
    permitted,
    ask.database,
    'fingerprints',
    async (client) => {
      await beginSnapshot(client);
      const read = await fingerprintTables(client, ask.tables, progress);
      await client.query('commit');
      return read;
    },
    () => ({ reading: progress.table }),
  );
  return { tables, found: describeTables(tables) };
}

/** Values cast to text must not depend on who asks. */
const settings = [
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO, YMD'",
  "IntervalStyle = 'postgres'",
  'extra_float_digits = 1',
  "bytea_output = 'hex'",
  "lc_monetary = 'C'",
  'row_security = off',
  'jit = off',
];

/** One snapshot for all tables. */
export async function beginSnapshot(client: Client): Promise<void> {
  await prepareSnapshot(client);
  await takeSnapshot(client);
}

/** All that can be done before the moment that the snapshot shows. (A `select set_config` would take the snapshot.) */
export async function prepareSnapshot(client: Client): Promise<void> {
  await client.query('begin isolation level repeatable read read only');
  for (const setting of settings) await client.query(`set local ${setting}`);
}

export async function takeSnapshot(client: Client): Promise<void> {
  await client.query('select 1 from pg_class limit 1');
}

export async function fingerprintTables(
  client: Client,
  names: string[],
  progress: { table: string } = { table: '' },
): Promise<TableFingerprint[]> {
  const read: TableFingerprint[] = [];
  for (const name of names) {
    progress.table = name;
    read.push(await fingerprintTable(client, name));
  }
  return read;
}

/**
 * `sum(hash_record_extended(row, 0)::numeric)` and the number of rows: twice the same row counts twice, which xor would cancel,
 * and the order does not matter.
 */
async function fingerprintTable(client: Client, name: string): Promise<TableFingerprint> {
  const { oid, table } = await resolveTable(client, name);
  const columns = await columnsOf(client, oid);
  const withoutHash = await typesWithoutHash(client, [...new Set(columns.map(({ type }) => type))]);
  const parts = columns.map(({ column, type }) => (withoutHash.has(type) ? `${column}::text` : column));
  const row = await one(
    client,
    `select count(*)::text as rows, coalesce(sum(hash_record_extended(t.r, 0)::numeric), 0)::text as fingerprint
     from (select row(${parts.join(', ')}) as r from ${table}) t`,
  );
  return {
    table,
    rows: Number(row.rows),
    fingerprint: row.fingerprint ?? '0',
    castToText: columns.filter(({ type }) => withoutHash.has(type)).map(({ column }) => column),
  };
}

/** Schema-qualified and quoted by the server, whatever the plan wrote. */
async function resolveTable(client: Client, name: string): Promise<{ oid: string; table: string }> {
  const found = await all(
    client,
    `select c.oid::text as oid, format('%I.%I', n.nspname, c.relname) as table
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'm')`,
    [name],
  );
  const [table] = found;
  if (table?.oid == null || table.table == null)
    throw failure(
      'PlanInvalid',
      `the database has no table ${name}. Correct database.criticalTables in the plan; a table outside of the schema public needs its schema's name.`,
    );
  return { oid: table.oid, table: table.table };
}

async function columnsOf(client: Client, oid: string): Promise<{ column: string; type: string }[]> {
  const rows = await all(
    client,
    `select quote_ident(attname) as column, format_type(atttypid, null) as type
     from pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped order by attnum`,
    [oid],
  );
  return rows.map(({ column, type }) => ({ column: column ?? '', type: type ?? '' }));
}

/** Asked of the server by trying, because arrays, ranges and composite types have a hash only if their elements do. */
async function typesWithoutHash(client: Client, types: string[]): Promise<Set<string>> {
  const without = new Set<string>();
  for (const type of types) {
    await client.query('savepoint hashing');
    try {
      // The type's name was quoted by the server itself.
      await client.query(`select hash_record_extended(row(null::${type}), 0)`);
    } catch (error) {
      // 42883: there is no such function for the type.
      if (!(error instanceof DatabaseError) || error.code !== '42883') throw error;
      without.add(type);
      await client.query('rollback to savepoint hashing');
    }
    await client.query('release savepoint hashing');
  }
  return without;
}

export function describeTables(tables: TableFingerprint[]): string {
  return tables
    .map(({ table, rows, castToText }) => {
      const cast = castToText.length === 0 ? '' : ` (${castToText.join(', ')} as text: their types have no hash)`;
      return `${table} ${rows} rows${cast}`;
    })
    .join(', ');
}
