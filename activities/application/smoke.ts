import { join } from 'node:path';
import type { Application } from '../../plan/schema.ts';
import { belongingTo } from '../child.ts';
import { failure } from '../failure.ts';
import { permitCommand } from '../permit.ts';
import { permittedPlaces, scratchPort } from '../postgres/scratch.ts';
import { findServer } from '../postgres/server.ts';
import { namesKill } from '../postgres/server-log.ts';
import { one } from '../postgres/session.ts';
import { withScratch } from '../postgres/standing.ts';
import type { Found, Scratch } from '../shapes.ts';
import { sizeOf } from '../tail.ts';
import { told } from './told.ts';

/**
 * Runs the plan's own test of the application against the restored server: exit code 0 is healthy.
 *
 * @throws SmokeFailed with its last words @throws NotPermitted
 */
export async function smoke(ask: { scratch: Scratch; database: string; application: Application }): Promise<Found> {
  const permitted = await permittedPlaces(ask.scratch);
  const { places, permit } = permitted;
  const { command, within } = ask.application.smoke;
  const [file = ''] = command;
  await permitCommand(permit, file);
  const user = await withScratch(
    permitted,
    ask.database,
    'smoke',
    async (client) => (await one(client, 'select current_user::text as name')).name,
  );
  const before = { server: await findServer(places), log: await sizeOf(places.serverLog) };
  const env = {
    ...belongingTo(places.directory),
    PGHOST: places.socket,
    PGPORT: String(scratchPort),
    PGDATABASE: ask.database,
    PGUSER: user ?? 'postgres',
  };
  const log = join(places.log, 'smoke.log');
  const ended = await told(ask.scratch.host, { command, withinMs: within, env, log });
  if (ended.good) return ended.found;
  // One process of it that is killed makes it end all sessions and begin again: the application had no chance.
  if ((await findServer(places)) !== before.server || (await namesKill(places, before.log)))
    throw failure(
      'DatabaseUnreachable',
      `the server in ${places.data} ended while ${file} was working on it. See ${places.serverLog}.`,
    );
  throw failure(
    'SmokeFailed',
    `${ended.why} The data may be right and the application wrong: run it by hand against a restored server.`,
  );
}
