import { formatNumberOf } from '../../evidence/format.ts';
import type { RelationFacts } from '../../recovery/search/naming.ts';
import { databaseOf } from '../../recovery/search/suspects.ts';
import type { HostChanges } from '../contract.ts';
import type { Relations } from '../shapes.ts';
import { databaseHere, relationsIn, tableNamed } from './relations.ts';
import { replayTo } from './replay.ts';
import { permittedPlaces } from './scratch.ts';
import { all, placeOfScratch, withSession } from './session.ts';

/**
 * The relations that have these files or object ids, in the catalogs as they were at the target: of each database that a file is of.
 *
 * Safe to repeat: a server that stands at the target is left there.
 * @throws as `replayTo` does
 */
export async function relationsAt(ask: Parameters<HostChanges['relationsAt']>[0]): Promise<Relations> {
  const { lsn } = await replayTo({ ...ask, throwAway: true });
  const { places } = await permittedPlaces(ask.scratch);
  const place = placeOfScratch(places);
  const own = await withSession(place, ask.database, 'find', async (client) => ({
    database: await databaseHere(client),
    relations: await relationsIn(client, ask, { sizes: true }),
    table: await tableNamed(client, ask.table),
    databases: await all(client, 'select oid::text as oid, datname as name from pg_database where datallowconn'),
  }));
  const databases = own.databases.map(({ oid, name }) => ({ oid: Number(oid), name: name ?? '' }));
  const relations: RelationFacts[] = own.relations;
  const others = new Set(ask.files.map(databaseOf));
  for (const { oid, name } of databases) {
    if (oid === own.database || !others.has(oid)) continue;
    relations.push(
      ...(await withSession(place, name, 'find', (client) =>
        relationsIn(client, ask, { sizes: true, database: name }),
      )),
    );
  }
  return {
    database: own.database,
    relations,
    databases: databases.filter(({ oid }) => ask.databases.includes(oid)),
    ...(own.table === undefined ? {} : { table: own.table }),
    found: `${formatNumberOf(relations.length, 'relation')} known at ${lsn}`,
  };
}
