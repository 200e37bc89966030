import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { loadPermit, type Permit, permitDataDirectory } from '../permit.ts';
import type { SocketPlace } from './session.ts';

/** Where a live server of this host lets its own user in: its pid file names port and socket directory. */
export async function socketOf(member: Member): Promise<{ place: SocketPlace; permit: Permit }> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  const file = join(member.dataDirectory, 'postmaster.pid');
  const lines = await readFile(file, 'utf8').then(
    (text) => text.split('\n'),
    (error: Error) => {
      throw failure(
        'DatabaseUnreachable',
        `no server runs in ${member.dataDirectory} on ${member.host}, expected one: ${error.message}`,
        error,
      );
    },
  );
  const port = Number(lines[3]);
  const host = lines[4]?.trim() ?? '';
  if (!Number.isInteger(port) || host === '')
    throw failure(
      'DatabaseUnreachable',
      `${file} names no unix socket. Set unix_socket_directories on ${member.host}, so that the database's own user can be let in without a password.`,
    );
  return { place: { host, port }, permit };
}
