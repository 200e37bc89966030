/** PostgreSQL's server programs: most systems keep them in a directory that is not on PATH. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Candidate } from './recipe.ts';
import { executablesNamed, isExecutable, type Surroundings } from './surroundings.ts';
import { newestFirst } from './version.ts';

/** All of them are driven; some systems put a few into packages of their own. */
const programs = [
  'initdb',
  'postgres',
  'pg_ctl',
  'pg_basebackup',
  'pg_waldump',
  'pg_amcheck',
  'pg_checksums',
  'pg_controldata',
  'psql',
];

/** `parent`, then in each of its directories whose name begins with `prefix`, `inside`. */
const installations = [
  { parent: '/usr/lib/postgresql', prefix: '', inside: 'bin' },
  { parent: '/usr', prefix: 'pgsql-', inside: 'bin' },
  { parent: '/opt/homebrew/opt', prefix: 'postgresql@', inside: 'bin' },
  { parent: '/usr/local/opt', prefix: 'postgresql@', inside: 'bin' },
  { parent: '/Applications/Postgres.app/Contents/Versions', prefix: '', inside: 'bin' },
];

export async function postgresqlCandidates({ directories }: Surroundings): Promise<Candidate[]> {
  const onPath = (await executablesNamed('initdb', directories)).map((initdb) => dirname(initdb));
  const configured = await Promise.all((await executablesNamed('pg_config', directories)).map(binaryDirectory));
  const installed = await Promise.all(installations.map(installedBelow));
  const all = [...onPath, ...configured.flat(), ...installed.flat()];
  return [...new Set(all)].map((path) => ({ path }));
}

/** The version, when every program is there. */
export async function postgresqlVersion(directory: string): Promise<string | undefined> {
  const there = await Promise.all(programs.map((program) => isExecutable(join(directory, program))));
  if (there.includes(false)) return undefined;
  const { stdout } = await execa(join(directory, 'postgres'), ['--version'], { reject: false, timeout: 20_000 });
  return /PostgreSQL\) (\d+(?:\.\d+)?)/.exec(`${stdout}`)?.[1];
}

/** `pg_config` comes with the client's headers too: its directory need not hold a server. */
async function binaryDirectory(pgConfig: string): Promise<string[]> {
  const { stdout, failed } = await execa(pgConfig, ['--bindir'], { reject: false, timeout: 20_000 });
  const directory = `${stdout}`.trim();
  return !failed && (await isExecutable(join(directory, 'initdb'))) ? [directory] : [];
}

async function installedBelow({ parent, prefix, inside }: (typeof installations)[number]): Promise<string[]> {
  const entries = await readdir(parent).catch(() => []);
  const directories = entries.filter((entry) => entry.startsWith(prefix) && /\d/.test(entry));
  return newestFirst(directories).map((entry) => join(parent, entry, inside));
}
