import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Account } from './account.ts';

/** Where the processes of an estate find Lifeboat's compiled programs, and the Node that runs them. */
export interface Home {
  directory: string;
  node: string;
  program(name: string): string;
}

/** The folder of this package, whether its sources or its compiled files are running. */
export const packageRoot = findPackageRoot(dirname(fileURLToPath(import.meta.url)));

/**
 * The package itself where the database's account can read it; else a copy that it can, below /var/tmp.
 * A clone below root's home (0700) cannot be read by the postgres account, and host workers run as that account.
 */
export async function homeFor(account: Account, say: (line: string) => void): Promise<Home> {
  const entry = join(packageRoot, 'dist', 'lab', 'role-endpoint.js');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: build first, with npm run build`);
  const readable = await mayRead(account, [entry, join(packageRoot, 'node_modules', 'pg', 'package.json')]);
  const directory = readable ? packageRoot : await copyForOthers(say);
  const node = (await mayExecute(account, process.execPath)) ? process.execPath : await copyOfNode(say);
  return { directory, node, program: (name) => join(directory, 'dist', name) };
}

async function mayRead(account: Account, files: string[]): Promise<boolean> {
  const answers = await Promise.all(files.map((file) => test(account, '-r', file)));
  return answers.every(Boolean);
}

function mayExecute(account: Account, file: string): Promise<boolean> {
  return test(account, '-x', file);
}

/** The kernel's own answer, not our reading of mode bits. */
async function test(account: Account, what: '-r' | '-x', file: string): Promise<boolean> {
  if (account.ids === undefined) return true;
  const { exitCode } = await execa('test', [what, file], { ...account.ids, cwd: '/', reject: false });
  return exitCode === 0;
}

async function copyForOthers(say: (line: string) => void): Promise<string> {
  const lock = await readFile(join(packageRoot, 'package-lock.json'));
  const libraries = join(await cache(), `libraries-${digest(lock)}`);
  await once(libraries, async (unfinished) => {
    say('copying the libraries to where the database account can read them');
    await copyLibraries(JSON.parse(lock.toString()), unfinished);
  });
  const programs = await readTree(join(packageRoot, 'dist'));
  const directory = join(libraries, `lifeboat-${digest(programs)}`);
  await once(directory, async (unfinished) => {
    await cp(join(packageRoot, 'dist'), join(unfinished, 'dist'), { recursive: true });
    await cp(join(packageRoot, 'package.json'), join(unfinished, 'package.json'));
  });
  await removeOlder(libraries, 'lifeboat-', directory);
  await removeOlder(dirname(libraries), 'libraries-', libraries);
  return directory;
}

/** What production needs, for this platform alone: the natives of the other four are 100 MB. */
async function copyLibraries(lock: unknown, to: string): Promise<void> {
  for (const path of productionPackages(lock)) {
    const from = join(packageRoot, path);
    if (!existsSync(from)) continue;
    await cp(from, join(to, path), { recursive: true, filter: (file) => belongs(from, file) });
  }
}

function productionPackages(lock: unknown): string[] {
  const { packages = {} } = lock as { packages?: Record<string, { dev?: boolean; devOptional?: boolean }> };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path.startsWith('node_modules/') && !dev && !devOptional)
    .map(([path]) => path);
}

/** A nested node_modules is copied by its own entries; of the engine's natives only ours is. */
function belongs(packageDirectory: string, file: string): boolean {
  const inside = file.slice(packageDirectory.length).split(sep).filter(Boolean);
  if (inside[0] === 'node_modules') return false;
  const native = inside[0] === 'releases' && packageDirectory.endsWith(join('@temporalio', 'core-bridge')) && inside[1];
  return !native || native.startsWith(nativePrefix());
}

function nativePrefix(): string {
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return `${architecture}-${process.platform === 'darwin' ? 'apple' : 'unknown-linux'}`;
}

async function copyOfNode(say: (line: string) => void): Promise<string> {
  const directory = join(await cache(), `node-${process.version}`);
  await once(directory, async (unfinished) => {
    say('copying Node to where the database account can run it');
    await cp(process.execPath, join(unfinished, 'node'));
    await chmod(join(unfinished, 'node'), 0o755);
  });
  return join(directory, 'node');
}

/** Ours alone to write: anybody may create names in /var/tmp, and what lies here is run as another user. */
async function cache(): Promise<string> {
  const directory = `/var/tmp/lifeboat-${userInfo().uid}`;
  await mkdir(directory, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const { uid, mode } = await lstat(directory);
  const isDirectory = (await lstat(directory)).isDirectory();
  if (uid !== userInfo().uid || !isDirectory || (mode & 0o022) !== 0)
    throw new Error(`${directory} is not a directory that only this user can write: remove it, then try again`);
  await chmod(directory, 0o755);
  return directory;
}

/** Two processes may do this at once: each makes its own, the first rename wins. */
async function once(directory: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(directory)) return;
  const unfinished = await mkdtemp(`${directory}.unfinished-`);
  try {
    await make(unfinished);
    await chmod(unfinished, 0o755);
    await execa('chmod', ['-R', 'a+rX', unfinished]);
    await rename(unfinished, directory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}

/** Keeps the newest few: another estate may still run from the one before. */
async function removeOlder(folder: string, prefix: string, current: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  const dated = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), at: (await lstat(join(folder, name))).mtimeMs })),
  );
  const old = dated.sort((one, other) => other.at - one.at).slice(3);
  for (const { path } of old) if (path !== current) await rm(path, { recursive: true, force: true });
}

async function readTree(directory: string): Promise<Buffer> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => /\.(js|json)$/.test(name)).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(directory, name)));
  return hash.digest();
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

function findPackageRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('the folder of the package was not found: package.json is missing');
  return findPackageRoot(parent);
}

/** An executable script that runs one of our programs, for those who name a command by one path. */
export async function writeLauncher(file: string, home: Home, program: string, args: string[]): Promise<void> {
  const words = [home.node, home.program(program), ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\nexec ${words.join(' ')}\n`);
  await chmod(file, 0o755);
}
