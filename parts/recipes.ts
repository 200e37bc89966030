/** The catalogue of programs: what is needed, from which version on, and where it comes from. */
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { builtAt } from './build.ts';
import type { PartName } from './part.ts';
import { postgresqlCandidates, postgresqlVersion } from './postgresql.ts';
import type { Build, Candidate, GoBuild, MavenBuild, PipBuild, Recipe } from './recipe.ts';
import { executablesNamed, isExecutable, type Surroundings } from './surroundings.ts';
import { compareVersions } from './version.ts';

/** Newer versions of the Temporal CLI have replace directives, which `go install` refuses. */
const temporalBuild: GoBuild = {
  tool: 'go',
  command: 'github.com/temporalio/cli/cmd/temporal',
  version: '1.5.1',
  executable: 'temporal',
  takes: '3 to 4 min on two cores',
};

const versitygwBuild: GoBuild = {
  tool: 'go',
  command: 'github.com/versity/versitygw/cmd/versitygw',
  version: '1.7.0',
  executable: 'versitygw',
  takes: 'about a minute on two cores',
};

const toxiproxyBuild: GoBuild = {
  tool: 'go',
  command: 'github.com/Shopify/toxiproxy/v2/cmd/server',
  version: '2.12.0',
  executable: 'server',
  takes: 'some 10 s',
};

const testServerBuild: MavenBuild = {
  tool: 'mvn',
  artifact: 'io.temporal:temporal-test-server',
  version: '1.38.0',
  mainClass: 'io.temporal.testserver.TestServer',
  executable: 'temporal-test-server',
  takes: 'some 10 s',
};

const motoBuild: PipBuild = {
  tool: 'pip',
  package: 'moto[server]',
  version: '5.2.3',
  module: 'moto.server',
  executable: 'moto_server',
  takes: 'about a minute',
};

