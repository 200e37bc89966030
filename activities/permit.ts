/**
 * What this host allows Lifeboat to touch. Whoever can start a workflow can name any path: only this file, which the worker's
 * user cannot write, says which of them are meant.
 */
import { constants } from 'node:fs';
import { access, lstat, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { failure } from './failure.ts';

const absolute = z.string().startsWith('/', 'write an absolute path');

const permitSchema = z.strictObject({
  /** Data directories of the live servers here. */
  dataDirectories: z.array(absolute).default([]),
  /** Servers beside the live ones are made and removed below these. */
  scratch: z.array(absolute).default([]),
  /** Executables that a plan may name, such as an application's smoke test. */
  commands: z.array(absolute).default([]),
  /** Configuration files of pgBackRest: they decide which repository is read, and with which keys. */
  backupConfigurations: z.array(absolute).default([]),
  /** Directory of PostgreSQL's programs. */
  postgresql: absolute,
});

export interface Permit extends z.output<typeof permitSchema> {
  file: string;
}

/** Read anew by each activity: what an administrator takes away is gone at once. */
export async function loadPermit(): Promise<Permit> {
  const file = process.env.LIFEBOAT_PERMIT;
  if (file === undefined || file === '')
    throw failure(
      'NotPermitted',
      'LIFEBOAT_PERMIT is not set, so nothing is permitted here. Point it to the permit file of this host.',
    );
  const permit = permitSchema.safeParse(await parsed(file));
  if (permit.success) return { ...permit.data, file };
  const problems = permit.error.issues.map((one) => `${one.path.join('.') || 'the file'}: ${one.message}`);
  throw failure('NotPermitted', `the permit file ${file} cannot be used: ${problems.join('; ')}`);
}

async function parsed(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw failure('NotPermitted', `the permit file ${file} cannot be read: ${wordsOf(error)}`, error);
  }
}

/**
 * Refuses to serve where the permit file would protect nothing.
 *
 * @returns what an administrator should still mend, one sentence each
 */
export async function guardPermit(): Promise<string[]> {
  if (process.geteuid?.() === 0)
    throw failure('NotPermitted', 'a host worker does not run as root. Start it as the user that owns the database.');
  const { file } = await loadPermit();
  if (await mayWrite(file))
    throw failure(
      'NotPermitted',
      `this user may write the permit file ${file}, so it permits everything. Give it to root: chown root ${file} && chmod 644 ${file}`,
    );
  const [{ uid }, folderIsOpen] = await Promise.all([stat(file), mayWrite(dirname(file))]);
  return [
    ...(uid === process.geteuid?.() ? [`${file} belongs to this user, who could make it writable`] : []),
    ...(folderIsOpen ? [`this user may write ${dirname(file)}, and so replace ${basename(file)}`] : []),
  ];
}

async function mayWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** A directory for a server beside the live one: strictly below a scratch root. */
export async function permitScratch(permit: Permit, directory: string): Promise<void> {
  const real = await realPlace(directory, permit);
  for (const root of permit.scratch) if (isBelow(await realOrSame(root), real)) return;
  throw notPermitted(directory, real, permit, 'scratch', dirname(real));
}

/** The data directory of a live server. */
export async function permitDataDirectory(permit: Permit, directory: string): Promise<void> {
  await permitListed(permit, directory, 'dataDirectories');
}

/** A pgBackRest configuration. */
export async function permitBackupConfiguration(permit: Permit, file: string): Promise<void> {
  await permitListed(permit, file, 'backupConfigurations');
}

/** An executable named by a plan. */
export async function permitCommand(permit: Permit, file: string): Promise<void> {
  await permitListed(permit, file, 'commands');
}

async function permitListed(
  permit: Permit,
  path: string,
  list: 'dataDirectories' | 'backupConfigurations' | 'commands',
): Promise<void> {
  const real = await realPlace(path, permit);
  for (const one of permit[list]) if ((await realOrSame(one)) === real) return;
  throw notPermitted(path, real, permit, list, real);
}

function notPermitted(path: string, real: string, permit: Permit, list: string, entry: string): Error {
  const leads = path === real ? '' : ` (it leads to ${real})`;
  return failure(
    'NotPermitted',
    `${path}${leads} is not permitted by ${permit.file}. If it is meant, an administrator of this host adds the line "- ${entry}" under "${list}:" there.`,
  );
}

/**
 * Where a path leads once every link on the way is followed. What does not exist yet is judged by the deepest folder that does.
 * `..` is refused, not resolved: after a link, the kernel and a text disagree on where it leads.
 */
async function realPlace(path: string, permit: Permit): Promise<string> {
  if (!isAbsolute(path) || path.includes('\0') || path.split('/').some((part) => part === '..' || part === '.'))
    throw failure(
      'NotPermitted',
      `${path} is not permitted by ${permit.file}: a path must be absolute, without "." and "..". Write it as it is listed there.`,
    );
  const parts: string[] = [];
  for (let place = path; ; place = dirname(place)) {
    const real = await realpath(place).catch((error: NodeJS.ErrnoException) => {
      // A link that leads nowhere is there, and will be followed once its target exists.
      if (error.code === 'ENOENT') return undefined;
      throw failure('NotPermitted', `${path} cannot be followed: ${wordsOf(error)}`, error);
    });
    if (real !== undefined) return join(real, ...parts);
    await refuseDanglingLink(place, path, permit);
    parts.unshift(basename(place));
  }
}

async function refuseDanglingLink(place: string, path: string, permit: Permit): Promise<void> {
  const isLink = await lstat(place).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (isLink)
    throw failure(
      'NotPermitted',
      `${path} is not permitted by ${permit.file}: ${place} is a link that leads nowhere yet. Remove it.`,
    );
}

function realOrSame(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
