/** Stopping and starting a live server, each in the way that the plan says for its member. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import type { ServerControl } from '../../plan/server-control.ts';
import { runByWords } from '../by-words.ts';
import { toolEnvironment } from '../child.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import type { Controlled } from '../permit-control.ts';
import { askToEnd } from '../processes.ts';
import { findLive, goneWithin } from './live-server.ts';
import { spawnServer } from './server.ts';

/** @throws ServerControlFailed it still runs when the time is over */
export async function stopLive(member: Member, { control }: Controlled, withinMs: number): Promise<void> {
  if ((await findLive(member.dataDirectory)) === undefined) return;
  const deadline = performance.now() + withinMs;
  await (control.kind === 'pg_ctl' ? signalled(member) : command(member, control.stop, withinMs));
  const gone = await beating(
    () => ({ stopping: member.host }),
    () => goneWithin(member.dataDirectory, Math.max(1_000, deadline - performance.now())),
  );
  if (!gone)
    throw failure(
      'ServerControlFailed',
      `the server on ${member.host} was told to stop and still runs after ${withinMs / 1000} s. It waits for its archiver, or for a standby that does not take its last WAL: see its log.`,
    );
}

/** It is not ready, and not even sure to stay, when this returns. One that runs is left alone. */
export async function startLive(member: Member, { control, permit }: Controlled, withinMs: number): Promise<void> {
  if ((await findLive(member.dataDirectory)) !== undefined) return;
  await (control.kind === 'pg_ctl'
    ? launch(permit, await wordsOfLastStart(member), logOf(member, control), member)
    : command(member, control.start, withinMs));
}

/** SIGINT is the fast shutdown. @see PostgreSQL documentation, "Shutting Down the Server" */
async function signalled({ dataDirectory }: Member): Promise<void> {
  const live = await findLive(dataDirectory);
  if (live !== undefined) askToEnd(live.pid, 'SIGINT');
}

function logOf({ dataDirectory }: Member, { log }: Extract<ServerControl, { kind: 'pg_ctl' }>): string {
  return log ?? join(dataDirectory, 'pg_ctl.log');
}

/**
 * A server of this host, in a session of its own: it outlives the worker. Not as a tool of the activity, which the next attempt would end.
 */
export async function launch(
  permit: Permit,
  words: readonly string[],
  logFile: string,
  { dataDirectory }: Member,
): Promise<number> {
  return spawnServer(permit, words, { dataDirectory, logFile, env: toolEnvironment() });
}

/** Begins the words of a start that Lifeboat alone is meant to reach; all that follow it are of that start only. */
export const privateMark = 'cluster_name=lifeboat-alone';

/** What `pg_ctl restart` reads: program and words of the server's last start, each in double quotes. */
export async function wordsOfLastStart({ host, dataDirectory }: Member): Promise<string[]> {
  const file = join(dataDirectory, 'postmaster.opts');
  const text = await readFile(file, 'utf8').catch(() => '');
  const all = [...text.matchAll(/ "([^"]*)"/g)].map(([, word = '']) => word);
  const mark = all.indexOf(privateMark);
  const words = mark < 0 ? all : all.slice(0, mark - 1);
  if (words.length === 0)
    throw failure(
      'ServerControlFailed',
      `${file} on ${host} does not say how its server was last started, so it cannot be started in the same way. Start it by hand, or give the member control: { kind: command, start, stop } in the plan.`,
    );
  return words;
}

async function command({ host }: Member, words: readonly string[], withinMs: number): Promise<void> {
  await beating(
    () => ({ running: words[0] ?? '', host }),
    () => runByWords({ host, words, withinMs, plan: 'database.members' }),
  );
}
