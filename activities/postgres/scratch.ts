/** A server beside the live one: where everything of it lies. */
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../failure.ts';
import { loadPermit, type Permit, permitScratch, refuseLinks } from '../permit.ts';
import type { Scratch } from '../shapes.ts';

export interface Places {
  directory: string;
  /** Says which run made the directory. */
  madeBy: string;
  data: string;
  tablespaces: string;
  socket: string;
  log: string;
  serverLog: string;
  lock: string;
  spool: string;
  wal: string;
  configuration: string;
  hba: string;
  ident: string;
  restoreCommand: string;
  /** One line: why the restore_command waits. */
  reason: string;
  /** Names of files that the archive has proven not to hold, one a line. */
  absent: string;
  /** Written when the restore is complete and verified. */
  restored: string;
  /** Which target the server was started with, and where its log began. */
  target: string;
}

export function placesOf(directory: string): Places {
  const at = (name: string) => join(directory, name);
  return {
    directory,
    madeBy: at('lifeboat.json'),
    data: at('data'),
    tablespaces: at('tablespaces'),
    socket: at('socket'),
    log: at('log'),
    serverLog: at('log/postgresql.log'),
    lock: at('lock'),
    spool: at('spool'),
    wal: at('wal'),
    configuration: at('postgresql.conf'),
    hba: at('pg_hba.conf'),
    ident: at('pg_ident.conf'),
    restoreCommand: at('restore-command'),
    reason: at('restore-command.reason'),
    absent: at('log/absent'),
    restored: at('restored.json'),
    target: at('target.json'),
  };
}

/** The port only names the socket: the server listens on no network. */
export const scratchPort = 5432;

/** Longest path of a unix socket, bytes, without the final zero. @see sun_path in <sys/un.h> */
const longestSocket = 107;

function socketFile(places: Places): string {
  return join(places.socket, `.s.PGSQL.${scratchPort}`);
}

/** @throws NotPermitted a server there could not open its socket */
export function refuseLongSocket(places: Places): void {
  const length = Buffer.byteLength(socketFile(places));
  if (length > longestSocket)
    throw failure(
      'NotPermitted',
      `${socketFile(places)} has ${length} bytes, a socket's path may have ${longestSocket}. Choose a shorter scratch directory in the plan (drills.monthly.directory).`,
    );
}

export interface PermittedPlaces {
  places: Places;
  permit: Permit;
  /** Who connects to the server there; the superuser when absent. */
  user?: string | undefined;
}

/** The places of a scratch directory that the permit file allows. */
export async function permittedPlaces(scratch: Scratch): Promise<PermittedPlaces> {
  const permit = await loadPermit();
  await permitScratch(permit, scratch.directory);
  const places = placesOf(scratch.directory);
  await refuseLinks(Object.values(places));
  return { places, permit };
}

/** Closed to all others: it will hold the service's data, and whoever reaches the socket is a superuser. */
export async function makePlaces(places: Places): Promise<void> {
  await mkdir(places.directory, { recursive: true, mode: 0o700 });
  for (const one of [places.data, places.tablespaces, places.socket, places.log, places.lock, places.spool])
    await mkdir(one, { recursive: true, mode: 0o700 });
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A file is there whole or not at all, whenever the worker is killed. */
export async function writeWhole(file: string, text: string | Buffer, mode = 0o600): Promise<void> {
  await writeFile(`${file}.new`, text, { mode });
  await rename(`${file}.new`, file);
}

export async function empty(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
}