const recipes: Recipe[] = [
  {
    name: 'postgresql',
    title: 'PostgreSQL server programs',
    purpose: 'the database',
    variable: 'LIFEBOAT_POSTGRESQL',
    lowest: '15',
    candidates: postgresqlCandidates,
    version: postgresqlVersion,
    packages: {
      apt: ['postgresql'],
      dnf: ['postgresql-server', 'postgresql-contrib'],
      brew: ['postgresql@17'],
    },
  },
  {
    name: 'pgbackrest',
    title: 'pgBackRest',
    purpose: 'backups and the WAL archive',
    variable: 'LIFEBOAT_PGBACKREST',
    lowest: '2.41',
    candidates: onPath('pgbackrest'),
    version: (path) => says(path, ['version'], /pgBackRest (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['pgbackrest'], dnf: ['pgbackrest'], brew: ['pgbackrest'] },
  },
  {
    name: 'haproxy',
    title: 'HAProxy',
    purpose: 'the front door',
    variable: 'LIFEBOAT_HAPROXY',
    lowest: '2.2',
    candidates: onPath('haproxy'),
    version: (path) => says(path, ['-v'], /HA-?Proxy version (\d+\.\d+(?:\.\d+)*)/i),
    packages: { apt: ['haproxy'], dnf: ['haproxy'], brew: ['haproxy'] },
  },
  {
    name: 'temporal',
    title: 'Temporal CLI with server',
    purpose: 'the engine of the lab',
    variable: 'TEMPORAL_CLI',
    lowest: '1.4',
    candidates: onPathOrBuilt(temporalBuild),
    version: temporalVersion,
    packages: { brew: ['temporal'] },
    build: temporalBuild,
  },
  {
    name: 'versitygw',
    title: 'Versity S3 Gateway',
    purpose: 'the object store of the lab',
    variable: 'LIFEBOAT_VERSITYGW',
    // One that was built by `go install` calls itself git: it cannot be judged.
    lowest: '0',
    candidates: onPathOrBuilt(versitygwBuild),
    version: (path) => says(path, ['--version'], /Version\s*:\s*v?(\S+)/),
    packages: {},
    build: versitygwBuild,
  },
  {
    name: 'toxiproxy',
    title: 'Toxiproxy',
    purpose: 'the link between two sites of the lab, which can be cut and slowed',
    variable: 'LIFEBOAT_TOXIPROXY',
    // One that was built by `go install` calls itself git: it cannot be judged.
    lowest: '0',
    candidates: async (around) => [
      ...(await onPath('toxiproxy-server')(around)),
      ...(await built(around.cache, toxiproxyBuild)),
    ],
    version: (path) => says(path, ['-version'], /version (\S+)/),
    packages: { brew: ['toxiproxy'] },
    build: toxiproxyBuild,
  },
  {
    name: 'test-server',
    title: 'Temporal test server',
    purpose: 'workflow tests in which time is skipped',
    variable: 'LIFEBOAT_TEST_SERVER',
    lowest: '0',
    candidates: testServerCandidates,
    // It knows no option but a port, so one that Lifeboat did not fetch cannot be judged either.
    version: async (path) => ((await isExecutable(path)) ? 'of unknown version' : undefined),
    packages: {},
    build: testServerBuild,
  },
  {
    name: 'openssl',
    title: 'OpenSSL',
    purpose: 'certificates of the lab',
    variable: 'LIFEBOAT_OPENSSL',
    lowest: '1.1.1',
    candidates: onPath('openssl'),
    version: (path) => says(path, ['version'], /(?:Open|Libre)SSL (\d+\.\d+\.\d+)/),
    packages: { apt: ['openssl'], dnf: ['openssl'], brew: ['openssl@3'] },
  },
  {
    name: 'libfaketime',
    title: 'libfaketime',
    purpose: 'tests in which a clock is wrong',
    variable: 'LIFEBOAT_LIBFAKETIME',
    lowest: '0',
    candidates: libfaketimeCandidates,
    // A library does not tell its version.
    version: async (path) => ((await isThere(path)) ? 'of unknown version' : undefined),
    packages: { apt: ['libfaketime'], dnf: ['libfaketime'], brew: ['libfaketime'] },
  },
  {
    name: 'chromium',
    title: 'Chromium or Chrome',
    purpose: 'tests of the report page',
    variable: 'LIFEBOAT_CHROMIUM',
    lowest: '100',
    candidates: chromiumCandidates,
    version: (path) => says(path, ['--version'], /(?:Chromium|Chrome) (\d+(?:\.\d+)*)/),
    packages: { apt: ['chromium'], dnf: ['chromium'] },
  },
  {
    name: 'promtool',
    title: 'promtool',
    purpose: 'tests of metrics and alert rules',
    variable: 'LIFEBOAT_PROMTOOL',
    lowest: '2.30',
    candidates: onPath('promtool'),
    version: (path) => says(path, ['--version'], /promtool, version (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['prometheus'], dnf: ['golang-github-prometheus'], brew: ['prometheus'] },
  },
  {
    name: 'named',
    title: 'BIND (named)',
    purpose: 'the DNS servers of the lab',
    variable: 'LIFEBOAT_NAMED',
    lowest: '9.16',
    candidates: onPath('named'),
    version: (path) => says(path, ['-v'], /BIND (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['bind9'], dnf: ['bind'], brew: ['bind'] },
  },
  {
    name: 'nsupdate',
    title: "BIND's nsupdate",
    purpose: 'changes of a DNS zone by RFC 2136',
    variable: 'LIFEBOAT_NSUPDATE',
    lowest: '9.16',
    candidates: onPath('nsupdate'),
    version: (path) => says(path, ['-V'], /nsupdate (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['bind9-dnsutils'], dnf: ['bind-utils'], brew: ['bind'] },
  },
  {
    name: 'moto',
    title: 'moto',
    purpose: 'tests of Route 53',
    variable: 'LIFEBOAT_MOTO',
    lowest: '0',
    // Ours alone: what it can do changes with every version, and it does not tell which one it is.
    candidates: ({ cache }) => built(cache, motoBuild),
    version: async (path) => ((await isExecutable(path)) ? 'of unknown version' : undefined),
    packages: {},
    build: motoBuild,
  },
  {
    name: 'patroni',
    title: 'Patroni',
    purpose: 'tests on a cluster that Patroni keeps',
    variable: 'LIFEBOAT_PATRONI',
    lowest: '3.0',
    candidates: onPath('patroni'),
    version: (path) => says(path, ['--version'], /patroni (\d+\.\d+(?:\.\d+)*)/),
    // Without the second it cannot speak with etcd.
    packages: { apt: ['patroni', 'python3-etcd'], dnf: ['patroni', 'patroni-etcd'], brew: ['patroni'] },
  },
  {
    name: 'etcd',
    title: 'etcd',
    purpose: 'the store in which Patroni keeps its lock, in tests',
    variable: 'LIFEBOAT_ETCD',
    lowest: '3.4',
    candidates: onPath('etcd'),
    version: (path) => says(path, ['--version'], /etcd Version: (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['etcd-server'], dnf: ['etcd'], brew: ['etcd'] },
  },
  {
    name: 'systemd',
    title: 'systemd',
    purpose: 'tests of applications that systemd keeps, in a machine of their own',
    variable: 'LIFEBOAT_SYSTEMD',
    lowest: '247',
    // It lies on nobody's PATH.
    candidates: async () => ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].map((path) => ({ path })),
    version: (path) => says(path, ['--version'], /systemd (\d+)/),
    // Without the bus nobody but root can ask it anything.
    packages: { apt: ['systemd', 'dbus'], dnf: ['systemd', 'dbus'] },
  },
  {
    name: 'sudo',
    title: 'sudo',
    purpose: 'tests of what a host worker may do to systemd',
    variable: 'LIFEBOAT_SUDO',
    lowest: '1.9',
    candidates: onPath('sudo'),
    version: (path) => says(path, ['-V'], /Sudo version (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['sudo'], dnf: ['sudo'] },
  },
  {
    name: 'redis',
    title: 'Redis server',
    purpose: 'tests of a cache that Redis Sentinel keeps',
    variable: 'LIFEBOAT_REDIS',
    // AOF in a directory of its own.
    lowest: '7.0',
    // A Sentinel is the same program, by another word.
    candidates: onPath('redis-server'),
    version: (path) => says(path, ['--version'], /Redis server v=(\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['redis-server', 'redis-tools'], dnf: ['redis'], brew: ['redis'] },
  },
  {
    name: 'restic',
    title: 'restic',
    purpose: 'backups of files, where a plan has components of kind restic',
    variable: 'LIFEBOAT_RESTIC',
    lowest: '0.14',
    candidates: onPath('restic'),
    version: (path) => says(path, ['version'], /restic (\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['restic'], dnf: ['restic'], brew: ['restic'] },
  },
  {
    name: 'nginx',
    title: 'nginx',
    purpose: 'tests in which restored configuration is taken up',
    variable: 'LIFEBOAT_NGINX',
    lowest: '1.18',
    candidates: onPath('nginx'),
    version: (path) => says(path, ['-v'], /nginx\/(\d+\.\d+(?:\.\d+)*)/),
    packages: { apt: ['nginx'], dnf: ['nginx'], brew: ['nginx'] },
  },
];

export function recipeFor(name: PartName): Recipe {
  const recipe = recipes.find((each) => each.name === name);
  if (recipe === undefined) throw new Error(`No recipe for ${name}: add it to the catalogue.`);
  return recipe;
}

/** Runs a program to ask its version. */
async function says(path: string, question: string[], pattern: RegExp): Promise<string | undefined> {
  const { stdout, stderr } = await execa(path, question, { reject: false, timeout: 20_000, stdin: 'ignore' });
  return pattern.exec(`${stdout}\n${stderr}`)?.[1];
}

/** A CLI that was built by `go install` calls itself 0.0.0-DEV: the server inside tells its age. CLI 1.4 came with server 1.28. */
async function temporalVersion(path: string): Promise<string | undefined> {
  const own = await says(path, ['--version'], /temporal version (\d+\.\d+\.\d+)/);
  if (own !== '0.0.0') return own;
  const server = await says(path, ['--version'], /Server (\d+\.\d+\.\d+)/);
  return server !== undefined && compareVersions(server, '1.28') >= 0 ? '1.4 or newer' : own;
}

function onPath(executable: string): (around: Surroundings) => Promise<Candidate[]> {
  return async ({ directories }) => (await executablesNamed(executable, directories)).map((path) => ({ path }));
}

function onPathOrBuilt(build: GoBuild): (around: Surroundings) => Promise<Candidate[]> {
  return async (around) => [...(await onPath(build.executable)(around)), ...(await built(around.cache, build))];
}

async function built(cache: string, build: Build): Promise<Candidate[]> {
  const path = join(builtAt(cache, build), build.executable);
  return (await isExecutable(path)) ? [{ path, version: build.version }] : [];
}

/** What Maven fetched are Java archives: without Java they are no program. */
async function testServerCandidates(around: Surroundings): Promise<Candidate[]> {
  const native = await onPath(testServerBuild.executable)(around);
  const java = await executablesNamed('java', around.directories);
  return java.length === 0 ? native : [...native, ...(await built(around.cache, testServerBuild))];
}

/** The build for programs with several threads, as Node.js is one. Debian keeps it below its name for the architecture. */
async function libfaketimeCandidates(): Promise<Candidate[]> {
  const below = await readdir('/usr/lib').catch(() => []);
  const folders = [
    ...below.filter((name) => name.includes('-linux-')).map((name) => join('/usr/lib', name)),
    '/usr/lib64',
  ];
  const libraries = [
    ...folders.map((folder) => join(folder, 'faketime', 'libfaketimeMT.so.1')),
    '/opt/homebrew/lib/faketime/libfaketime.1.dylib',
    '/usr/local/lib/faketime/libfaketime.1.dylib',
  ];
  const there = await Promise.all(libraries.map(async (path) => ((await isThere(path)) ? [{ path }] : [])));
  return there.flat();
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function chromiumCandidates({ directories }: Surroundings): Promise<Candidate[]> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = await Promise.all(names.map((name) => executablesNamed(name, directories)));
  const applications = [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ];
  const usable = await Promise.all(applications.map(async (path) => ((await isExecutable(path)) ? [path] : [])));
  return [...found.flat(), ...usable.flat()].map((path) => ({ path }));
}
