/**
 * A promise to the standby: its replay goes on, whatever becomes of this worker. A small process that waits and then resumes replay is
 * started *before* replay is paused, and ended once it goes on. It outlives a killed worker, and a restart of its service if need be.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { toolEnvironment } from '../child.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { type FoundProcess, processesWith, signal, waitForEnd } from '../processes.ts';
import type { SocketPlace } from './session.ts';

/**
 * "$0" names it in the process list; $1 seconds, $2 psql, $3 to $5 where and as whom. A SIGTERM, as a stopping service sends to all that
 * it has started, makes it resume replay at once.
 */
const script = `
within=$1 psql=$2 host=$3 port=$4 user=$5
go_on() {
  "$psql" -X -q -h "$host" -p "$port" -U "$user" -d postgres -c 'select pg_wal_replay_resume() where pg_is_in_recovery()'
  exit
}
trap go_on TERM INT HUP
sleep "$within" &
wait $!
go_on
`;

const nameFor = (dataDirectory: string) => `lifeboat-resumes-replay:${dataDirectory}`;

export function watchdogsOf(dataDirectory: string): Promise<FoundProcess[]> {
  return processesWith(nameFor(dataDirectory));
}

export async function startWatchdog(ask: {
  dataDirectory: string;
  place: SocketPlace;
  user: string;
  permit: Permit;
  withinMs: number;
}): Promise<void> {
  const { place, user, permit, withinMs } = ask;
  const words = [
    String(Math.ceil(withinMs / 1000)),
    join(permit.postgresql, 'psql'),
    place.host,
    String(place.port),
    user,
  ];
  const child = spawn('/bin/sh', ['-c', script, nameFor(ask.dataDirectory), ...words], {
    cwd: '/',
    env: toolEnvironment(),
    stdio: 'ignore',
    detached: true,
  });
  await new Promise<void>((resolve, reject) => {
    child.on('spawn', () => resolve());
    child.on('error', reject);
  });
  child.unref();
  if ((await watchdogsOf(ask.dataDirectory)).length === 0)
    throw failure('StandbyUnfit', 'replay was not paused: the process that would resume it in any case did not start.');
}

/** Only once replay is known to go on. */
export async function endWatchdogs(dataDirectory: string): Promise<void> {
  const found = await watchdogsOf(dataDirectory);
  // Each leads a group, with the sleep it waits for. It would take any milder signal for its call.
  for (const { pid } of found) signal(-pid, 'SIGKILL');
  await waitForEnd(found, 5_000);
}
