/** A standby comes back from whatever has become of it: what the two servers say and hold is looked at by the test itself. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { roles } from '../../../lab/pair.ts';
import { configureServer } from '../../../lab/postgres.ts';
import { sayYes, withPeople } from '../../../scripts/kills/people.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, configurationOf, contentOf, processesNaming, type Server } from '../observer.ts';
import { startByHand } from '../switchover/scenario.ts';

vi.setConfig({ testTimeout: 300_000 });

const scenario = useEstate(withPeople);

beforeAll(async () => {
  await backup(scenario());
});

function server(host: 'db1' | 'db2', socketOf = host): Server {
  const { servers } = scenario().estate;
  return { host: servers[socketOf].socket, port: servers[host].port };
}

/** A client's write, on whatever server it is let into. */
async function order(at: Server, count = 50): Promise<void> {
  await ask(at, `create table if not exists written_by_hand (id bigint generated always as identity, said text)`);
  await ask(at, `insert into written_by_hand (said) select repeat('x', 100) from generate_series(1, ${count})`);
}

async function rebuilt(input: object = {}): Promise<Evidence> {
  const handle = await start(scenario(), 'standbyRebuild', { mode: 'live', requestedBy: 'cara', ...input });
  await sayYes(handle);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  return evidence;
}

const wayOf = ({ steps }: Evidence) => steps.find(({ name }) => name === 'The way back is chosen')?.found ?? '';

/** db2 streams from db1, and each table of the one is that of the other. */
async function isBack(standby = server('db2')): Promise<void> {
  expect(await ask(standby, 'select pg_is_in_recovery() as standby, status from pg_stat_wal_receiver')).toEqual([
    { standby: true, status: 'streaming' },
  ]);
  expect(await ask(server('db1'), 'select pg_is_in_recovery() as standby')).toEqual([{ standby: false }]);
  expect(
    await ask(server('db1'), "select application_name, state from pg_stat_replication where state = 'streaming'"),
  ).toEqual([{ application_name: 'db2', state: 'streaming' }]);
  await order(server('db1'), 5);
  const tables = ['orders', 'order_items', 'payments', 'accounts', 'written_by_hand'];
  await until('both hold the same rows', async () => {
    for (const table of tables) {
      const [one, two] = await Promise.all([contentOf(server('db1'), table), contentOf(standby, table)]);
      if (one.md5 !== two.md5) throw new Error(`${table} has ${one.rows} and ${two.rows} rows`);
    }
    return true;
  });
}

const stop = () => scenario().estate.servers.db2.process.stop(60_000);
const slots = () => ask(server('db1'), 'select slot_name, active, wal_status from pg_replication_slots');
const reserved = { slot_name: 'db2', active: true, wal_status: 'reserved' };

test('one that was killed is re-attached, and nobody is asked', async () => {
  await order(server('db1'));
  await scenario().estate.servers.db2.process.kill('SIGKILL');
  await order(server('db1'));
  const evidence = await rebuilt();
  expect(wayOf(evidence)).toBe('re-attach it');
  expect(evidence.approvals ?? []).toEqual([]);
  await isBack();
  expect(await slots()).toEqual([reserved]);
});

test('one that streams is left alone', async () => {
  const before = await ask(server('db2'), 'select pg_postmaster_start_time()::text as at');
  expect(wayOf(await rebuilt())).toMatch(/^none is needed/);
  expect(await ask(server('db2'), 'select pg_postmaster_start_time()::text as at')).toEqual(before);
});

/** As somebody does who takes it for the new primary. */
async function promotedByHand(): Promise<void> {
  await ask(server('db2'), 'select pg_promote()');
  await ask(server('db2'), `create table only_here as select generate_series(1, 100) as n`);
  await order(server('db2'), 500);
  await order(server('db1'), 70);
}

