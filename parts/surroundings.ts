/** The machine as the search for programs sees it; tests give another one. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Who installs programs here. */
export type PackageManager = 'apt' | 'dnf' | 'brew' | 'unknown';

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Directories with executables, in the order in which they are searched. */
  directories: string[];
  /** Where what was built or fetched is kept. */
  cache: string;
  packageManager: PackageManager;
  isRoot: boolean;
  /** Asked for by Debian's packages before they start or restart a service. */
  servicePolicy: string;
}

/** Off PATH for ordinary users, or not on it after an installation in the same shell. */
const usualDirectories = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
  '/usr/local/bin',
  '/usr/local/go/bin',
];

export async function surroundings(env: NodeJS.ProcessEnv = process.env): Promise<Surroundings> {
  const home = env.HOME ?? homedir();
  const onPath = (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const directories = [...onPath, ...usualDirectories, join(home, '.temporalio/bin'), join(home, 'go/bin')];
  return {
    env,
    directories: [...new Set(directories)],
    cache: cacheDirectory(env),
    packageManager: await packageManager(directories),
    isRoot: process.getuid?.() === 0,
    servicePolicy: '/usr/sbin/policy-rc.d',
  };
}

export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.LIFEBOAT_CACHE) return env.LIFEBOAT_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache'), 'lifeboat');
}

/** Every executable of this name, in the order of the directories. */
export async function executablesNamed(name: string, directories: string[]): Promise<string[]> {
  const found = await Promise.all(
    directories.map(async (directory) => {
      const path = join(directory, name);
      return (await isExecutable(path)) ? path : undefined;
    }),
  );
  return found.filter((path) => path !== undefined);
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function packageManager(directories: string[]): Promise<PackageManager> {
  for (const [manager, executable] of [
    ['apt', 'apt-get'],
    ['dnf', 'dnf'],
    ['brew', 'brew'],
  ] as const) {
    if ((await executablesNamed(executable, directories)).length > 0) return manager;
  }
  return 'unknown';
}
