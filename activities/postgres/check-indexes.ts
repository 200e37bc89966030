import { userInfo } from 'node:os';
import { join } from 'node:path';
import { belongingTo, runLong } from '../child.ts';
import { failure } from '../failure.ts';
import type { Found, Scratch } from '../shapes.ts';
import { lastLines, readFrom, sizeOf } from '../tail.ts';
import { type PermittedPlaces, permittedPlaces, scratchPort } from './scratch.ts';
import { one } from './session.ts';
import { withScratch } from './standing.ts';

/** libpq's words for a server that is gone, and the server's own when it goes. */
const lostServer =
  /server closed the connection|connection to server .* failed|terminating connection|the database system is /;

/**
 * Compares every B-tree index with its table, and the structure of tables and indexes, by PostgreSQL's own amcheck. Writes the extension
 * into the database, so it is for a promoted server that is thrown away; `asItIs` writes nothing, and does with what is there.
 *
 * @throws DataCorrupt names the relation @throws VersionMismatch amcheck is not installed on this host
 * @see PostgreSQL documentation, "pg_amcheck"
 */
export async function checkIndexes(ask: { scratch: Scratch; database: string; asItIs?: true }): Promise<Found> {
  const permitted = await permittedPlaces(ask.scratch);
  const { places, permit } = permitted;
  const user = await withScratch(permitted, ask.database, 'indexes', async (client) => {
    const { version } = await one(
      client,
      `select max(version) as version from pg_available_extension_versions where name = 'amcheck'`,
    );
    if (ask.asItIs) {
      const { installed } = await one(
        client,
        `select (select extversion from pg_extension where extname = 'amcheck') as installed`,
      );
      return installed === null
        ? undefined
        : ((await one(client, 'select current_user::text as name')).name ?? userInfo().username);
    }
    if (version === null)
      throw failure(
        'VersionMismatch',
        `this host has no extension amcheck, so indexes cannot be checked. Install PostgreSQL's contrib package for ${permit.postgresql}.`,
      );
    return (await one(client, 'select current_user::text as name')).name ?? userInfo().username;
  });
  if (user === undefined)
    return {
      found: `not compared: the extension amcheck is not installed in ${ask.database}, and nothing is installed on a database that is to serve`,
      expected: 'every table sound, every index agreeing with its table',
    };
  const log = join(places.log, 'amcheck.log');
  const start = await sizeOf(log);
  const { code } = await runLong({
    file: join(permit.postgresql, 'pg_amcheck'),
    words: [
      `--host=${places.socket}`,
      `--port=${scratchPort}`,
      `--username=${user}`,
      '--no-password',
      // On a server in recovery neither can be done.
      ...(ask.asItIs ? [] : ['--install-missing', '--parent-check']),
      '--heapallindexed',
      '--jobs=2',
      // A pattern: inside of quotes nothing has a meaning, neither dots, stars nor capital letters.
      `--database="${ask.database.replaceAll('"', '""')}"`,
    ],
    env: belongingTo(places.directory),
    log,
    details: (lines) => ({ line: lines.at(-1) ?? '' }),
  });
  const said = await readFrom(log, start);
  const result = { host: ask.scratch.host, path: log, lastLines: await lastLines(log, 5) };
  if (code === 0)
    return {
      found: await counted(permitted, ask.database),
      expected: 'every table sound, every index agreeing with its table',
      log: result,
    };
  const damaged = [
    ...said.matchAll(/^(?:btree index|heap table) "([^"]+)"(?:, [^:]*)?:\s*\n?\s*(?:ERROR: )?\s*(.*)$/gm),
  ];
  if (damaged.length === 0 && lostServer.test(said))
    throw failure(
      'DatabaseUnreachable',
      `the server in ${places.data} ended while its indexes were read: ${said.trim().slice(-300)}. See ${places.serverLog}.`,
    );
  if (damaged.length === 0)
    throw failure('DataCorrupt', `pg_amcheck ended with code ${code}: ${said.trim().slice(-600)}. See ${log}.`);
  const relations = [...new Set(damaged.map(([, name, words]) => `${name} (${words})`))];
  throw failure(
    'DataCorrupt',
    `${relations.length} relations are damaged: ${relations.slice(0, 5).join('; ')}. The live database may be damaged in the same way: check it with pg_amcheck, and REINDEX what is only an index.`,
  );
}

async function counted(permitted: PermittedPlaces, database: string): Promise<string> {
  const row = await withScratch(permitted, database, 'indexes', (client) =>
    one(
      client,
      `select count(*) filter (where relkind in ('r', 't', 'm')) as tables,
         count(*) filter (where relkind = 'i' and relam = (select oid from pg_am where amname = 'btree')) as indexes
       from pg_class`,
    ),
  );
  return `${row.tables} tables and ${row.indexes} B-tree indexes are sound, every row is in its indexes`;
}
