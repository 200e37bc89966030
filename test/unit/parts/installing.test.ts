import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type MissingPart, needParts, PartsMissing } from '../../../parts/parts.ts';
import type { Surroundings } from '../../../parts/surroundings.ts';
import { type Machine, madeUpMachine } from './machine.ts';

const silent = () => {};
const builds = ['temporal', 'versitygw'] as const;

/** Puts an executable where `go install` would, and notes that it was called. */
const workingGo = (folder: string) => `
[ "$1" = env ] && { echo go1.26.0; exit; }
for last; do :; done
name=$(basename "\${last%@*}")
echo "$last" >> ${folder}/builds
printf '#!/bin/sh\\necho built' > "$GOBIN/$name"
chmod +x "$GOBIN/$name"`;

async function missingOn(around: Surroundings, names: Parameters<typeof needParts>[0]): Promise<MissingPart[]> {
  const error = await needParts(names, silent, around).catch((thrown) => thrown);
  if (!(error instanceof PartsMissing)) throw new Error(`expected PartsMissing, got ${error}`);
  return error.parts;
}

async function buildsOn({ folder }: Machine): Promise<string[]> {
  return (await readFile(join(folder, 'builds'), 'utf8')).trim().split('\n');
}

test('everything that is missing is told at once, each with its command', async () => {
  const { around, program } = await madeUpMachine({ packageManager: 'apt' });
  await program('bin/apt-cache', 'echo "  Candidate: 2:99.1-1"');
  await program('bin/go', '[ "$1" = env ] && echo go1.26.0 || { echo "no route to the registry"; exit 1; }');

  const error: unknown = await needParts(['pgbackrest', 'haproxy', 'versitygw'], silent, around).catch(
    (thrown) => thrown,
  );

  expect(`${error}`).toBe(`PartsMissing: 3 programs are missing:
  pgBackRest 2.41 or newer (backups and the WAL archive): not found
    sudo apt-get install -y --no-install-recommends pgbackrest
  HAProxy 2.2 or newer (the front door): not found
    sudo apt-get install -y --no-install-recommends haproxy
  Versity S3 Gateway (the object store of the lab): no route to the registry
    GOBIN=${around.cache}/versitygw-1.7.0 go install github.com/versity/versitygw/cmd/versitygw@v1.7.0`);
});

test.each([
  ['brew', 'brew install haproxy'],
  ['dnf', 'sudo dnf install -y haproxy'],
  ['unknown', 'install HAProxy 2.2 or newer, then set LIFEBOAT_HAPROXY to its path'],
] as const)('with %s the command is: %s', async (packageManager, command) => {
  const { around } = await madeUpMachine({ packageManager });

  expect((await missingOn(around, ['haproxy'])).map((part) => part.command)).toEqual([command]);
});

test('without Go the command says where to get it', async () => {
  const { around } = await madeUpMachine();

  const [part] = await missingOn(around, ['versitygw']);

  expect(part?.command).toContain('install Go 1.21 or newer (https://go.dev/dl/), then: GOBIN=');
});

test('builds go on side by side, land in the cache under their version, and leave nothing else there', async () => {
  const machine = await madeUpMachine();
  await machine.program('bin/go', workingGo(machine.folder));

  const found = await needParts(builds, silent, machine.around);

  expect(found.temporal.path).toBe(join(machine.around.cache, 'temporal-1.5.1/temporal'));
  expect(found.versitygw.path).toBe(join(machine.around.cache, 'versitygw-1.7.0/versitygw'));
  expect((await readdir(machine.around.cache)).toSorted()).toEqual(['temporal-1.5.1', 'versitygw-1.7.0']);
});

test('two at once build once', async () => {
  const machine = await madeUpMachine();
  await machine.program('bin/go', workingGo(machine.folder));

  await Promise.all([1, 2, 3].map(() => needParts(['versitygw'], silent, machine.around)));

  expect(await buildsOn(machine)).toEqual(['github.com/versity/versitygw/cmd/versitygw@v1.7.0']);
});

