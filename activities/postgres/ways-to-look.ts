import { userInfo } from 'node:os';
import type { Found, Scratch } from '../shapes.ts';
import { readerOf } from './reader.ts';
import { permittedPlaces, scratchPort } from './scratch.ts';
import { withScratch } from './standing.ts';

/**
 * How a person looks for themselves at a server beside: with a role that can only read, where the database has one. As a superuser
 * anybody could end the recovery with a single function call.
 */
export async function waysToLook({
  scratch,
  database,
}: {
  scratch: Scratch;
  database: string;
}): Promise<Found & { connection: string }> {
  const permitted = await permittedPlaces(scratch);
  const reader = await withScratch(permitted, database, 'ways-to-look', readerOf);
  const words = `host=${permitted.places.socket} port=${scratchPort} dbname=${database}`;
  const owner = userInfo().username;
  const connection =
    reader === undefined
      ? `sudo -u ${owner} psql '${words} options=-crole=pg_read_all_data'`
      : `sudo -u ${owner} psql '${words} user=${reader}'`;
  return {
    connection,
    found: `${connection}${reader === undefined ? ' (a superuser in the role of a reader: do not reset it)' : ''}`,
  };
}
