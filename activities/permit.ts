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

const words = z.array(z.string().min(1)).min(1, 'write a program and its words');

const permitSchema = z.strictObject({
  /** Data directories of the live servers here. */
  dataDirectories: z.array(absolute).default([]),
  /** Servers beside the live ones are made and removed below these. */
  scratch: z
    .array(absolute.regex(/^[^,]*$/, 'write a path without a comma: PostgreSQL takes it for a list of sockets'))
    .default([]),
  /** Executables that a plan may name, such as an application's smoke test. */
  commands: z.array(absolute).default([]),
  /** Configuration files of pgBackRest: they decide which repository is read, and with which keys. */
  backupConfigurations: z.array(absolute).default([]),
  /** Live servers that may be stopped, started, promoted and replaced: see permit-control.ts. */
  serverControl: z
    .array(
      z.strictObject({
        dataDirectory: absolute,
        log: absolute.optional(),
        start: words.optional(),
        stop: words.optional(),
      }),
    )
    .default([]),
  /** Whom a failover may cut off from here, and by which words. */
  fences: z
    .array(z.strictObject({ hosts: z.array(z.string().min(1)).min(1), fence: words, confirm: words }))
    .default([]),
  /** Units of systemd that may be started and stopped, and how: see permit-unit.ts. */
  units: z
    .array(
      z.strictObject({
        unit: z.string().min(1),
        /** By which words systemctl is run, such as [/usr/bin/sudo, -n, /usr/bin/systemctl]; the last one is systemctl. */
        systemctl: words.refine((all) => all.at(-1)?.startsWith('/'), 'the last word is the path of systemctl'),
        /** What the unit's condition looks for: while this file is there nobody can start it. */
        quiesced: absolute.optional(),
        /** What it may be asked for its health. */
        health: z.array(z.string().min(1)).default([]),
      }),
    )
    .default([]),
  /** Redis servers that may be stopped, started and restored: see permit-cache.ts. */
  caches: z
    .array(
      z.strictObject({
        dataDirectory: absolute,
        config: absolute,
        start: words,
        stop: words,
        /** RDB files that may be restored into it. */
        restoreFrom: z.array(absolute).default([]),
      }),
    )
    .default([]),
  /** Files of keys that a warm-up may be given. */
  warmKeys: z.array(absolute).default([]),
  /** Directory of redis-server and redis-check-rdb. */
  redis: absolute.default('/usr/bin'),
  /** Files that may be backed up, restored and replaced, and what takes them up: see permit-files.ts. */
  files: z
    .array(
      z.strictObject({
        paths: z.array(absolute).min(1),
        repository: z.string().min(1),
        test: words.optional(),
        reload: words.optional(),
        workers: absolute.optional(),
      }),
    )
    .default([]),
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

/** Bytes. A list of paths is short; what is long is something else. */
const longest = 256 * 1024;

async function parsed(file: string): Promise<unknown> {
  try {
    const { size } = await regularFile(file);
    if (size > longest) throw new Error(`it has ${size} bytes, expected a list of paths of ${longest} at most`);
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw failure('NotPermitted', `the permit file ${file} cannot be read: ${wordsOf(error)}`, error);
  }
}

/** A pipe in its place would be waited for, and a directory says nothing. */
async function regularFile(file: string): Promise<{ size: number }> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error('it is no regular file');
  return found;
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
  const real = await realpath(file);
  if (await mayWrite(real))
    throw failure(
      'NotPermitted',
      `this user may write the permit file ${file}, so it permits everything. Give it to root: chown root ${file} && chmod 644 ${file}`,
    );
  if ((await stat(real)).uid === process.geteuid?.())
    return [`${file} belongs to this user, who could make it writable`];
  for (const [path, folder] of foldersOf(real))
    if (await mayReplaceIn(folder))
      throw failure(
        'NotPermitted',
        `this user may write ${folder}, and so put another ${basename(path)} in its place: ${file} permits everything. Keep it in a directory of root's, such as /etc/lifeboat.`,
      );
  return [];
}

/** A path and its folder, the folder and its own, up to the root. */
function foldersOf(path: string): [path: string, folder: string][] {
  const folder = dirname(path);
  return folder === path ? [] : [[path, folder], ...foldersOf(folder)];
}

/** In a sticky directory, such as /tmp, others' files stay what they are. */
async function mayReplaceIn(folder: string): Promise<boolean> {
  const { mode, uid } = await stat(folder);
  const sticky = (mode & 0o1000) !== 0;
  return (!sticky || uid === process.geteuid?.()) && (await mayWrite(folder));
}

async function mayWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/**
 * A directory for a server beside the live one: strictly below a scratch root, by plain names and without a link. What is made there is
 * written into configurations of other programs, which give a comma or a line break a meaning of their own.
 */
export async function permitScratch(permit: Permit, directory: string): Promise<void> {
  const real = await realPlace(directory, permit);
  for (const root of permit.scratch) {
    const place = await realOrSame(root);
    if (!isBelow(place, real)) continue;
    await refuseOpenRoot(place, permit);
    const way = relative(place, real);
    if (way.split('/').every((name) => plainName.test(name)) && endsWith(directory, way)) return;
    throw failure(
      'NotPermitted',
      `${shown(directory)} is not permitted by ${permit.file}: below ${root}, a path must have plain names (letters, digits, ".", "_", "-") and no link on its way. Correct the plan's drills.monthly.directory, or remove the link.`,
    );
  }
  throw notPermitted(directory, real, permit, 'scratch', dirname(real));
}

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Whether the path was written as it is, below its root: a link on the way would have made it another. */
function endsWith(path: string, way: string): boolean {
  return path.endsWith(`/${way}`);
}

/** Where anybody may write, anybody may put a link in the place of what was just looked at. */
async function refuseOpenRoot(root: string, permit: Permit): Promise<void> {
  const mode = await stat(root).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o002) !== 0)
    throw failure(
      'NotPermitted',
      `${root}, a scratch root of ${permit.file}, may be written by every user of this host. Close it: chmod o-w ${root}`,
    );
}

