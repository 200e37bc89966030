/**
 * Two standbys of a dead primary are both promoted, from the same position to the same timeline, and one of them has archived: names,
 * history files and system identifiers tell nothing. A drill of the other one must not prove what the first one wrote.
 */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveCommand } from '../../../lab/backrest.ts';
import { command } from '../../../lab/command.ts';
import { giveTo } from '../../../lab/host.ts';
import type { ArchiveResult } from '../../../workflows/archive.ts';
import { backup, drill, until, useEstate } from '../drill/scenario.ts';
import { ask, countRows } from '../observer.ts';
import { vandalOf } from './vandal.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });
const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

let stopTwin: (() => Promise<unknown>) | undefined;
/** The newest segment that the twin has archived. */
let last: string;

const db2 = () => ({ host: scenario().estate.servers.db2.socket, port: scenario().estate.servers.db2.port });

/** A copy of the stopped standby, on a socket of its own. */
async function startTwin() {
  const { site, root, servers } = scenario().estate;
  const folder = await mkdtemp(join(root, 'twin-'));
  await giveTo(site.account, folder);
  const data = join(folder, 'data');
  await command('cp', ['-a', servers.db2.data, data]);
  const settings = {
    listen_addresses: '',
    unix_socket_directories: folder,
    primary_conninfo: '',
    archive_command: archiveCommand(site, 'db2').replace(' archive-push', ` --pg1-path=${data} archive-push`),
  };
  const words = Object.entries(settings).map(([name, value]) => `-c "${name}=${value}"`);
  const control = (...args: string[]) =>
    command(join(site.programs.postgresql, 'pg_ctl'), ['-D', data, ...args], { account: site.account });
  await control('start', '-w', '-l', join(folder, 'log'), '-o', words.join(' '));
  stopTwin = () => control('stop', '-m', 'immediate');
  return { host: folder, port: servers.db2.port };
}

beforeAll(async () => {
  const { estate } = scenario();
  const vandal = vandalOf(estate);
  await backup(scenario());
  for (const name of ['load', 'db1', 'db2']) await estate.process(name).stop();
  const twin = await startTwin();
  await estate.process('db2').start();

  await ask(twin, 'select pg_promote()');
  last = await until('the twin has archived its own timeline 2', async () => {
    await ask(twin, 'create table if not exists of_the_twin (at timestamptz)');
    await ask(twin, 'insert into of_the_twin values (now()); select pg_switch_wal()');
    const archived = await vandal.segments(2);
    return archived.length >= 3 ? archived.at(-1) : undefined;
  });
  await stopTwin?.();
  last = (await vandal.segments(2)).at(-1) ?? last;
  await ask(db2(), 'select pg_promote()');
  await until('the front door leads to the other one', async () => {
    await ask({ ...db2() }, 'select pg_switch_wal()');
    const [row] = await ask<{ failing: string }>(db2(), 'select last_failed_wal as failing from pg_stat_archiver');
    return row?.failing?.startsWith('00000002') ? true : undefined;
  });
}, 240_000);

afterAll(async () => {
  await stopTwin?.().catch(() => undefined);
});

async function archive(): Promise<{ result: ArchiveResult; code: number | undefined }> {
  const { stdout, exitCode } = await execa(process.execPath, [main, 'archive', 'orders', '--json'], {
    env: scenario().estate.env,
    reject: false,
  });
  return { result: JSON.parse(stdout), code: exitCode };
}

test('the archive says that the service cannot archive what another server has archived already', async () => {
  const { result, code } = await archive();
  expect(result.timeline).toBe(2);
  const failing = result.findings.find(({ kind }) => kind === 'archiving-fails');
  expect(failing).toMatchObject({ threatens: true, seen: expect.stringContaining('holds one already') });
  expect(code).toBe(1);
});

test("a drill does not take the twin's segments for the service's", async () => {
  const evidence = await drill(scenario());
  expect(evidence.outcome).toBe('not-proven');
  expect(['ArchiveGap', 'ArchiveUnsound']).toContain(evidence.failure?.type);
  expect(evidence.backup).toBeUndefined();
});

test('nor where the archiver says that these segments are its own: the newest commit in them is not', async () => {
  // Until the twin's last one it lies, later ones it refuses.
  const lie = `sh -c 'test "$1" = "${last}" || ! printf "%%s\\n%%s\\n" "${last}" "$1" | sort -C' - %f`;
  await ask(db2(), `alter system set archive_command = $$${lie}$$`);
  await ask(db2(), 'select pg_reload_conf()');
  await until('the archiver has claimed them all, and the service has gone on', async () => {
    await ask(db2(), 'select pg_switch_wal() from pg_create_restore_point($$on$$)');
    const [row] = await ask<{ claimed: string; here: string }>(
      db2(),
      'select last_archived_wal as claimed, pg_walfile_name(pg_current_wal_lsn()) as here from pg_stat_archiver',
    );
    return row?.claimed === last && row.here > last ? true : undefined;
  });
  expect(await countRows(db2(), 'pg_class where relname = $$of_the_twin$$')).toBe(0);

  const evidence = await drill(scenario());
  expect(evidence).toMatchObject({
    outcome: 'not-proven',
    failure: {
      type: 'ArchiveUnsound',
      step: 'assessment/the-newest-commit-in-the-archive-is-the-service-s-own',
      message: expect.stringContaining("the WAL in the archive is another server's"),
    },
  });
});
