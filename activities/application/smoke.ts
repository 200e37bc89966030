import { join } from 'node:path';
import { formatDuration } from '../../evidence/format.ts';
import type { Application } from '../../plan/schema.ts';
import { belongingTo, runLong } from '../child.ts';
import { failure } from '../failure.ts';
import { permitCommand } from '../permit.ts';
import { permittedPlaces, scratchPort } from '../postgres/scratch.ts';
import { findServer } from '../postgres/server.ts';
import { namesKill } from '../postgres/server-log.ts';
import { one } from '../postgres/session.ts';
import { withScratch } from '../postgres/standing.ts';
import type { Found, Scratch } from '../shapes.ts';
import { lastLines, sizeOf } from '../tail.ts';

/**
 * Runs the plan's own test of the application against the restored server: exit code 0 is healthy.
 *
 * @throws SmokeFailed with its last words @throws NotPermitted
 */
export async function smoke(ask: { scratch: Scratch; database: string; application: Application }): Promise<Found> {
  const permitted = await permittedPlaces(ask.scratch);
  const { places, permit } = permitted;
  const { command, within } = ask.application.smoke;
  const [file = '', ...words] = command;
  await permitCommand(permit, file);
  const user = await withScratch(
    permitted,
    ask.database,
    'smoke',
    async (client) => (await one(client, 'select current_user::text as name')).name,
  );
  const before = { server: await findServer(places), log: await sizeOf(places.serverLog) };
  const log = join(places.log, 'smoke.log');
  const started = Date.now();
  const { code, timedOut } = await runLong({
    file,
    words,
    env: {
      ...belongingTo(places.directory),
      PGHOST: places.socket,
      PGPORT: String(scratchPort),
      PGDATABASE: ask.database,
      PGUSER: user ?? 'postgres',
    },
    log,
    details: (lines) => ({ line: lines.at(-1) ?? '' }),
    withinMs: within,
  });
  const tail = await lastLines(log, 5);
  const evidence = { host: ask.scratch.host, path: log, lastLines: tail };
  if (code === 0 && !timedOut)
    return {
      found: `${tail.at(-1) ?? 'exit code 0, without a word'} (${formatDuration(Date.now() - started)})`,
      expected: `${command.join(' ')} ends with exit code 0`,
      log: evidence,
    };
  // One process of it that is killed makes it end all sessions and begin again: the application had no chance.
  if ((await findServer(places)) !== before.server || (await namesKill(places, before.log)))
    throw failure(
      'DatabaseUnreachable',
      `the server in ${places.data} ended while ${file} was working on it. See ${places.serverLog}.`,
    );
  throw failure(
    'SmokeFailed',
    `${file} ${timedOut ? `did not end within ${formatDuration(within)}` : `ended with exit code ${code}`}, expected 0. It said: ${tail.join(' | ').slice(0, 600) || 'nothing'}. The data may be right and the application wrong: run it by hand against a restored server.`,
  );
}
