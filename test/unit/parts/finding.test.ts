import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspect } from '../../../parts/inspect.ts';
import { cacheDirectory } from '../../../parts/surroundings.ts';
import { madeUpMachine } from './machine.ts';

const serverPrograms = [
  'initdb',
  'pg_ctl',
  'pg_basebackup',
  'pg_waldump',
  'pg_amcheck',
  'pg_checksums',
  'pg_controldata',
];

test('the first one on PATH that is new enough is taken', async () => {
  const { around, program } = await madeUpMachine();
  await program('bin/pgbackrest', 'echo pgBackRest 2.30');
  const second = await program('other/bin/pgbackrest', 'echo pgBackRest 2.58.0');

  const { part } = await inspect('pgbackrest', around);

  expect(part).toEqual({ name: 'pgbackrest', version: '2.58.0', path: second });
});

test('one that is too old is told with its version and place', async () => {
  const { around, program } = await madeUpMachine();
  const old = await program('bin/pgbackrest', 'echo pgBackRest 2.30');

  const { missing } = await inspect('pgbackrest', around);

  expect(missing?.wanted).toBe('pgBackRest 2.41 or newer');
  expect(missing?.reason).toBe(`${old} is 2.30`);
});

test('a program that only looks like the wanted one is not taken', async () => {
  const { around, program } = await madeUpMachine();
  await program('bin/pgbackrest', 'echo something else; exit 1');

  expect((await inspect('pgbackrest', around)).part).toBeUndefined();
});

test('the variable that names a program wins over PATH', async () => {
  const { around, program } = await madeUpMachine();
  await program('bin/temporal', 'echo "temporal version 1.6.0 (Server 1.30.0, UI 2.44.0)"');
  const named = await program('own/temporal', 'echo "temporal version 1.5.0 (Server 1.29.1, UI 2.42.1)"');

  const { part } = await inspect('temporal', { ...around, env: { TEMPORAL_CLI: named } });

  expect(part).toEqual({ name: 'temporal', version: '1.5.0', path: named });
});

test('a variable that names nothing is a mistake, whatever is on PATH', async () => {
  const { around, program } = await madeUpMachine();
  await program('bin/temporal', 'echo "temporal version 1.6.0 (Server 1.30.0, UI 2.44.0)"');

  const { missing } = await inspect('temporal', { ...around, env: { TEMPORAL_CLI: '/nowhere/temporal' } });

  expect(missing?.reason).toBe('TEMPORAL_CLI is set, but /nowhere/temporal is not usable');
  expect(missing?.command).toBe('unset TEMPORAL_CLI');
});

test('what was built into the cache comes after PATH', async () => {
  const { around, program } = await madeUpMachine();
  const built = await program('cache/versitygw-1.7.0/versitygw', 'echo "Version  : git"');
  expect((await inspect('versitygw', around)).part).toEqual({ name: 'versitygw', version: '1.7.0', path: built });

  const onPath = await program('bin/versitygw', 'echo "Version  : v1.8.1"');
  expect((await inspect('versitygw', around)).part).toEqual({ name: 'versitygw', version: '1.8.1', path: onPath });
});

test('a Temporal CLI that does not know its version is judged by the server in it', async () => {
  const { around, program } = await madeUpMachine();
  await program('bin/temporal', 'echo "temporal version 0.0.0-DEV (Server 1.20.0, UI 2.10.0)"');
  const young = await program('other/bin/temporal', 'echo "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"');

  expect((await inspect('temporal', around)).part?.path).toBe(young);
});

test('a directory that lacks one of the PostgreSQL programs is not taken', async () => {
  const { around, program } = await madeUpMachine();
  for (const name of [...serverPrograms, 'psql']) await program(`bin/${name}`, 'exit 0');
  const server = 'echo "postgres (PostgreSQL) 99.3"';
  await program('other/bin/postgres', server);

  expect((await inspect('postgresql', around)).part?.version).not.toBe('99.3');
  await program('bin/postgres', server);
  expect((await inspect('postgresql', around)).part).toEqual({
    name: 'postgresql',
    version: '99.3',
    path: around.directories[0],
  });
});

test('the directory that pg_config names is looked at', async () => {
  const { folder, around, program } = await madeUpMachine();
  for (const name of [...serverPrograms, 'psql']) await program(`hidden/${name}`, 'exit 0');
  await program('hidden/postgres', 'echo "postgres (PostgreSQL) 99.3"');
  await program('bin/pg_config', `echo ${join(folder, 'hidden')}`);

  expect((await inspect('postgresql', around)).part?.path).toBe(join(folder, 'hidden'));
});

test('the test server is nothing without Java', async () => {
  const { around, program } = await madeUpMachine();
  await program('cache/temporal-test-server-1.38.0/temporal-test-server', 'exit 0');
  expect((await inspect('test-server', around)).part).toBeUndefined();

  await program('bin/java', 'exit 0');
  expect((await inspect('test-server', around)).part?.version).toBe('1.38.0');
});

test.each([
  [{ LIFEBOAT_CACHE: '/big/disk', XDG_CACHE_HOME: '/x', HOME: '/home/ana' }, '/big/disk'],
  [{ XDG_CACHE_HOME: '/x', HOME: '/home/ana' }, '/x/lifeboat'],
  [{ HOME: '/home/ana' }, '/home/ana/.cache/lifeboat'],
])('with %o the cache is %s', (env, cache) => {
  expect(cacheDirectory(env)).toBe(cache);
});
