import { chown, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecoveryTarget } from '../../../recovery/archive.ts';
import { filesBelow } from '../observer.ts';
import { type Hand, newHand } from './hand.ts';
import { archived, bin, newSmallEstate, type SmallEstate, segmentBytes, until } from './small-estate.ts';

describe('what WAL and backups can bring', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let label: string;
  let between: string;
  let end: string;
  let space: string;
  const scratch = () => ({ host: 'db1', directory: join(estate.scratchRoot, 'surprises') });
  const beside = (text: string) => estate.sql(text, { host: join(scratch().directory, 'socket'), port: 5432 });
  const replay = (target: RecoveryTarget) =>
    hand.call('replayTo', {
      backups: estate.backups,
      scratch: scratch(),
      target,
      outageWithinMs: 5_000,
      throwAway: true,
    });
  const now = async (what: string) => String((await estate.sql(`select (${what})::text as now`))[0]?.now);

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    space = join(estate.root, 'space');
    await mkdir(space);
    await chown(space, estate.runAs.uid, estate.runAs.gid);
    await estate.sql(`create tablespace fast location '${space}'`);
    await estate.sql(`create table kept (id int) tablespace fast; insert into kept select generate_series(1, 100)`);
    label = await estate.backup();
    await estate.sql('insert into kept values (101)');
    between = await now(`to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`);
    await estate.sql('insert into kept values (102)');
    await estate.archiveSegment();
    // A standby needs at least what its primary has; the WAL tells of it only when it gets there.
    await estate.sql('alter system set max_connections = 97');
    await estate.sql('alter system set max_locks_per_transaction = 99');
    await estate.run(
      join(bin, 'pg_ctl'),
      '-D',
      estate.member.dataDirectory,
      '-l',
      join(estate.root, 'log/server.log'),
      '-m',
      'fast',
      '-w',
      'restart',
    );
    await estate.sql('insert into kept values (103)');
    end = await now('pg_current_wal_lsn()');
    await estate.sql('insert into kept values (104)');
    await estate.archiveSegment();
  });

  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });

  it('a tablespace of the backup is known, and restored into the scratch directory', async () => {
    const { backups } = await hand.call('repository', { backups: estate.backups, segmentBytes });
    expect(backups[0]?.tablespaces).toEqual([{ oid: expect.any(Number), location: space }]);
    await hand.call('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch: scratch(), throwAway: true });
  });

  it('a time is reached to the microsecond, not to the second', async () => {
    await expect(replay({ kind: 'time', at: '2026-11-21 14:00:00', timeline: 1 })).rejects.toMatchObject({
      type: 'InputInvalid',
    });
    const reached = await replay({ kind: 'time', at: between, timeline: 1 });
    expect(reached.found).toContain('recovery stopping before commit');
    expect(await beside('select max(id) as newest from kept')).toEqual([{ newest: 101 }]);
    const [row] = await beside(`select pg_tablespace_location(oid) as place from pg_tablespace where spcname = 'fast'`);
    expect(row?.place).toMatch(new RegExp(`^${scratch().directory}/`));
  });

  it('settings that grow within the WAL are followed, and the pause for them is not taken for the target', async () => {
    const reached = await replay({ kind: 'lsn', lsn: end, inclusive: true, timeline: 1 });
    expect(reached.found).toContain('recovery stopping after');
    // The first record at the target begins the next insert, whose commit is not replayed any more.
    expect(await beside('select max(id) as newest from kept')).toEqual([{ newest: 103 }]);
    expect(await beside('show max_connections')).toEqual([{ max_connections: '97' }]);
    expect(await readFile(join(scratch().directory, 'log/postgresql.log'), 'utf8')).toContain(
      'is a lower setting than on the primary',
    );
    // The live tablespace is as it was.
    expect(await estate.sql('select max(id) as newest from kept')).toEqual([{ newest: 104 }]);
  });

  it('a target that lies behind is refused in words', async () => {
    await expect(replay({ kind: 'time', at: '2020-01-01T00:00:00Z', timeline: 1 })).rejects.toMatchObject({
      type: 'ReplayFailed',
    });
    await hand.call('removeScratch', { scratch: scratch() });
  });

  it('the newest commit is found behind segments without any, and what is missing on the way is said', async () => {
    for (const name of ['one', 'two']) {
      await estate.sql(`select pg_create_restore_point('${name}')`);
      await estate.archiveSegment();
    }
    const segments = await archived(estate.root);
    const ask = {
      backups: estate.backups,
      scratch: scratch(),
      timeline: 1,
      firstSegment: segments[0] ?? '',
      lastSegment: segments.at(-1) ?? '',
      segmentBytes,
    };
    const commit = await hand.call('newestCommit', ask);
    expect(segments.indexOf(commit.segment)).toBeLessThan(segments.length - 2);
    await expect(hand.call('newestCommit', { ...ask, lastSegment: '0000000100000000000000F0' })).rejects.toMatchObject({
      type: 'ArchiveGap',
    });
    await expect(hand.call('newestCommit', { ...ask, firstSegment: ask.lastSegment })).rejects.toMatchObject({
      type: 'TargetOutsideWindow',
    });
  });

  it('a link that leads out of the scratch directory is not followed by a replay', async () => {
    await hand.call('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch: scratch(), throwAway: true });
    await rm(join(scratch().directory, 'restored.json'));
    await symlink(space, join(scratch().directory, 'data/pg_tblspc/99999'));
    // pgBackRest's delta restore removes what is not in the backup; what it leaves is refused.
    const again = hand.call('restoreBeside', {
      backups: estate.backups,
      label,
      bytes: 1,
      scratch: scratch(),
      throwAway: true,
    });
    await again.then(
      async () => expect(await estate.run('ls', join(scratch().directory, 'data/pg_tblspc'))).not.toContain('99999'),
      (error: unknown) => expect(error).toMatchObject({ type: 'TablespaceUnsafe' }),
    );
    await hand.call('removeScratch', { scratch: scratch() });
    await until('nothing is left', async () => (await estate.run('ls', estate.scratchRoot)) === '');
  });

  it('a tablespace that came and went after the backup is not created again where something lives now', async () => {
    const place = join(estate.root, 'brief');
    await mkdir(place);
    await chown(place, estate.runAs.uid, estate.runAs.gid);
    await estate.sql(`create tablespace brief location '${place}'`);
    await estate.sql(`create table passing tablespace brief as select generate_series(1, 100) as id`);
    await estate.sql('drop table passing');
    await estate.sql('drop tablespace brief');
    const target = await now('pg_current_wal_lsn()');
    await estate.sql('insert into kept values (105)');
    await estate.archiveSegment();
    const ask = { kind: 'lsn', lsn: target, inclusive: true, timeline: 1 } as const;
    const restore = () =>
      hand.call('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch: scratch(), throwAway: true });
    const refusal = { type: 'TablespaceUnsafe', message: expect.stringContaining(`creates a tablespace in ${place}`) };

    await restore();
    await expect(replay(ask)).rejects.toMatchObject(refusal);
    expect(await readdir(place)).toEqual([]);

    await estate.sql(`create tablespace later location '${place}'`);
    await estate.sql(`create table living tablespace later as select generate_series(1, 500) as id; checkpoint`);
    const before = await filesBelow(place);
    await restore();
    await expect(replay(ask)).rejects.toMatchObject(refusal);
    expect(await filesBelow(place)).toEqual(before);
    expect(await estate.sql('select count(*)::int as rows from living')).toEqual([{ rows: 500 }]);
    await hand.call('removeScratch', { scratch: scratch() });
    await until('nothing is left', async () => (await estate.run('ls', estate.scratchRoot)) === '');
  });
});
