import { lstat, readdir } from 'node:fs/promises';
import type { Member } from '../../plan/schema.ts';
import type { Onto } from '../contract-of-recovery.ts';
import { failure } from '../failure.ts';
import { realOrSame } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { findLive } from '../postgres/live-server.ts';
import { processesOf } from '../processes.ts';
import type { Found } from '../shapes.ts';

/**
 * What lies in the place of a data directory whose server is lost. Reads only, and opens nothing in it.
 *
 * @throws ServerAlive a process still works in it, be it after somebody has deleted it @throws NotReplaceable @throws NotPermitted
 */
export async function whatLies({ member }: { member: Member }): Promise<Found & { lies: Onto }> {
  const { host, dataDirectory } = member;
  await permitServerControl(member);
  const [child] = await processesOf(await realOrSame(dataDirectory));
  const pid = (await findLive(dataDirectory))?.pid ?? child?.pid;
  if (pid !== undefined)
    throw failure(
      'ServerAlive',
      `process ${pid} of a server works in ${dataDirectory} on ${host}; expected that nothing of the service runs. What it holds may be newer than the archive: use it, or stop it for good (a server whose directory was deleted goes on for a while).`,
    );
  const names = await namesIn(dataDirectory, host);
  if (names.length === 0)
    return { lies: 'nothing', found: `nothing lies in ${dataDirectory} on ${host}`, expected: 'no server' };
  const whole = names.includes('PG_VERSION') && names.includes('global');
  return {
    lies: 'remains',
    found: `${dataDirectory} on ${host} is not empty (${whole ? 'a data directory' : `${names.length} entries, no data directory`}), and no server runs in it`,
    expected: 'no server',
  };
}

async function namesIn(directory: string, host: string): Promise<string[]> {
  const found = await lstat(directory).catch(() => undefined);
  if (found === undefined) return [];
  if (found.isDirectory()) return readdir(directory);
  throw failure(
    'NotReplaceable',
    `${directory} on ${host} is ${found.isSymbolicLink() ? 'a link' : 'a file'}, expected a directory or nothing. Write the directory itself as dataDirectory in the plan, in the permit file and for the service manager.`,
  );
}
