import { chmod, mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Anchor } from '../../../recovery/archive.ts';
import { type Hand, newHand } from './hand.ts';
import { bin, newSmallEstate, type SmallEstate, until } from './small-estate.ts';

const tables = ['orders', 'payments'];
const database = 'postgres';

describe('anchors', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let standby: { host: string; port: number; dataDirectory: string };
  let place: { host: string; port: number };
  let load: { stop(): Promise<number> };
  let holder: Client | undefined;

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    await estate.sql(`
      create table orders (id bigint generated always as identity primary key, at timestamptz default clock_timestamp());
      create table payments (id bigint primary key references orders, amount numeric);
      insert into orders select from generate_series(1, 1000)`);
    await estate.backup();
    standby = { host: 'db2', port: 5433, dataDirectory: join(estate.root, 'standby') };
    place = { host: join(estate.root, 'socket'), port: 5433 };
    await estate.run(
      join(bin, 'pg_basebackup'),
      '-h',
      join(estate.root, 'socket'),
      '-U',
      'postgres',
      '-D',
      standby.dataDirectory,
      '-R',
      '-c',
      'fast',
    );
    await estate.run(
      join(bin, 'pg_ctl'),
      '-D',
      standby.dataDirectory,
      '-o',
      '-c port=5433',
      '-l',
      join(estate.root, 'log/standby.log'),
      '-w',
      'start',
    );
    await until('the standby streams', async () => (await estate.sql('select from pg_stat_replication')).length === 1);
    load = writeAlways(estate);
  });

  afterAll(async () => {
    await holder?.end();
    await load?.stop();
    await hand?.stop();
    await estate
      ?.run(join(bin, 'pg_ctl'), '-D', standby.dataDirectory, '-m', 'immediate', 'stop')
      .catch(() => undefined);
    await estate?.stop();
  });

  const replaying = async () => (await estate.sql('select pg_get_wal_replay_pause_state() as state', place))[0]?.state;
  const watchdogs = () => estate.run('pgrep', '-f', `lifeboat-resumes-replay:${standby.dataDirectory}`).catch(() => '');

  it('taken on a standby under load equal what is restored there, and replay goes on', async () => {
    const { anchor } = await hand.call('anchorOnStandby', { member: standby, database, tables, withinMs: 30_000 });
    expect(await replaying()).toBe('not paused');
    expect(await watchdogs()).toBe('');
    expect(anchor.source).toBe('standby db2, replay paused');
    await expectEqualAfterRestore(anchor, 'from-standby');
  });

  it('taken on the primary under a lock equal what is restored there, with writers going on', async () => {
    const { anchor } = await hand.call('anchorUnderLock', {
      member: estate.member,
      database,
      tables,
      lockWithinMs: 5_000,
      key: 'run/closing',
    });
    await expectEqualAfterRestore(anchor, 'from-primary');
  });

  it('leave no standby paused when the worker is killed: replay goes on by itself', async () => {
    holder = await heldTable();
    const doomed = await newHand(estate.env);
    const running = doomed.start('anchorOnStandby', { member: standby, database, tables: ['held'], withinMs: 4_000 });
    await until('replay is paused', async () => (await replaying()) === 'paused');
    await doomed.kill();
    await running.result.catch(() => undefined);
    expect(await watchdogs()).not.toBe('');
    await until('replay goes on', async () => (await replaying()) === 'not paused', 15_000);
    await until('the watchdog is gone', async () => (await watchdogs()) === '');
  });

  it('of a killed worker are taken again by the next attempt, which ends the forgotten pause first', async () => {
    const doomed = await newHand(estate.env);
    const running = doomed.start('anchorOnStandby', { member: standby, database, tables: ['held'], withinMs: 60_000 });
    await until('replay is paused', async () => (await replaying()) === 'paused');
    await doomed.kill();
    await running.result.catch(() => undefined);
    await hand.call('anchorOnStandby', { member: standby, database, tables, withinMs: 30_000 });
    expect(await replaying()).toBe('not paused');
    expect(await watchdogs()).toBe('');
  });

  it('resume replay at once when the whole service is stopped, not only the worker', async () => {
    const doomed = await newHand(estate.env);
    const running = doomed.start('anchorOnStandby', { member: standby, database, tables: ['held'], withinMs: 60_000 });
    await until('replay is paused', async () => (await replaying()) === 'paused');
    await doomed.kill();
    await running.result.catch(() => undefined);
    process.kill(Number((await watchdogs()).split('\n')[0]), 'SIGTERM');
    await until('replay goes on', async () => (await replaying()) === 'not paused', 5_000);
    await until('the watchdog is gone', async () => (await watchdogs()) === '');
  });

  it('resume replay when they are cancelled', async () => {
    const running = hand.start('anchorOnStandby', { member: standby, database, tables: ['held'], withinMs: 60_000 });
    await until('replay is paused', async () => (await replaying()) === 'paused');
    running.cancel();
    await expect(running.result).rejects.toThrow();
    expect(await replaying()).toBe('not paused');
    expect(await watchdogs()).toBe('');
  });

  it('that take too long are given up, and replay goes on', async () => {
    await expect(
      hand.call('anchorOnStandby', { member: standby, database, tables: ['held'], withinMs: 300 }),
    ).rejects.toMatchObject({ type: 'StandbyUnfit' });
    expect(await replaying()).toBe('not paused');
  });

  it('leave a standby alone that somebody else has paused', async () => {
    await estate.sql('select pg_wal_replay_pause()', place);
    try {
      await expect(
        hand.call('anchorOnStandby', { member: standby, database, tables, withinMs: 30_000 }),
      ).rejects.toMatchObject({ type: 'StandbyUnfit', message: expect.stringContaining('paused by somebody else') });
      expect(await replaying()).toBe('paused');
    } finally {
      await estate.sql('select pg_wal_replay_resume()', place);
    }
  });

  it('are not taken on a primary as if it were a standby, nor the other way round', async () => {
    await expect(
      hand.call('anchorOnStandby', { member: estate.member, database, tables, withinMs: 5_000 }),
    ).rejects.toMatchObject({ type: 'StandbyUnfit' });
    await expect(
      hand.call('anchorUnderLock', { member: standby, database, tables, lockWithinMs: 1_000, key: 'k' }),
    ).rejects.toMatchObject({ type: 'NotPrimary' });
  });

  it('do not hold up writers behind a lock that cannot be had', async () => {
    const blocker = new Client({ host: join(estate.root, 'socket'), port: 5432, user: 'postgres', database });
    await blocker.connect();
    await blocker.query('begin; lock table payments in row exclusive mode');
    try {
      await expect(
        hand.call('anchorUnderLock', { member: estate.member, database, tables, lockWithinMs: 300, key: 'k' }),
      ).rejects.toMatchObject({ type: 'TablesBusy' });
    } finally {
      await blocker.end();
    }
  });

  it('name a table that is not there', async () => {
    await expect(
      hand.call('anchorUnderLock', {
        member: estate.member,
        database,
        tables: ['nowhere'],
        lockWithinMs: 300,
        key: 'k',
      }),
    ).rejects.toMatchObject({ type: 'PlanInvalid', message: expect.stringContaining('nowhere') });
  });

  it('lie on a host that says what it is, and whether there is room', async () => {
    const scratch = { host: 'db1', directory: join(estate.scratchRoot, 'facts') };
    const smoke = [join(estate.root, 'smoke')];
    await writeFile(smoke[0] ?? '', '#!/bin/sh\n');
    expect(await hand.call('hostFacts', { backups: estate.backups, scratch, smoke })).toMatchObject({
      serverVersion: Number((await estate.sql('show server_version_num'))[0]?.server_version_num),
      libc: expect.stringMatching(/^2\./),
    });
    await mkdir(join(estate.scratchRoot, 'orphan'));
    expect(await hand.call('hostFacts', { backups: estate.backups, scratch, smoke })).toMatchObject({
      found: expect.stringContaining('also holds orphan'),
    });
    await rmdir(join(estate.scratchRoot, 'orphan'));
    await expect(
      hand.call('hostFacts', {
        backups: estate.backups,
        scratch: { ...scratch, directory: `${scratch.directory}/${'x'.repeat(90)}` },
      }),
    ).rejects.toThrow(/may have 107/);
    await expect(
      hand.call('hostFacts', { backups: { ...estate.backups, config: '/etc/passwd' }, scratch }),
    ).rejects.toMatchObject({ type: 'NotPermitted' });
    const plpgsql = { name: 'plpgsql', version: '1.0' };
    await hand.call('hostFacts', { backups: estate.backups, scratch, extensions: [plpgsql] });
    await expect(
      hand.call('hostFacts', {
        backups: estate.backups,
        scratch,
        extensions: [plpgsql, { name: 'no_such_extension', version: '3.4' }],
      }),
    ).rejects.toMatchObject({ type: 'VersionMismatch', message: expect.stringContaining('no_such_extension 3.4') });
    await expect(hand.call('roomFor', { scratch, bytes: 1e15, keepFree: '1GB' })).rejects.toMatchObject({
      type: 'DiskFull',
    });
    expect((await hand.call('roomFor', { scratch, bytes: 1, keepFree: '1MB' })).freeBytes).toBeGreaterThan(0);
  });

  /** The proof of an anchor: a restore that stops there holds the same rows. */
  async function expectEqualAfterRestore(anchor: Anchor, name: string): Promise<void> {
    const scratch = { host: 'db1', directory: join(estate.scratchRoot, name) };
    await estate.archiveSegment();
    const label = JSON.parse(await estate.pgbackrest('--output=json', 'info'))[0].backup[0].label;
    await hand.call('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch, throwAway: true });
    await hand.call('replayTo', {
      backups: estate.backups,
      scratch,
      target: { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: anchor.timeline },
      outageWithinMs: 5_000,
      throwAway: true,
    });
    const restored = await hand.call('fingerprints', { scratch, database, tables });
    expect(restored.tables).toEqual(anchor.tables);
    expect(anchor.tables[0]?.rows).toBeGreaterThan(1_000);
    await smokeTest(scratch);
    await hand.call('removeScratch', { scratch });
  }

  async function smokeTest(scratch: { host: string; directory: string }): Promise<void> {
    const command = join(estate.root, 'smoke');
    const ask = (within: number) => ({
      scratch,
      database,
      application: { kind: 'command' as const, smoke: { command: [command], within } },
    });
    const script = async (text: string) => {
      await writeFile(command, `#!/bin/sh\n${text}\n`);
      await chmod(command, 0o755);
    };
    await script(`${bin}/psql -XAtc "select count(*) > 1000 from orders" | grep t && echo all is well`);
    expect(await hand.call('smoke', ask(20_000))).toMatchObject({ found: expect.stringContaining('all is well') });
    await script('echo the till is locked; exit 3');
    await expect(hand.call('smoke', ask(20_000))).rejects.toMatchObject({
      type: 'SmokeFailed',
      message: expect.stringMatching(/exit code 3.*the till is locked/),
    });
    await script('sleep 60');
    await expect(hand.call('smoke', ask(300))).rejects.toMatchObject({
      type: 'SmokeFailed',
      message: expect.stringContaining('did not end within'),
    });
  }

  /**
   * A table that cannot be read as long as replay is paused: the primary's exclusive lock is replayed too, and its end is not.
   * Returns the session that holds it.
   */
  async function heldTable(): Promise<Client> {
    await estate.sql('create table held (id int)');
    const holder = new Client({ host: join(estate.root, 'socket'), port: 5432, user: 'postgres', database });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('begin; lock table held in access exclusive mode');
    await until('the standby holds the lock, too', async () => {
      const locks = `select from pg_locks where relation = to_regclass('held') and mode = 'AccessExclusiveLock' and granted`;
      return (await estate.sql(locks, place)).length === 1;
    });
    return holder;
  }
});

/** Writes as fast as it can, in many small transactions. */
function writeAlways(estate: SmallEstate): { stop(): Promise<number> } {
  let going = true;
  let written = 0;
  const work = (async () => {
    const client = new Client({ host: join(estate.root, 'socket'), port: 5432, user: 'postgres', database });
    client.on('error', () => undefined);
    await client.connect();
    while (going) {
      await client.query(
        'with o as (insert into orders default values returning id) insert into payments select id, 1.5 from o',
      );
      written += 1;
      // A rate of some hundreds a second is load enough, and leaves the processors to others.
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await client.end();
  })();
  return {
    stop: async () => {
      going = false;
      await work.catch(() => undefined);
      return written;
    },
  };
}
