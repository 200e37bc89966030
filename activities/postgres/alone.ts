/** A live server of this host, started for a moment at which nobody but this user reaches it, and stopped again. */
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { askToEnd } from '../processes.ts';
import { socketOf } from './live-member.ts';
import { findLive, goneWithin } from './live-server.ts';
import { writeWhole } from './scratch.ts';
import { launch, privateMark } from './server-control.ts';

interface Alone {
  member: Member;
  /** Words of its usual start. */
  usual: readonly string[];
  /** For this start only. */
  settings: Record<string, string>;
  log: string;
}

/** Yields its pid; it is not ready, and not even sure to stay. */
export async function startAlone(permit: Permit, { member, usual, settings, log }: Alone): Promise<number> {
  const all: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: member.dataDirectory,
    unix_socket_permissions: '0700',
    hot_standby: 'on',
    ...settings,
  };
  const words = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return launch(permit, [...usual, '-c', privateMark, ...words], log, member);
}

/** Known by its socket, which lies where no server's usually does. */
export async function runsAlone(member: Member): Promise<boolean> {
  const { place } = await socketOf(member);
  return place.host === member.dataDirectory;
}

/** Also its words, which the next start would take for the usual ones. */
export async function stopAlone(permit: Permit, member: Member, usual: readonly string[]): Promise<void> {
  await stopBySignal(member.dataDirectory);
  const words = usual.map((word) => ` "${word}"`).join('');
  await writeWhole(join(member.dataDirectory, 'postmaster.opts'), `${join(permit.postgresql, 'postgres')}${words}\n`);
}

const stopsWithinMs = 60_000;

export async function stopBySignal(dataDirectory: string): Promise<void> {
  const live = await findLive(dataDirectory);
  if (live === undefined) return;
  askToEnd(live.pid, 'SIGINT');
  const gone = await goneWithin(dataDirectory, stopsWithinMs);
  if (!gone)
    throw failure('ServerControlFailed', `the server in ${dataDirectory} does not end. End it by hand (pg_ctl stop).`);
}