/** @throws NotPermitted one of the paths is a link: what is written to it would land elsewhere */
export async function refuseLinks(paths: string[]): Promise<void> {
  for (const path of paths) {
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (isLink)
      throw failure(
        'NotPermitted',
        `${path} is a link, expected what Lifeboat itself has made there. Find out who made it, and remove it.`,
      );
  }
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
  const leads = path === real ? '' : ` (it leads to ${shown(real)})`;
  return failure(
    'NotPermitted',
    `${shown(path)}${leads} is not permitted by ${permit.file}. If it is meant, an administrator of this host adds the line "- ${shown(entry)}" under "${list}:" there.`,
  );
}

/**
 * Where a path leads once every link on the way is followed. What does not exist yet is judged by the deepest folder that does.
 * `..` is refused, not resolved: after a link, the kernel and a text disagree on where it leads.
 */
export async function realPlace(path: string, permit: Permit): Promise<string> {
  if (typeof path !== 'string' || !isPlain(path))
    throw failure(
      'NotPermitted',
      `${shown(path)} is not permitted by ${permit.file}: a path must be absolute, without ".", "..", double or closing slashes and control characters. Write it as it is listed there.`,
    );
  const parts: string[] = [];
  for (let place = path; ; place = dirname(place)) {
    const real = await realpath(place).catch((error: NodeJS.ErrnoException) => {
      // A link that leads nowhere is there, and will be followed once its target exists.
      if (error.code === 'ENOENT') return undefined;
      throw failure('NotPermitted', `${shown(path)} cannot be followed (${error.code ?? error.message}).`);
    });
    if (real !== undefined) return join(real, ...parts);
    await refuseDanglingLink(place, path, permit);
    parts.unshift(basename(place));
  }
}

function isPlain(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /^(\/(?!\.{1,2}(\/|$))[^/\x00-\x1f\x7f]+)+$/.test(path);
}

/** What somebody sent as a path may be anything, of any length. */
function shown(path: unknown): string {
  return typeof path === 'string' ? JSON.stringify(path.slice(0, 200)).slice(1, -1) : `a ${typeof path}`;
}

async function refuseDanglingLink(place: string, path: string, permit: Permit): Promise<void> {
  const isLink = await lstat(place).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (isLink)
    throw failure(
      'NotPermitted',
      `${shown(path)} is not permitted by ${permit.file}: ${shown(place)} is a link that leads nowhere yet. Remove it.`,
    );
}

export function realOrSame(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
