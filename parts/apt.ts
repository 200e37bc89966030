/** Debian's and Ubuntu's packages. */
import { rm, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { lowestGo } from './build.ts';
import { withLock } from './lock.ts';
import type { Say } from './part.ts';
import { withProgress } from './progress.ts';
import type { Recipe } from './recipe.ts';
import { compareVersions } from './version.ts';

const quietly = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
/** Asked for by Debian's packages before they start or restart a service. */
const servicePolicy = '/usr/sbin/policy-rc.d';

/** Upstream version that apt would install; undefined when there is none. */
export async function offeredByApt(name: string): Promise<string | undefined> {
  const { stdout } = await execa('apt-cache', ['policy', name], { env: quietly, reject: false, timeout: 60_000 });
  // `Candidate: 2:15+248` is epoch, version, revision.
  return /Candidate: (?:\d+:)?(\d[^\s+~-]*)/.exec(`${stdout}`)?.[1];
}

/** The packages that bring a program in the version that is needed, or undefined: some systems offer only older ones. */
export async function aptPackages(recipe: Recipe): Promise<string[] | undefined> {
  const packages = recipe.packages.apt ?? [];
  const main = packages[0];
  if (main === undefined) return undefined;
  const offered = await offeredByApt(main);
  if (offered !== undefined && compareVersions(offered, recipe.lowest) >= 0) return packages;
  const dated = `${main}-${recipe.lowest}`;
  return (await offeredByApt(dated)) === undefined ? undefined : [dated];
}

/** What a build still lacks; undefined when apt cannot help. */
export async function aptPackagesForTools(tools: string[]): Promise<string[] | undefined> {
  const packages = { go: 'golang-go', mvn: 'maven', java: 'default-jre-headless' };
  const wanted = tools.map((tool) => (tool in packages ? packages[tool as keyof typeof packages] : tool));
  for (const name of wanted) {
    const offered = await offeredByApt(name);
    if (offered === undefined) return undefined;
    if (name === packages.go && compareVersions(offered, lowestGo) < 0) return undefined;
  }
  return wanted;
}

export async function updateApt(cache: string, say: Say): Promise<void> {
  await withLock(cache, 'apt', say, () =>
    withProgress(say, 'apt-get update', undefined, () =>
      execa('apt-get', ['update', '-q'], { env: quietly, reject: false, all: true, timeout: 600_000 }),
    ),
  );
}

/** Installs packages and starts none of their services: the lab has its own, and the machine's are no business of ours. */
export async function installPackages(packages: string[], cache: string, say: Say): Promise<void> {
  const install = ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', ...packages];
  await withLock(cache, 'apt', say, async () => {
    const release = await holdServicesBack();
    try {
      await withProgress(say, `apt-get install ${packages.join(' ')}`, undefined, () =>
        execa('apt-get', install, { env: quietly, all: true, timeout: 1_800_000, stdin: 'ignore' }),
      );
    } finally {
      await release();
    }
  });
}

/** The policy lapses with this process, so that a crash leaves nothing that would matter; a policy of the machine's own stands. */
async function holdServicesBack(): Promise<() => Promise<void>> {
  const policy = `#!/bin/sh\n# Made by Lifeboat while it installs packages.\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;
  try {
    await writeFile(servicePolicy, policy, { flag: 'wx', mode: 0o755 });
  } catch {
    return async () => {};
  }
  return () => rm(servicePolicy, { force: true });
}
