/** The application of a live service: told to stop writing and to go on, and tested against the recovered database. */
import { join } from 'node:path';
import type { Application, ApplicationCommand, Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { loadPermit, permitCommand } from '../permit.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { inTemporary } from '../temporary.ts';
import { told } from './told.ts';

/**
 * Runs the plan's own command. It may be run twice: one that stops what is stopped already must end well.
 *
 * @throws NotPermitted @throws SmokeFailed with its last words
 */
export async function tellApplication(ask: {
  what: 'quiesce' | 'resume';
  command: ApplicationCommand;
}): Promise<Found> {
  const { command, within: withinMs, host } = ask.command;
  await permitCommand(await loadPermit(), command[0] ?? '');
  const ended = await inPassing((log) => told(host, { command, withinMs, log }));
  if (ended.good) return ended.found;
  throw failure(
    'SmokeFailed',
    `${ended.why} The application could not be told to ${ask.what === 'quiesce' ? 'stop writing' : 'write again'}: run it by hand on ${host}.`,
  );
}

/** The plan's test against the live database. What it writes stays there. @throws SmokeFailed @throws NotPermitted */
export async function smokeLive(ask: { member: Member; database: string; application: Application }): Promise<Found> {
  const { command, within: withinMs } = ask.application.smoke;
  const { place, permit } = await socketOf(ask.member);
  await permitCommand(permit, command[0] ?? '');
  const { name } = await withSession(place, ask.database, 'smoke', (client) =>
    one(client, 'select current_user::text as name'),
  );
  const env = {
    PGHOST: place.host,
    PGPORT: String(place.port),
    PGDATABASE: ask.database,
    PGUSER: name ?? 'postgres',
  };
  const ended = await inPassing((log) => told(ask.member.host, { command, withinMs, env, log }));
  if (ended.good) return ended.found;
  throw failure(
    'SmokeFailed',
    `${ended.why} The recovered database is in its place on ${ask.member.host}, and nobody is let in yet.`,
  );
}

/** What it says is in the result; its file is not kept. */
async function inPassing<T extends { good: boolean; found?: Found }>(body: (log: string) => Promise<T>): Promise<T> {
  return inTemporary('told', async (folder) => {
    const ended = await body(join(folder, 'said.log'));
    if (ended.found !== undefined) delete ended.found.log;
    return ended;
  });
}
