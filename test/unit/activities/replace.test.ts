import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { placesOf } from '../../../activities/postgres/scratch.ts';
import { bringConfiguration } from '../../../activities/replace/production-configuration.ts';
import { emptyBefore, noteReplacement, stateOf } from '../../../activities/replace/replacement.ts';

let root: string;
const at = (...names: string[]) => join(root, ...names);
const write = async (name: string, text: string) => {
  await mkdir(join(at(name), '..'), { recursive: true });
  await writeFile(at(name), text);
};
const read = (name: string) => readFile(at(name), 'utf8');

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-replace-')));
  for (const name of ['main/pg_tblspc', 'run/data/pg_tblspc']) await mkdir(at(name), { recursive: true });
  await write('main/postmaster.opts', `/bin/postgres "-D" "${at('main')}"\n`);
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('production is configured as it was in the moment before, not as it was at the time of the backup', () => {
  const bring = () =>
    bringConfiguration({ host: 'db1', dataDirectory: at('main'), live: at('main'), restored: at('run/data') });

  test('its files come from the live directory, with all that they name there', async () => {
    await write(
      'main/postgresql.conf',
      `include_dir 'conf.d'\nssl_key_file = 'keys/today.key'\nlog_directory = 'logs'\n`,
    );
    await write('main/conf.d/a.conf', `archive_command = '${at('main')}/push.sh %p'\ninclude '../more.conf'\n`);
    await write('main/more.conf', 'work_mem = 1MB\n');
    await write('main/keys/today.key', 'today');
    await write('main/push.sh', 'today');
    await write('main/pg_hba.conf', 'local all @admins trust\n');
    await write('main/admins', 'cara\n');
    await write('main/postgresql.auto.conf', `work_mem = '64MB'\nrecovery_target_time = 'x'\n`);
    await write('main/a-dump-that-somebody-left.sql', 'much');
    await write('main/logs/today.log', 'words');
    await write('run/data/postgresql.conf', 'of the backup');
    await write('run/data/conf.d/gone-since.conf', 'of the backup');
    await write('run/data/postmaster.opts', 'of the server beside');
    expect(await bring()).toEqual([
      'admins',
      'conf.d',
      'conf.d/a.conf',
      'keys/today.key',
      'more.conf',
      'pg_hba.conf',
      'postgresql.conf',
      'push.sh',
    ]);
    expect(await readdir(at('run/data/conf.d'))).toEqual(['a.conf']);
    expect(await read('run/data/postgresql.conf')).toBe(await read('main/postgresql.conf'));
    expect(await read('run/data/postgresql.auto.conf')).toBe(`work_mem = '64MB'\n`);
    expect(await read('run/data/postmaster.opts')).toBe(await read('main/postmaster.opts'));
    expect(await readdir(at('run/data'))).not.toContain('a-dump-that-somebody-left.sql');
    expect(await readdir(at('run/data/logs'))).toEqual([]);
  });

  test('a repeated attempt ends in the same', async () => {
    await write('main/postgresql.conf', '');
    await write('main/postgresql.auto.conf', `restore_command = 'x'\n`);
    const first = await bring();
    expect(await bring()).toEqual(first);
    expect((await read('run/data/postgresql.auto.conf')).trim()).toBe('');
  });

  test('what lies elsewhere stays there, and what it names in the data directory comes along', async () => {
    await write('etc/postgresql.conf', `ssl_cert_file = 'own.crt'\nhba_file = '${at('etc/pg_hba.conf')}'\n`);
    await write('main/own.crt', 'today');
    await write('main/postmaster.opts', `/bin/postgres "-c" "config_file=${at('etc/postgresql.conf')}"\n`);
    await write('run/data/own.crt', 'of the backup');
    expect(await bring()).toEqual(['own.crt']);
    expect(await read('run/data/own.crt')).toBe('today');
  });

  test('a link stays a link, and a file that is gone today is gone', async () => {
    await write('etc/real.conf', 'work_mem = 1MB');
    await symlink('../etc/real.conf', at('main/postgresql.conf'));
    await write('run/data/pg_ident.conf', 'of the backup');
    expect(await bring()).toEqual(['postgresql.conf']);
    expect((await lstat(at('run/data/postgresql.conf'))).isSymbolicLink()).toBe(true);
    expect(await readlink(at('run/data/postgresql.conf'))).toBe('../etc/real.conf');
    expect(await readdir(at('run/data'))).not.toContain('pg_ident.conf');
  });

  test('a standby keeps whom it follows in a closed file, without the target of the restore', async () => {
    await write('main/postgresql.conf', '');
    await write('main/postgresql.auto.conf', `primary_conninfo = 'host=old'\nrecovery_target_lsn = '0/1'\n`);
    await write('main/passfile', 'db1:5432:*:repl:secret');
    await bringConfiguration({
      ...{ host: 'db2', dataDirectory: at('main'), live: at('main'), restored: at('run/data') },
      follow: {
        member: { host: 'db2', port: 5432, dataDirectory: at('main') },
        primary: { host: 'db1', address: '10.0.0.1', port: 5432 },
        replication: { user: 'repl', passfile: at('main/passfile'), options: {} },
        slot: 'db2',
        backups: { kind: 'pgbackrest', stanza: 'orders', config: '/etc/pgbackrest.conf', archiveTimeout: 1 },
        timeline: 2,
        left: { lsn: '0/1', timeline: 1, systemIdentifier: '7' },
      },
    });
    const auto = await read('run/data/postgresql.auto.conf');
    expect(auto).toContain('host=10.0.0.1 port=5432 user=repl');
    expect(auto).not.toMatch(/host=old|recovery_target_lsn/);
    expect((await lstat(at('run/data/postgresql.auto.conf'))).mode & 0o777).toBe(0o600);
    expect(await read('run/data/passfile')).toContain('secret');
  });
});

