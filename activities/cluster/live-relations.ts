import { formatNumberOf } from '../../evidence/format.ts';
import type { FrontDoor } from '../../plan/schema.ts';
import { placeOf, withDatabase } from '../postgres/front-door.ts';
import { databaseHere, relationsIn, tableNamed } from '../postgres/relations.ts';
import type { Relations, RelationsAsk } from '../shapes.ts';

/**
 * The relations of the service's own database that have these files or object ids now.
 *
 * @throws DatabaseUnreachable
 */
export async function liveRelations(ask: { frontDoor: FrontDoor } & RelationsAsk): Promise<Relations> {
  return withDatabase(ask.frontDoor, 'find', async (client) => {
    const relations = await relationsIn(client, ask, { sizes: false });
    const table = await tableNamed(client, ask.table);
    return {
      database: await databaseHere(client),
      relations,
      ...(table === undefined ? {} : { table }),
      found: `${formatNumberOf(relations.length, 'relation')} known behind ${placeOf(ask.frontDoor)} now`,
    };
  });
}
