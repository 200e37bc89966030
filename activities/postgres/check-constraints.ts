import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, DatabaseError } from 'pg';
import { failure } from '../failure.ts';
import type { Found, Scratch } from '../shapes.ts';
import { type Places, permittedPlaces, writeWhole } from './scratch.ts';
import { all, isOutage, one } from './session.ts';
import { withScratch } from './standing.ts';

/** A statement with which the server itself proves a constraint, and what to call it. */
interface Proof {
  what: string;
  statement: string;
}

/**
 * Makes the server prove every constraint anew, by its own code: foreign keys, checks, not-null, domains, uniqueness. A restored database is
 * believed to fulfil them, but rows can have been loaded past them (session_replication_role, disabled triggers), and a broken index
 * lets duplicates in.
 *
 * Only for a promoted server that is thrown away: it marks constraints as not validated in the catalogs first. Safe to repeat.
 * @throws DataCorrupt names each constraint that does not hold, in the server's words
 */
export async function checkConstraints(ask: { scratch: Scratch; database: string }): Promise<Found> {
  const permitted = await permittedPlaces(ask.scratch);
  const progress = { what: '' };
  return withScratch(
    permitted,
    ask.database,
    'constraints',
    async (client) => {
      const { proofs, unproven } = await prepare(client, permitted.places);
      const broken: string[] = [];
      for (const { what, statement } of proofs) {
        progress.what = what;
        const words = await refusalOf(client, statement);
        if (words !== undefined) broken.push(`${what}: ${words}`);
      }
      if (broken.length > 0)
        throw failure(
          'DataCorrupt',
          `${broken.length} of ${proofs.length} constraints do not hold: ${broken.slice(0, 5).join('; ')}. The live database holds the same rows: find out what loaded them past the constraint.`,
        );
      const noted = unproven.slice(0, 5);
      return {
        found: `${proofs.length} constraints hold for every row${noted.length === 0 ? '' : `; not valid in the source either: ${noted.join(', ')}`}`,
        expected: 'the server proves every constraint anew',
      };
    },
    () => ({ proving: progress.what }),
  );
}

/** What the source itself has never proven, or has given up: said, not judged. */
const neverProven = `
  select format('constraint %s on %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)) as what
  from pg_constraint where not convalidated
  union all
  select format('index %s', indexrelid::regclass) from pg_index where not indisvalid`;

/** Tables that people made; temporary ones of dead sessions are nobody's. */
const ownTables = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname !~ '^pg_temp_'`;

/**
 * A constraint on a partitioned table is proven as a whole. The rows that the catalog keeps for its partitions are no statements of
 * their own: against a single referenced partition, a foreign key would not hold.
 */
const validations = `
  select format('%s on %s', conname, conrelid::regclass) as what,
    format('alter table %s validate constraint %I', conrelid::regclass, conname) as statement
  from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
  where contype in ('f', 'c', 'n') and convalidated and conparentid = 0 and coninhcount = 0 and r.relkind in ('r', 'p') and ${ownTables}
  union all
  select format('%s of domain %s', conname, contypid::regtype),
    format('alter domain %s validate constraint %I', contypid::regtype, conname)
  from pg_constraint c join pg_namespace n on n.oid = c.connamespace
  where contype = 'c' and convalidated and contypid <> 0 and ${ownTables}
  order by 1`;

/** Building a unique or excluding index anew compares all rows. */
const rebuilds = `
  select format('%s on %s', i.indexrelid::regclass, i.indrelid::regclass) as what,
    format('reindex index %s', i.indexrelid::regclass) as statement
  from pg_index i join pg_class r on r.oid = i.indexrelid join pg_namespace n on n.oid = r.relnamespace
  where (i.indisunique or i.indisexclusion) and i.indisvalid and r.relkind = 'i' and ${ownTables}
  order by 1`;

/** Not those that a primary key or an identity forces: the server would refuse to loosen them. */
const plainNotNull = `a.attnotnull and a.attnum > 0 and not a.attisdropped and a.attidentity = '' and r.relkind = 'r' and ${ownTables}
    and not exists (select from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey))`;

/** Before PostgreSQL 18, not-null is a property of the column, without a constraint that could be validated. */
const notNulls = `
  select format('%I of %s not null', attname, attrelid::regclass) as what,
    format('alter table only %s alter column %I set not null', attrelid::regclass, attname) as statement
  from pg_attribute a join pg_class r on r.oid = a.attrelid join pg_namespace n on n.oid = r.relnamespace
  where ${plainNotNull}
  order by 1`;

interface Prepared {
  proofs: Proof[];
  unproven: string[];
}

async function prepare(client: Client, places: Places): Promise<Prepared> {
  const version = Number((await one(client, 'show server_version_num')).server_version_num);
  await client.query(
    `set statement_timeout = 0; set allow_system_table_mods = on; set row_security = off; set search_path = ''`,
  );
  // Once they are marked, the catalogs no longer tell what the source had proven: a retry goes by this list.
  const list = join(places.directory, 'constraints.json');
  const kept = await readFile(list, 'utf8').catch(() => undefined);
  if (kept !== undefined) {
    await mark(client, version);
    return JSON.parse(kept) as Prepared;
  }
  const prepared = {
    unproven: (await all(client, neverProven)).map(({ what }) => what ?? ''),
    proofs: await proofsOf(client, [validations, rebuilds, ...(version < 180_000 ? [notNulls] : [])]),
  };
  await writeWhole(list, JSON.stringify(prepared));
  await mark(client, version);
  return prepared;
}

/** Takes from the catalogs the claim that the rows fulfil them. */
async function mark(client: Client, version: number): Promise<void> {
  await client.query('begin');
  await client.query(`
    update pg_constraint c set convalidated = false
    from pg_namespace n
    where n.oid = c.connamespace and contype in ('f', 'c', 'n') and convalidated and ${ownTables}`);
  if (version < 180_000)
    await client.query(`
      update pg_attribute a set attnotnull = false
      from pg_class r join pg_namespace n on n.oid = r.relnamespace
      where r.oid = a.attrelid and ${plainNotNull}`);
  await client.query('commit');
}

async function proofsOf(client: Client, queries: string[]): Promise<Proof[]> {
  const found: Proof[] = [];
  for (const query of queries)
    for (const { what, statement } of await all(client, query))
      if (what != null && statement != null) found.push({ what, statement });
  return found;
}

/** The server's words when it refuses; details would quote people's data. */
async function refusalOf(client: Client, statement: string): Promise<string | undefined> {
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    // A server that went away, or ran out of room, has not said that the rows are wrong.
    if (!(error instanceof DatabaseError) || isOutage(error)) throw error;
    return error.message;
  }
}
