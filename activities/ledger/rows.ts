/** The rows of a table as they stream by, in the order of their keys: never more than a page of them in memory. */
import type { Client } from 'pg';
import type { Keyed } from '../../recovery/ledger/merge.ts';
import { all } from '../postgres/session.ts';
import type { Column, Comparison } from './table.ts';

/** A row by its key, with what stands for its content, and where it lies as long as the snapshot lasts. */
export interface RowPlace extends Keyed<string[]> {
  /** Length of its text, bytes. */
  bytes: number;
  place: string;
}

/** Rows that are asked for at once: keys, places and hashes are short. */
const page = 2_000;

/** Values as text must not depend on who asks; nothing of it may wait, be ended, or take the service's processors. */
const settings = [
  "TimeZone = 'UTC'",
  "DateStyle = 'ISO, YMD'",
  "IntervalStyle = 'postgres'",
  'extra_float_digits = 1',
  "bytea_output = 'hex'",
  "xmloption = 'content'",
  "lc_monetary = 'C'",
  'row_security = off',
  'jit = off',
  'statement_timeout = 0',
  'idle_in_transaction_session_timeout = 0',
  "lock_timeout = '10s'",
  'max_parallel_workers_per_gather = 0',
  // All of the rows are read: what yields the first ones early is of no use.
  'cursor_tuple_fraction = 1.0',
];

/** One snapshot for all that is read in this session. @returns when it was taken, by the server's clock */
export async function beginReading(client: Client): Promise<string> {
  await client.query('begin isolation level repeatable read read only');
  for (const setting of settings) await client.query(`set local ${setting}`);
  const [taken] = await all(
    client,
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`,
  );
  return taken?.at ?? '';
}

/**
 * Rows in the order of their primary key.
 *
 * @param onPage is told how many rows there were
 */
export async function* rowsByKey(
  client: Client,
  comparison: Comparison,
  onPage: (rows: number) => void,
): AsyncGenerator<RowPlace> {
  const { name, shared, key } = comparison;
  const columns = key?.columns ?? [];
  const select = `
    select ${columns.map(({ text }) => text).join(', ')}, hashtextextended(whole.row, 0)::text,
      octet_length(whole.row)::text, t.tableoid::text || ' ' || t.ctid::text
    from ${name} t ${wholeRow(shared)}
    order by ${columns.map(({ by }) => by).join(', ')}`;
  for await (const values of streamed(client, select, onPage)) {
    const [content = '', bytes = '0', place = ''] = values.slice(columns.length);
    yield { key: values.slice(0, columns.length), content, bytes: Number(bytes), place };
  }
}

/** Whole rows by a hash of their text, with how often each occurs. */
export async function* wholeRows(
  client: Client,
  { name, shared }: Comparison,
  onPage: (rows: number) => void,
): AsyncGenerator<Keyed<string>> {
  const select = `
    select hashed.hash::text, count(*)::text
    from (select hashtextextended(whole.row, 0) as hash from ${name} t ${wholeRow(shared)}) hashed
    group by hashed.hash order by hashed.hash`;
  for await (const [key = '', content = ''] of streamed(client, select, onPage)) yield { key, content };
}

/** A row as PostgreSQL prints it tells NULL from an empty text, and one column from the next. */
function wholeRow(columns: Column[]): string {
  return `cross join lateral (select row(${columns.map(({ quoted }) => `t.${quoted}::text`).join(', ')})::text as row offset 0) whole`;
}

async function* streamed(
  client: Client,
  select: string,
  onPage: (rows: number) => void,
): AsyncGenerator<string[], void, void> {
  await client.query(`declare ledger no scroll cursor for ${select}`);
  try {
    for (;;) {
      const { rows } = await client.query<string[]>({ text: `fetch ${page} from ledger`, rowMode: 'array' });
      onPage(rows.length);
      yield* rows;
      if (rows.length < page) return;
    }
  } finally {
    // After an error the transaction takes no more commands; the session ends soon.
    await client.query('close ledger').catch(() => undefined);
  }
}

/** Values of rows by their places, in the order asked for. `undefined` is a row that is not there: it cannot happen within a snapshot. */
export async function valuesAt(
  client: Client,
  places: readonly string[],
  columns: readonly Column[],
): Promise<(Value[] | undefined)[]> {
  const found = new Map<string, Value[]>();
  for (const [table, rows] of byTable(places)) {
    const [named] = await all(
      client,
      `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = $1::oid`,
      [table],
    );
    const values = columns.map(({ quoted }) => `t.${quoted}::text`).join(', ');
    const { rows: read } = await client.query<Value[]>({
      text: `select t.ctid::text, ${values} from only ${named?.name} t where t.ctid = any($1::tid[])`,
      values: [rows],
      rowMode: 'array',
    });
    for (const [row, ...rest] of read) found.set(`${table} ${row}`, rest);
  }
  return places.map((place) => found.get(place));
}

export type Value = string | null;

function byTable(places: readonly string[]): Map<string, string[]> {
  const tables = new Map<string, string[]>();
  for (const place of places) {
    const [table = '', row = ''] = place.split(' ');
    tables.set(table, [...(tables.get(table) ?? []), row]);
  }
  return tables;
}
