import { failure } from '../failure.ts';
import type { Places } from './scratch.ts';
import { all, one, placeOfScratch, type Row, withSession } from './session.ts';

/**
 * Refuses a host whose sort order is another: there, indexes on text lie in the wrong order, rows are not found, and duplicates slip in.
 * Recorded for a database since PostgreSQL 15; for collations in use, before that, too.
 *
 * @throws VersionMismatch
 * @see PostgreSQL documentation, "ALTER COLLATION", notes on versions
 */
export async function refuseOtherCollations(places: Places): Promise<void> {
  const place = placeOfScratch(places);
  const names = await withSession(place, 'postgres', 'collations', (client) =>
    all(client, 'select datname from pg_database where datallowconn and not datistemplate order by 1'),
  );
  for (const { datname } of names) {
    const other = await withSession(place, datname ?? 'postgres', 'collations', async (client) => {
      const version = Number((await one(client, 'show server_version_num')).server_version_num);
      return [...(version >= 150_000 ? await all(client, ofDatabase) : []), ...(await all(client, ofCollations))];
    });
    if (other.length > 0)
      throw failure(
        'VersionMismatch',
        `in database ${datname}, ${other.map(say).join('; ')}: text indexes may be in the wrong order here. Use a host with the same version of the library, or rebuild the indexes before anything is believed of them.`,
      );
  }
}

const ofDatabase = `
  select 'the database''s collation' as what, datcollversion as recorded, pg_database_collation_actual_version(oid) as here
  from pg_database
  where datname = current_database() and datcollversion is distinct from pg_database_collation_actual_version(oid)`;

/** Collations that nothing uses may differ. */
const ofCollations = `
  select 'collation ' || collname as what, collversion as recorded, pg_collation_actual_version(c.oid) as here
  from pg_collation c
  where collversion is not null
    and collversion is distinct from pg_collation_actual_version(c.oid)
    and (exists (select from pg_attribute a join pg_class r on r.oid = a.attrelid
                 where a.attcollation = c.oid and r.relkind in ('r', 'p', 'm') and r.relnamespace <> 'pg_catalog'::regnamespace)
      or exists (select from pg_index where c.oid = any (indcollation)))`;

function say({ what, recorded, here }: Row): string {
  return `${what} was sorted with version ${recorded ?? 'unknown'}, here it is ${here ?? 'unknown'}`;
}
