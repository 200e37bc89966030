/** What two servers know of a table, and how its rows can be put into one order on both. */
import type { Client } from 'pg';
import type { KeyOrder } from '../../recovery/ledger/keys.ts';
import { all } from '../postgres/session.ts';

export interface Column {
  name: string;
  /** As SQL writes it. */
  quoted: string;
  /** Object id of the type: below 10,000 those of PostgreSQL itself, the same everywhere. */
  type: number;
}

export interface Table {
  /** Schema-qualified and quoted by the server. */
  name: string;
  columns: Column[];
  /** Columns of the primary key, in its order. */
  key: string[];
  /** Other tables inherit from it, and its own key says nothing of their rows. */
  hasHeirs: boolean;
}

/** `undefined` when there is no such table. */
export async function tableOf(client: Client, wanted: string): Promise<Table | undefined> {
  const [found] = await all(
    client,
    `select c.oid::text as oid, format('%I.%I', n.nspname, c.relname) as name,
       (c.relkind <> 'p' and exists (select from pg_inherits i where i.inhparent = c.oid))::text as heirs
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = to_regclass($1) and c.relkind in ('r', 'p', 'm')`,
    [wanted],
  );
  if (found?.name == null) return undefined;
  const columns = await all(
    client,
    `select a.attname::text as name, quote_ident(a.attname) as quoted, a.atttypid::text as type,
       array_position(k.conkey, a.attnum)::text as place
     from pg_attribute a left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
     where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [found.oid],
  );
  const key = columns
    .filter(({ place }) => place != null)
    .sort((a, b) => Number(a.place) - Number(b.place))
    .map(({ name }) => name ?? '');
  return {
    name: found.name,
    columns: columns.map(({ name, quoted, type }) => ({
      name: name ?? '',
      quoted: quoted ?? '',
      type: Number(type),
    })),
    key,
    hasHeirs: found.heirs === 'true',
  };
}

/** Of PostgreSQL's own types. @see src/include/catalog/pg_type.dat */
const wholeNumbers = [20, 21, 23, 26];
/** uuid, bytea: their own order is that of their text. */
const orderedLikeText = [2950, 17];
const numeric = 1700;

/** A column of the key in SQL: its text, what it is ordered by, and how that order reads here. */
interface KeyColumn {
  text: string;
  by: string;
  order: KeyOrder;
}

/** Where the two databases have other types for it, only its text is the same. */
function keyColumn(quoted: string, types: number[]): KeyColumn {
  const column = `t.${quoted}`;
  const all = (some: number[]) => types.every((type) => some.includes(type));
  if (all(wholeNumbers)) return { text: `${column}::text`, by: column, order: 'number' };
  if (new Set(types).size === 1 && all(orderedLikeText)) return { text: `${column}::text`, by: column, order: 'bytes' };
  // 1.0 and 1.00 are one key.
  const text = all([numeric]) ? `trim_scale(${column})::text` : `${column}::text`;
  return { text, by: `convert_to(${text}, 'UTF8')`, order: 'bytes' };
}

/** How a table is compared. */
export interface Comparison {
  name: string;
  /** Both have them; of a table that one does not have, all of the other. */
  shared: Column[];
  /** Only the old one has them. */
  gone: Column[];
  /** Only the recovered one has them. */
  added: Column[];
  key: { names: string[]; columns: KeyColumn[] } | undefined;
  notes: string[];
}

/** @param recovered absent: the recovered database does not have it; likewise `old` */
export function comparisonOf(old: Table | undefined, recovered: Table | undefined): Comparison | undefined {
  const one = old ?? recovered;
  if (one === undefined) return undefined;
  const [was, is] = [old ?? one, recovered ?? one];
  const named = (columns: Column[], { name }: Column) => columns.find((other) => other.name === name);
  const shared = was.columns.filter((column) => named(is.columns, column) !== undefined);
  const gone = was.columns.filter((column) => named(is.columns, column) === undefined);
  const added = is.columns.filter((column) => named(was.columns, column) === undefined);
  const { names, why } = keyOf(was, is);
  const typesOf = (column: Column) => [column.type, named(is.columns, column)?.type ?? column.type];
  const keyed = names.flatMap((name) => shared.filter((column) => column.name === name));
  return {
    name: one.name,
    shared,
    gone,
    added,
    key:
      why === undefined
        ? { names, columns: keyed.map((column) => keyColumn(column.quoted, typesOf(column))) }
        : undefined,
    notes: [
      ...(old === undefined ? ['the old database has no such table'] : []),
      ...(recovered === undefined ? ['the recovered database has no such table'] : []),
      ...(why === undefined ? [] : [`${why}: whole rows are counted by a hash, and none can be called changed`]),
      ...(gone.length === 0 ? [] : [`columns that only the old one has, not compared: ${words(gone)}`]),
      ...(added.length === 0 ? [] : [`columns that only the recovered one has, not compared: ${words(added)}`]),
    ],
  };
}

function words(columns: Column[]): string {
  return columns.map(({ name }) => name).join(', ');
}

function keyOf(was: Table, is: Table): { names: string[]; why?: string } {
  if (was.hasHeirs || is.hasHeirs) return { names: [], why: 'other tables inherit from it' };
  if (was.key.length === 0 || is.key.length === 0) return { names: [], why: 'it has no primary key' };
  if (was.key.join('\0') !== is.key.join('\0')) return { names: [], why: 'its primary key is not the same in both' };
  return { names: was.key };
}
