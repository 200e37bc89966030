import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Anchor } from '../../../recovery/archive.ts';
import { compareLsn } from '../../../recovery/lsn.ts';
import { type Hand, newHand } from './hand.ts';
import { archived, newSmallEstate, type SmallEstate, segmentBytes } from './small-estate.ts';

describe('a backup restored beside, paused at its anchor, moved on, promoted, proven and removed', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let anchor: Anchor;
  let label: string;
  let bytes: number;
  const scratch = () => ({ host: 'db1', directory: join(estate.scratchRoot, 'drill-1') });
  const beside = () => ({ host: join(scratch().directory, 'socket'), port: 5432 });
  const tables = ['orders', '"Odd Schema"."Odd ""Table"""'];

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    await estate.sql(`
      create table orders (id bigint primary key, note json, place point, tags text[], documents json[], at timestamptz default now());
      create schema "Odd Schema";
      create table "Odd Schema"."Odd ""Table""" (id int, "a column" text, gone int);
      alter table "Odd Schema"."Odd ""Table""" drop column gone;
      create schema lifeboat;
      create table lifeboat.pulse (number bigint primary key, at timestamptz not null default clock_timestamp());
      insert into orders select g, '{"a": 1}', point(g, 1), array['x', null], array['{}'::json] from generate_series(1, 500) g;
      insert into "Odd Schema"."Odd ""Table""" select 1, 'twice the same' from generate_series(1, 2);
      insert into lifeboat.pulse select g from generate_series(1, 10) g`);
    const taken = await hand.call('takeBackup', {
      backups: estate.backups,
      member: estate.member,
      type: 'full',
      key: 'run/step',
    });
    label = taken.backup.label;
    bytes = taken.backup.bytes;
    await estate.sql(
      `insert into orders select g from generate_series(501, 600) g; insert into lifeboat.pulse values (11), (14), (15)`,
    );
    ({ anchor } = await hand.call('anchorUnderLock', {
      member: estate.member,
      database: 'postgres',
      tables,
      lockWithinMs: 5_000,
      key: 'run/anchor',
    }));
    await estate.sql(
      `update orders set note = '{"b": 2}' where id = 3; insert into orders select g from generate_series(601, 700) g`,
    );
    await estate.sql(`insert into lifeboat.pulse values (16)`);
    await estate.archiveSegment();
  });

  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });

  it('finds the backup of this step again instead of taking another', async () => {
    const again = await hand.call('takeBackup', {
      backups: estate.backups,
      member: estate.member,
      type: 'full',
      key: 'run/step',
    });
    expect(again.backup.label).toBe(label);
    const { backups, timelines, oddities, systemIdentifier } = await hand.call('repository', {
      backups: estate.backups,
      segmentBytes,
    });
    expect(backups.map((one) => one.takenBy)).toEqual(['run/step']);
    expect(timelines.map(({ id }) => id)).toEqual([1]);
    expect(timelines[0]?.ranges.reduce((sum, { count }) => sum + count, 0)).toBe((await archived(estate.root)).length);
    expect(oddities).toEqual([]);
    expect(systemIdentifier).toBe(anchor.systemIdentifier);
  });

  it('restores beside, and leaves a complete restore alone', async () => {
    const ask = { backups: estate.backups, label, bytes, scratch: scratch(), throwAway: true };
    const running = hand.start('restoreBeside', ask);
    expect((await running.result).bytes).toBe(bytes);
    expect(running.heartbeats.length).toBeGreaterThan(0);
    const again = await hand.call('restoreBeside', ask);
    expect(again.found).toContain('was restored already');
    // The live server's queue of fetched segments and its locks were not touched.
    expect(await readdir(join(estate.root, 'spool'))).toEqual([]);
  });

  it('stands exactly at the anchor, and holds exactly its rows', async () => {
    const target = { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: 1 } as const;
    const end = await hand.call('replayTo', {
      backups: estate.backups,
      scratch: scratch(),
      target,
      outageWithinMs: 5_000,
      throwAway: true,
    });
    expect(end.lsn).toBe(anchor.lsn);
    expect(end.found).toContain('recovery stopping before');
    const restored = await hand.call('fingerprints', { scratch: scratch(), database: 'postgres', tables });
    expect(restored.tables).toEqual(anchor.tables);
    expect(restored.tables[0]).toMatchObject({
      table: 'public.orders',
      rows: 600,
      castToText: ['note', 'place', 'documents'],
    });
    expect(restored.tables[1]).toMatchObject({ rows: 2 });
    expect(restored.tables[1]?.fingerprint).not.toBe('0');
  });

  it('is left alone when it stands there already', async () => {
    const pid = await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8');
    const target = { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: 1 } as const;
    await hand.call('replayTo', {
      backups: estate.backups,
      scratch: scratch(),
      target,
      outageWithinMs: 5_000,
      throwAway: true,
    });
    expect(await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8')).toBe(pid);
  });

  it('lets everybody else have the processors first, because it is thrown away', async () => {
    const [pid = ''] = (await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8')).split('\n');
    expect(getPriority(Number(pid))).toBe(10);
    const group = await readFile(`/proc/${pid}/autogroup`, 'utf8').catch(() => 'nice 10');
    expect(group).toContain('nice 10');
  });

  it('listens on no network, and lets nothing out', async () => {
    const [settings] = await estate.sql(
      `select current_setting('listen_addresses') as listens, current_setting('archive_command') as archives,
         current_setting('archive_mode') as mode, current_setting('autovacuum') as vacuums,
         current_setting('primary_conninfo') as follows, current_setting('max_wal_senders') as senders`,
      beside(),
    );
    expect(settings).toEqual({
      listens: '',
      archives: '',
      mode: 'on',
      vacuums: 'off',
      follows: '',
      senders: '13',
    });
  });

  it('moves on to the newest commit in the archive', async () => {
    const segments = await archived(estate.root);
    const commit = await hand.call('newestCommit', {
      backups: estate.backups,
      scratch: { host: 'db1', directory: join(estate.scratchRoot, 'looking') },
      timeline: 1,
      lastSegment: segments.at(-1) ?? '',
      firstSegment: segments[0] ?? '',
      segmentBytes,
    });
    expect(compareLsn(commit.lsn, anchor.lsn)).toBeGreaterThan(0);
    expect(await readdir(estate.scratchRoot)).toEqual(['drill-1']);
    const target = { kind: 'lsn', lsn: commit.lsn, inclusive: true, timeline: 1 } as const;
    const end = await hand.call('replayTo', {
      backups: estate.backups,
      scratch: scratch(),
      target,
      outageWithinMs: 5_000,
      throwAway: true,
    });
    expect(compareLsn(end.lsn, commit.lsn)).toBeGreaterThan(0);
    // PostgreSQL does not count the commit at which it stops.
    expect(end.lastCommitAt && end.lastCommitAt <= commit.at).toBe(true);
    expect(await hand.call('endOfRecovery', { scratch: scratch() })).toMatchObject({ lsn: end.lsn, timeline: 1 });
    expect(await estate.sql('select count(*)::int as rows from orders', beside())).toEqual([{ rows: 700 }]);
    const { intervals } = await hand.call('pulsesRestored', { scratch: scratch(), database: 'postgres' });
    expect(intervals).toEqual([
      [1, 11],
      [14, 16],
    ]);
  });

  it('does not let an assertion change anything, or end the recovery', async () => {
    const run = (sql: string, expected: number | string | boolean) =>
      hand.call('runAssertions', {
        scratch: scratch(),
        database: 'postgres',
        assertions: [{ name: 'orders', sql, expect: expected }],
      });
    await expect(run('select count(*) from orders', 700)).resolves.toMatchObject({ found: '1 of 1 hold: orders' });
    await expect(run('select true', true)).resolves.toBeDefined();
    await expect(run('select count(*) from orders', 701)).rejects.toMatchObject({
      type: 'AssertionsFailed',
      message: expect.stringContaining('"orders" found 700, expected 701'),
    });
    await expect(run('select 1; select 2', 1)).rejects.toThrow('cannot insert multiple commands');
    await expect(run('select pg_wal_replay_resume()', '')).rejects.toThrow('permission denied');
    await expect(run('delete from orders returning 1', 1)).rejects.toMatchObject({ type: 'AssertionsFailed' });
  });

  it('is promoted to a new timeline once, archiving nothing', async () => {
    expect(await hand.call('promoteScratch', { scratch: scratch() })).toMatchObject({ timeline: 2 });
    expect(await hand.call('promoteScratch', { scratch: scratch() })).toMatchObject({ timeline: 2 });
    const target = { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: 1 } as const;
    await expect(
      hand.call('replayTo', {
        backups: estate.backups,
        scratch: scratch(),
        target,
        outageWithinMs: 5_000,
        throwAway: true,
      }),
    ).rejects.toMatchObject({ type: 'ReplayFailed', message: expect.stringContaining('no longer in recovery') });
    // Refused before anything was done to it.
    expect(await estate.sql('select pg_is_in_recovery() as recovering', beside())).toEqual([{ recovering: false }]);
    expect(
      (await readdir(join(estate.repositoryPath, 'archive/orders/15-1'))).filter((name) => name.includes('history')),
    ).toEqual([]);
  });

  it('goes away without a trace', async () => {
    await expect(hand.call('litter', { scratch: scratch() })).rejects.toMatchObject({ type: 'LitterFound' });
    await hand.call('removeScratch', { scratch: scratch() });
    await hand.call('removeScratch', { scratch: scratch() });
    await hand.call('litter', { scratch: scratch() });
    expect(await readdir(estate.scratchRoot)).toEqual([]);
    const processes = await estate.run('ps', '-eo', 'args');
    expect(processes).not.toContain('drill-1');
  });
});