test('two primaries are left alone; once the one is stopped, it is rewound, with its own configuration, and its writes are gone', async () => {
  // As docs/standby-rebuild.md says.
  for (const read of [
    'pg_ls_dir(text, boolean, boolean)',
    'pg_stat_file(text, boolean)',
    'pg_read_binary_file(text)',
    'pg_read_binary_file(text, bigint, bigint, boolean)',
  ])
    await ask({ ...server('db1'), database: 'postgres' }, `grant execute on function pg_catalog.${read} to replicator`);
  await promotedByHand();
  const [first] = await ask<{ name: string }>(
    server('db2'),
    "select min(name) as name from pg_ls_waldir() where name ~ '^00000002[0-9A-F]{16}$'",
  );
  await until('it has removed the WAL of its promotion, which is in the archive', async () => {
    await order(server('db2'), 10);
    await ask(server('db2'), 'select pg_switch_wal()');
    await ask(server('db2'), 'checkpoint');
    const left = await ask(server('db2'), `select from pg_ls_waldir() where name = '${first?.name}'`);
    return left.length === 0 ? true : undefined;
  });
  const split = await ended(await start(scenario(), 'standbyRebuild', {}));
  expect(split.failure?.type).toBe('SplitBrain');
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'primary' });

  await stop();
  const { data } = scenario().estate.servers.db2;
  const own = await configurationOf(data);
  const evidence = await rebuilt();
  expect(wayOf(evidence)).toMatch(/^pg_rewind\. Not re-attach it: db2 has left the line of db1 at/);
  expect(evidence.steps.find(({ name }) => name === 'pg_rewind finds its way back')?.found).toMatch(
    /[1-9]\d* segments? of its way are fetched from the archive/,
  );
  expect(evidence.approvals?.[0]?.subject['is lost']).toMatch(/\d+ transactions, .* on timeline 2$/);
  await isBack();
  expect(await ask(server('db2'), "select to_regclass('only_here') as there")).toEqual([{ there: null }]);
  const now = await configurationOf(data);
  for (const file of ['postgresql.conf', 'lab.conf', 'pg_hba.conf']) expect(now[file]).toBe(own[file]);
  // The archive knows a timeline 2 now, which is nobody's.
  expect(await ask(server('db2'), 'show recovery_target_timeline')).toEqual([{ recovery_target_timeline: '1' }]);
  expect(await slots()).toEqual([reserved]);
});

test('one that left the line again is restored where it is asked for, and its old directory is kept', async () => {
  await promotedByHand();
  await stop();
  const { data } = scenario().estate.servers.db2;
  const evidence = await rebuilt({ way: 'restore' });
  await isBack();
  const kept = String(evidence.approvals?.[0]?.shown?.['the old directory becomes']);
  expect(kept).toMatch(/\/db2\/data\.before-orders-/);
  expect(await configurationOf(kept)).toMatchObject({ PG_VERSION: expect.any(String) });
  expect(Object.keys(await configurationOf(data))).toContain('standby.signal');
  expect(await processesNaming(scenario().estate.servers.db2.scratch)).toEqual([]);
});

test('one whose slot has lost its WAL, and that knows no archive, catches up from the archive', async () => {
  await ask(server('db2'), 'alter system reset restore_command');
  await stop();
  await ask(server('db1'), "alter system set max_slot_wal_keep_size = '1MB'");
  await ask(server('db1'), 'select pg_reload_conf()');
  for (let times = 0; times < 6; times += 1) {
    await order(server('db1'), 2_000);
    await ask(server('db1'), 'select pg_switch_wal()');
  }
  await ask(server('db1'), 'checkpoint');
  await until('the slot has lost its WAL', async () => ((await slots())[0]?.wal_status === 'lost' ? true : undefined));
  await startByHand(scenario(), 'db2');
  expect(await ask(server('db2'), 'select status from pg_stat_wal_receiver')).toEqual([]);
  expect(wayOf(await rebuilt())).toBe('re-attach it');
  await isBack();
  expect(await slots()).toEqual([reserved]);
});

test('one whose directory is gone is restored from the repository, with the configuration that there is: the primary’s', async () => {
  const { data } = scenario().estate.servers.db2;
  await stop();
  await rm(data, { recursive: true });
  await order(server('db1'));
  const evidence = await rebuilt();
  expect(wayOf(evidence)).toMatch(
    /^restore it from the repository\. Not re-attach it: the data directory of db2 is gone/,
  );
  expect(evidence.approvals ?? []).toEqual([]);
  // Its socket lies where the primary's does, for both have one configuration now, but for the port.
  await isBack(server('db2', 'db1'));
});

test('a copy of the primary is a way, too', async () => {
  const { servers, site } = scenario().estate;
  await configureServer(site, 'db2');
  await execa(join(site.programs.postgresql, 'pg_ctl'), ['-D', servers.db2.data, '-w', 'stop'], {
    ...site.account.ids,
    cwd: '/',
  });
  const evidence = await rebuilt({ way: 'basebackup' });
  expect(wayOf(evidence)).toBe('pg_basebackup from the primary, as it was asked for');
  await isBack();
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'standby' });
});