describe('where the two directories are is read from themselves', () => {
  const ask = () => ({
    member: { host: 'db1', port: 5432, dataDirectory: at('main') },
    scratch: { host: 'db1', directory: at('run') },
    setAside: at('main.before-run'),
    backups: { kind: 'pgbackrest' as const, stanza: 'orders', config: '/etc/pgbackrest.conf', archiveTimeout: 1 },
  });
  const state = () => stateOf(ask(), placesOf(at('run')));

  test('at every moment of a replacement and of its undo', async () => {
    expect(await state()).toBe('untouched');
    await noteReplacement(ask(), placesOf(at('run')));
    expect(await state()).toBe('untouched');
    await rename(at('main'), at('main.before-run'));
    expect(await state()).toBe('between');
    await rename(at('run/data'), at('main'));
    expect(await state()).toBe('replaced');
    await rename(at('main'), at('run/data'));
    expect(await state()).toBe('between');
    await rename(at('main.before-run'), at('main'));
    expect(await state()).toBe('untouched');
  });

  test('a directory that somebody has made in the gap is not taken for one of them', async () => {
    await noteReplacement(ask(), placesOf(at('run')));
    await rename(at('main'), at('main.before-run'));
    await mkdir(at('main'));
    await expect(state()).rejects.toMatchObject({ type: 'Moved', message: expect.stringContaining('initdb') });
  });

  test('one that was set aside by somebody else is in the way', async () => {
    await mkdir(at('main.before-run'));
    await expect(state()).rejects.toMatchObject({ type: 'LitterFound' });
  });

  test('when both are gone, nothing is made up', async () => {
    await rm(at('main'), { recursive: true });
    await expect(state()).rejects.toMatchObject({ type: 'Moved' });
  });
});

describe('where no server was left, the restored directory comes into an empty place', () => {
  const ask = () => ({
    member: { host: 'db1', port: 5432, dataDirectory: at('main') },
    scratch: { host: 'db1', directory: at('run') },
    setAside: at('main.before-run'),
    backups: { kind: 'pgbackrest' as const, stanza: 'orders', config: '/etc/pgbackrest.conf', archiveTimeout: 1 },
    onto: 'nothing' as const,
  });
  const places = () => placesOf(at('run'));
  const state = () => stateOf(ask(), places());

  test.each(['absent', 'empty'])('one that is %s, and back again', async (place) => {
    await rm(at('main'), { recursive: true });
    if (place === 'empty') await mkdir(at('main'), { mode: 0o750 });
    expect(await state()).toBe('untouched');
    await noteReplacement(ask(), places());
    expect(await emptyBefore(ask(), places())).toBe(place === 'empty' ? 0o750 : undefined);
    expect(await state()).toBe('untouched');
    await rename(at('run/data'), at('main'));
    expect(await state()).toBe('replaced');
    await rename(at('main'), at('run/data'));
    expect(await state()).toBe('untouched');
  });

  test('what somebody has put there meanwhile is touched by nobody', async () => {
    await noteReplacement(ask(), places());
    await expect(state()).rejects.toMatchObject({ type: 'Moved', message: expect.stringContaining('initdb') });
  });
});
