/** Programs that no package of the system offers are built from a package registry, once, into the cache. */
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withLock } from './lock.ts';
import type { Say } from './part.ts';
import { withProgress } from './progress.ts';
import { pipCommand, pipInstall, usablePython } from './python.ts';
import type { Build, GoBuild, MavenBuild } from './recipe.ts';
import { executablesNamed, isExecutable, type Surroundings } from './surroundings.ts';
import { compareVersions } from './version.ts';

/** From this version on Go fetches the newer one that a program asks for. */
export const lowestGo = '1.21';
const longestBuildMs = 30 * 60_000;

/** Where a build ends up: the version is in the name, so that a new one never overwrites one in use. */
export function builtAt(cache: string, build: Build): string {
  return join(cache, `${build.executable}-${build.version}`);
}

/** What the build needs and the machine does not have: `go`, `mvn`, `java`, `python3-venv`. */
export async function missingTools(build: Build, around: Surroundings): Promise<string[]> {
  const { directories } = around;
  if (build.tool === 'pip') return (await usablePython(around)) === undefined ? ['python3-venv'] : [];
  if (build.tool === 'go') return (await usableGo(directories)) === undefined ? ['go'] : [];
  const there = await Promise.all(
    ['mvn', 'java'].map(async (tool) => [tool, await executablesNamed(tool, directories)]),
  );
  return there.flatMap(([tool, paths]) => (typeof tool === 'string' && paths?.length === 0 ? [tool] : []));
}

/** Safe when several processes do it at once: each builds for itself, and a rename puts the whole in place. */
export async function buildPart(build: Build, around: Surroundings, say: Say): Promise<void> {
  const place = builtAt(around.cache, build);
  const what = `${build.executable} ${build.version}`;
  await mkdir(around.cache, { recursive: true });
  // The lock only saves work that somebody else is already doing.
  await withLock(around.cache, build.executable, say, async () => {
    if (await isExecutable(join(place, build.executable))) return;
    const workshop = await mkdtemp(join(around.cache, '.building-'));
    try {
      await withProgress(say, doing(build, what), build.takes, () => make(build, workshop, around));
      // A temporary directory is made for its owner alone; the programs in it may be run by anybody.
      await chmod(workshop, 0o755);
      await rename(workshop, place).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  });
}

function doing(build: Build, what: string): string {
  if (build.tool === 'go') return `building ${what} with Go`;
  return `fetching ${what} with ${build.tool === 'pip' ? 'pip' : 'Maven'}`;
}

function make(build: Build, workshop: string, around: Surroundings): Promise<void> {
  if (build.tool === 'go') return goInstall(build, workshop, around);
  return build.tool === 'pip'
    ? pipInstall(build, workshop, around, longestBuildMs)
    : mavenFetch(build, workshop, around);
}

/** The command that a person would type for the same. */
export function buildCommand(build: Build, cache: string): string {
  if (build.tool === 'go') return `GOBIN=${builtAt(cache, build)} go install ${build.command}@v${build.version}`;
  if (build.tool === 'pip') return pipCommand(build, builtAt(cache, build));
  return `mvn dependency:get -Dartifact=${build.artifact}:${build.version}`;
}

async function goInstall(build: GoBuild, workshop: string, { directories, env }: Surroundings): Promise<void> {
  const go = await usableGo(directories);
  if (go === undefined) throw new Error(`Go ${lowestGo} or newer was not found`);
  // Removed with the workshop: an interrupted Go leaves hundreds of megabytes in the folder for temporary files.
  const temporary = join(workshop, 'tmp');
  await mkdir(temporary);
  await execa(go, ['install', '-trimpath', '-ldflags=-s -w', `${build.command}@v${build.version}`], {
    // An own directory: `go install` must see no go.mod and no go.work of somebody else's.
    cwd: workshop,
    env: {
      ...env,
      GOBIN: workshop,
      GOTMPDIR: temporary,
      CGO_ENABLED: '0',
      GOWORK: 'off',
      GOTOOLCHAIN: env.GOTOOLCHAIN ?? 'auto',
    },
    all: true,
    stdin: 'ignore',
    timeout: longestBuildMs,
  });
  await rm(temporary, { recursive: true, force: true });
}

async function mavenFetch(build: MavenBuild, workshop: string, { directories, env }: Surroundings): Promise<void> {
  const [mvn] = await executablesNamed('mvn', directories);
  if (mvn === undefined) throw new Error('Maven was not found');
  await writeFile(join(workshop, 'pom.xml'), projectFor(build));
  const copy = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'];
  await execa(mvn, copy, { cwd: workshop, env, all: true, stdin: 'ignore', timeout: longestBuildMs });
  const start = `#!/bin/sh\nexec java -cp "$(dirname -- "$0")/lib/*" ${build.mainClass} "$@"\n`;
  await writeFile(join(workshop, build.executable), start, { mode: 0o755 });
}

function projectFor({ artifact, version, executable }: MavenBuild): string {
  const [groupId, artifactId] = artifact.split(':');
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lifeboat</groupId><artifactId>${executable}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;
}

async function usableGo(directories: string[]): Promise<string | undefined> {
  for (const go of await executablesNamed('go', directories)) {
    const { stdout } = await execa(go, ['env', 'GOVERSION'], { reject: false, timeout: 20_000 });
    if (compareVersions(`${stdout}`, lowestGo) >= 0) return go;
  }
  return undefined;
}