test('a lock whose holder has died holds nobody up', async () => {
  const machine = await madeUpMachine();
  await machine.program('bin/go', workingGo(machine.folder));
  await mkdir(machine.around.cache);
  // Linux counts process ids to 4194304 at most.
  await writeFile(join(machine.around.cache, '.versitygw.lock'), '99999999\n');

  await needParts(['versitygw'], silent, machine.around);

  expect(await buildsOn(machine)).toHaveLength(1);
});

test('as root on Debian packages are installed in one go, and no service starts meanwhile', async () => {
  const machine = await madeUpMachine({ packageManager: 'apt', isRoot: true });
  const { folder, around } = machine;
  await machine.program('bin/apt-cache', 'echo "  Candidate: 99.1-1"');
  await machine.program(
    'bin/apt-get',
    `echo "$@" >> ${folder}/apt
[ "$1" = update ] && exit
/bin/sh ${around.servicePolicy}; echo "$?" > ${folder}/policy-says
printf '#!/bin/sh\\necho pgBackRest 2.58' > ${folder}/bin/pgbackrest
printf '#!/bin/sh\\necho HAProxy version 2.8.1' > ${folder}/bin/haproxy
/bin/chmod +x ${folder}/bin/*`,
  );

  await needParts(['pgbackrest', 'haproxy'], silent, around);

  const calls = (await readFile(join(folder, 'apt'), 'utf8')).trim().split('\n');
  expect(calls[0]).toMatch(/^update/);
  expect(calls[1]).toMatch(/^install .* pgbackrest haproxy$/);
  expect(calls).toHaveLength(2);
  expect((await readFile(join(folder, 'policy-says'), 'utf8')).trim()).toBe('101');
  await expect(stat(around.servicePolicy)).rejects.toThrow('ENOENT');
});

test('a package that is too old is not installed; where to get a newer one is told', async () => {
  const { folder, around, program } = await madeUpMachine({ packageManager: 'apt', isRoot: true });
  await program('bin/apt-cache', '[ "$2" = haproxy ] && echo "  Candidate: 1.8.0-1"');
  await program('bin/apt-get', `echo "$@" >> ${folder}/apt`);

  const [part] = await missingOn(around, ['haproxy']);

  expect(part?.command).toContain('install HAProxy 2.2 or newer');
  expect(await readFile(join(folder, 'apt'), 'utf8')).not.toContain('install');
});

test('what comes by pip lies in an environment of its own, and is started where it lies in the end', async () => {
  const { folder, around, program } = await madeUpMachine();
  // A virtual environment whose interpreter only says how it was called.
  await program(
    'bin/python3',
    `[ "$1" = -c ] && { echo 3.11.2; exit; }
/bin/mkdir -p "$3/bin"
printf '#!/bin/sh\\necho "$0 $@" >> ${folder}/calls' > "$3/bin/python3"
/bin/chmod +x "$3/bin/python3"`,
  );

  const { moto } = await needParts(['moto'], silent, around);

  expect(moto).toEqual({ name: 'moto', version: '5.2.3', path: join(around.cache, 'moto_server-5.2.3/moto_server') });
  await execa(moto.path, ['-p', '5000']);
  const [installed, started] = (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  expect(installed).toMatch(/ -m pip install -q moto\[server\]==5\.2\.3$/);
  expect(started).toBe(`${around.cache}/moto_server-5.2.3/venv/bin/python3 -m moto.server -p 5000`);
});

test('a Python that makes no virtual environments is none; the command brings what it lacks', async () => {
  const { around, program } = await madeUpMachine({ packageManager: 'apt' });
  await program('bin/apt-cache', 'echo "  Candidate: 3.11.2-1"');
  await program('bin/python3', 'echo "No module named ensurepip" >&2; exit 1');

  const [part] = await missingOn(around, ['moto']);

  expect(part?.command).toBe(
    `sudo apt-get install -y --no-install-recommends python3-venv && python3 -m venv ${around.cache}/moto_server-5.2.3 && ${around.cache}/moto_server-5.2.3/bin/pip install 'moto[server]==5.2.3' && ln -s bin/moto_server ${around.cache}/moto_server-5.2.3/`,
  );
});
