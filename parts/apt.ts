/** Debian's and Ubuntu's packages. */
import { rm, writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { execa } from 'execa';
import { lowestGo } from './build.ts';
import { withLock } from './lock.ts';
import type { Say } from './part.ts';
import { withProgress } from './progress.ts';
import type { Recipe } from './recipe.ts';
import type { Surroundings } from './surroundings.ts';
import { compareVersions } from './version.ts';

/** Upstream version that apt would install; undefined when there is none. */
async function offeredByApt(name: string, around: Surroundings): Promise<string | undefined> {
  const { stdout } = await execa('apt-cache', ['policy', name], { ...quiet(around), reject: false, timeout: 60_000 });
  // `Candidate: 2:15+248` is epoch, version, revision.
  return /Candidate: (?:\d+:)?(\d[^\s+~-]*)/.exec(`${stdout}`)?.[1];
}

/** The packages that bring a program in the version that is needed, or undefined: some systems offer only older ones. */
export async function aptPackages(recipe: Recipe, around: Surroundings): Promise<string[] | undefined> {
  const packages = recipe.packages.apt ?? [];
  const main = packages[0];
  if (main === undefined) return undefined;
  const offered = await offeredByApt(main, around);
  if (offered !== undefined && compareVersions(offered, recipe.lowest) >= 0) return packages;
  const dated = `${main}-${recipe.lowest}`;
  return (await offeredByApt(dated, around)) === undefined ? undefined : [dated];
}

/** What a build still lacks; undefined when apt cannot help. */
export async function aptPackagesForTools(tools: string[], around: Surroundings): Promise<string[] | undefined> {
  const packages = { go: 'golang-go', mvn: 'maven', java: 'default-jre-headless' };
  const wanted = tools.map((tool) => (tool in packages ? packages[tool as keyof typeof packages] : tool));
  for (const name of wanted) {
    const offered = await offeredByApt(name, around);
    if (offered === undefined) return undefined;
    if (name === packages.go && compareVersions(offered, lowestGo) < 0) return undefined;
  }
  return wanted;
}

export async function updateApt(around: Surroundings, say: Say): Promise<void> {
  const update = { ...quiet(around), reject: false, timeout: 600_000 };
  await withLock(around.cache, 'apt', say, () =>
    withProgress(say, 'apt-get update', undefined, () => execa('apt-get', ['update', '-q'], update)),
  );
}

/** Installs packages and starts none of their services: the lab has its own, and the machine's are no business of ours. */
export async function installPackages(packages: string[], around: Surroundings, say: Say): Promise<void> {
  const install = ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', ...packages];
  await withLock(around.cache, 'apt', say, async () => {
    const release = await holdServicesBack(around.servicePolicy);
    try {
      await withProgress(say, `apt-get install ${packages.join(' ')}`, undefined, () =>
        execa('apt-get', install, { ...quiet(around), timeout: 1_800_000 }),
      );
    } finally {
      await release();
    }
  });
}

/** The policy lapses with this process, so that a crash leaves nothing that would matter; a policy of the machine's own stands. */
async function holdServicesBack(servicePolicy: string): Promise<() => Promise<void>> {
  const policy = `#!/bin/sh\n# Made by Lifeboat while it installs packages.\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  try {
    await writeFile(servicePolicy, policy, { flag: 'wx', mode: 0o755 });
  } catch {
    return async () => {};
  }
  return () => rm(servicePolicy, { force: true });
}

function quiet({ env, directories }: Surroundings) {
  const PATH = directories.join(delimiter);
  return {
    env: { ...env, PATH, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    all: true,
    stdin: 'ignore',
  } as const;
}
