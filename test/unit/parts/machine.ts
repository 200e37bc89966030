/** A made-up machine: a folder with programs that are short shell scripts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Surroundings } from '../../../parts/surroundings.ts';

export interface Machine {
  folder: string;
  around: Surroundings;
  /** Writes a program and returns its path; `path` is below the machine's folder. */
  program(path: string, script: string): Promise<string>;
}

export async function madeUpMachine(different: Partial<Surroundings> = {}): Promise<Machine> {
  const folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-machine-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const around: Surroundings = {
    env: {},
    directories: [join(folder, 'bin'), join(folder, 'other/bin')],
    cache: join(folder, 'cache'),
    packageManager: 'unknown',
    isRoot: false,
    servicePolicy: join(folder, 'policy-rc.d'),
    ...different,
  };
  const program = async (path: string, script: string) => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  };
  return { folder, around, program };
}
