/** Programs of the Python Package Index: each in a virtual environment of its own, with a starter that finds it where it lies. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { PipBuild } from './recipe.ts';
import { executablesNamed, type Surroundings } from './surroundings.ts';
import { compareVersions } from './version.ts';

const lowestPython = '3.10';

/** Debian's Python comes without what makes virtual environments. */
const question = 'import ensurepip, venv, platform; print(platform.python_version())';

export async function usablePython({ directories }: Surroundings): Promise<string | undefined> {
  for (const python of await executablesNamed('python3', directories)) {
    const { stdout, failed } = await execa(python, ['-c', question], { reject: false, timeout: 20_000 });
    if (!failed && compareVersions(`${stdout}`, lowestPython) >= 0) return python;
  }
  return undefined;
}

export async function pipInstall(build: PipBuild, workshop: string, around: Surroundings, withinMs: number) {
  const python = await usablePython(around);
  if (python === undefined) throw new Error(`Python ${lowestPython} or newer with venv was not found`);
  const options = { cwd: workshop, env: around.env, all: true, stdin: 'ignore', timeout: withinMs } as const;
  await execa(python, ['-m', 'venv', 'venv'], options);
  const own = join(workshop, 'venv', 'bin', 'python3');
  await execa(own, ['-m', 'pip', 'install', '-q', `${build.package}==${build.version}`], options);
  // By the interpreter: programs that pip writes name the place where they were installed, and the workshop is moved.
  const start = `#!/bin/sh\nexec "$(dirname -- "$0")/venv/bin/python3" -m ${build.module} "$@"\n`;
  await writeFile(join(workshop, build.executable), start, { mode: 0o755 });
}

/** The command that a person would type for the same. */
export function pipCommand({ package: wanted, version, executable }: PipBuild, place: string): string {
  const own = join(place, 'bin');
  return `python3 -m venv ${place} && ${own}/pip install '${wanted}==${version}' && ln -s bin/${executable} ${place}/`;
}
