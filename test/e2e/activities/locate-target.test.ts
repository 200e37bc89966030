import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocatedTarget } from '../../../activities/contract-of-recovery.ts';
import type { RecoveryTarget, Repository } from '../../../recovery/archive.ts';
import { compareLsn, lsnDistance } from '../../../recovery/lsn.ts';
import { neededToLocate } from '../../../recovery/needed.ts';
import { readWantedTarget } from '../../../recovery/wanted-target.ts';
import { flip } from '../flip.ts';
import { type Hand, newHand } from './hand.ts';
import { type KnownWal, makeKnownWal } from './known-wal.ts';
import { archived, newSmallEstate, type SmallEstate, segmentBytes } from './small-estate.ts';

describe('a target that a person writes, located in the archived WAL', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let known: KnownWal;
  let repository: Repository;

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    known = await makeKnownWal(estate);
    // What comes later is not archived: the archive stands still.
    await estate.sql(`alter system set archive_command = '/bin/false'`);
    await estate.sql('select pg_reload_conf()');
    repository = await hand.call('repository', { backups: estate.backups, segmentBytes });
  });

  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });

  function locate(text: string, more: { wholeUntil?: string } = {}): Promise<LocatedTarget> {
    const target = readWantedTarget(text);
    if ('wrong' in target) throw new Error(target.wrong);
    return hand.call('locateTarget', {
      backups: estate.backups,
      scratch: { host: 'db1', directory: join(estate.scratchRoot, 'reading') },
      known: { segmentBytes, systemIdentifier: repository.systemIdentifier, timelines: repository.timelines },
      serverVersion: 150018,
      timeline: 1,
      target,
      ...neededToLocate(repository, 1, target),
      ...more,
    });
  }

  const refused = (text: string, type: string, message: RegExp) =>
    expect(locate(text)).rejects.toMatchObject({ type, message: expect.stringMatching(message) });

  it('what is no point to stop at is refused, and it says what to write instead', async () => {
    const { rolledBack, savepoint, whole, open } = known.transactions;
    await refused(`transaction ${rolledBack}`, 'TargetOutsideWindow', /was rolled back at .* write "before 0\//);
    await refused(
      `before transaction ${savepoint}`,
      'TargetOutsideWindow',
      new RegExp(`is a part of transaction ${whole} .*Write "transaction ${whole}"`),
    );
    await refused(`transaction ${open}`, 'TargetOutsideWindow', /was prepared at .* neither committed nor rolled back/);
    await refused(
      'transaction 4000000000',
      'TargetOutsideWindow',
      /has no end in the archive's WAL, which was read from/,
    );
    await refused('name nothing', 'TargetOutsideWindow', /These are: "twice", "before the Größte deploy"\./);
    await refused('name early', 'TargetOutsideWindow', /is not in the archive's WAL, which was read from/);
    await refused('FFFFF/0', 'TargetOutsideWindow', /does not lie in the archive's WAL on this way, from/);
    expect(await readdir(estate.scratchRoot)).toEqual([]);
  });

  it('a restore point is its record, and the commits before it', async () => {
    const { target, transaction } = await locate('name before the Größte deploy');
    expect(target.inclusive).toBe(true);
    expect(transaction).toBe(known.transactions.prepared);
    // What the server returned is where the record ends.
    expect(lsnDistance(target.lsn, known.points.deploy)).toBeGreaterThan(0);
    expect(lsnDistance(target.lsn, known.points.deploy)).toBeLessThan(200);
  });

  it('of two restore points of one name each can be meant, and both are told', async () => {
    const refusal = await locate('name twice').then(String, ({ message }: Error) => message);
    const [, first = '', second = ''] = /Write the LSN that is meant: "(\S+)" or "(\S+)"/.exec(refusal) ?? [];
    for (const [lsn, end] of [
      [first, known.points.first],
      [second, known.points.second],
    ] as const) {
      const { target } = await locate(lsn);
      expect(target).toEqual({ kind: 'lsn', lsn, inclusive: true, timeline: 1 });
      expect(compareLsn(lsn, end)).toBeLessThan(0);
      // What the server returned is where the record ends: the next one starts there.
      expect((await locate(`before ${end}`)).target).toMatchObject({ inclusive: false });
    }
  });

  it('a position inside of a record is refused with the two beside it, and each of these is taken', async () => {
    const { target } = await locate(`before ${known.beforeDelete}`);
    const inside = target.lsn.replace(/.$/, (digit) => (Number.parseInt(digit, 16) ^ 1).toString(16).toUpperCase());
    const refusal = await locate(inside).then(String, ({ message }: Error) => message);
    const [, before = '', next = ''] = /the nearest start at (\S+) and (\S+)\. PostgreSQL/.exec(refusal) ?? [];
    expect([before, next].every((lsn) => lsn !== inside)).toBe(true);
    expect((await locate(`before ${before}`)).target.lsn).toBe(before);
    expect((await locate(`before ${next}`)).target.lsn).toBe(next);
  });

  it('on an idle database a moment is the newest of all, once everything up to it is known to be archived', async () => {
    await refused(known.idle, 'TargetOutsideWindow', /later than all that the archive holds.*newest commit in it is/);
    const located = await locate(known.idle, { wholeUntil: known.idle });
    expect(located.target.inclusive).toBe(true);
    expect(located.after.transactions).toBe(0);
    expect(located.found).toContain('nothing was committed between it and');
  });

  describe('and recovered to', () => {
    const scratch = () => ({ host: 'db1', directory: join(estate.scratchRoot, 'restored') });
    const beside = (text: string) => estate.sql(text, { host: join(scratch().directory, 'socket'), port: 5432 });
    const replay = (target: RecoveryTarget) => {
      const ask = { backups: estate.backups, scratch: scratch(), target, outageWithinMs: 5_000, throwAway: true };
      return hand.call('replayTo', ask);
    };
    const kept = async () => (await beside('select count(*)::int as rows, max(id) as newest from kept'))[0];

    it('is where PostgreSQL itself stops, also when a commit of an earlier time came later', async () => {
      const ask = { backups: estate.backups, label: known.label, bytes: 1, scratch: scratch(), throwAway: true };
      await hand.call('restoreBeside', ask);
      const late = await locate(known.late.at);
      expect(late.notes?.join()).toContain('of the transactions after it carry a time up to the wanted one');
      const own = await replay({ kind: 'time', at: known.late.at, timeline: 1 });
      const reached = await replay(late.target);
      expect(reached.lsn).toBe(own.lsn);
      expect(reached.nextTransaction).toBe(own.nextTransaction);
      const there = `select count(*)::int as there from hammered where xmin::text = '${known.late.transaction}'`;
      expect(await beside(there)).toEqual([{ there: 0 }]);
    });

    it('holds exactly the rows of a moment, and of a transaction', async () => {
      await replay((await locate(known.between)).target);
      expect(await kept()).toEqual({ rows: 101, newest: 101 });
      const inserts = await locate(`transaction ${known.transactions.inserts}`);
      expect(inserts.transaction).toBe(known.transactions.inserts);
      await replay(inserts.target);
      expect(await kept()).toEqual({ rows: 102, newest: 102 });
    });

    it('leaves out a transaction that was prepared, and all that a deletion removed is there just before it', async () => {
      const prepared = await locate(`before transaction ${known.transactions.prepared}`);
      expect(prepared.notes?.join()).toContain('it will be there still, prepared');
      await replay(prepared.target);
      expect(await kept()).toEqual({ rows: 105, newest: 106 });
      const deletes = await locate(`before transaction ${known.transactions.deletes}`);
      expect(compareLsn(deletes.target.lsn, known.beforeDelete)).toBeGreaterThan(0);
      // The deletion, the drop, and row 201.
      expect(deletes.after.transactions).toBe(3);
      await replay(deletes.target);
      expect(await kept()).toEqual({ rows: 106, newest: 106 });
    });

    it('has a database whole that was dropped right after, and can be moved on', async () => {
      const drop = await locate(`before transaction ${known.transactions.drops}`);
      expect(drop.notes?.join()).toContain('marks the database that it drops, so that this is whole');
      await replay(drop.target);
      const doomed = `select datconnlimit as valid, pg_database_size(oid) > 1000000 as there from pg_database where datname = 'doomed'`;
      expect(await beside(doomed)).toEqual([{ valid: -1, there: true }]);
      expect(await kept()).toEqual({ rows: 0, newest: null });
    });

    it('holds on an idle database all there is, with what is prepared', async () => {
      await replay((await locate(known.idle, { wholeUntil: known.idle })).target);
      expect(await kept()).toEqual({ rows: 1, newest: 201 });
      // A server in recovery does not show what is prepared.
      await hand.call('promoteScratch', { scratch: scratch() });
      expect(await beside('select gid from pg_prepared_xacts')).toEqual([{ gid: 'left' }]);
      await hand.call('removeScratch', { scratch: scratch() });
    });
  });

  it('WAL that is damaged or missing after the target keeps nobody from it; before the target it does', async () => {
    const text = `before transaction ${known.transactions.deletes}`;
    const whole = await locate(text);
    const last = (await archived(estate.root)).at(-1) ?? '';
    const folder = join(estate.repositoryPath, 'archive/orders/15-1/0000000100000000');
    const file = join(folder, (await readdir(folder)).find((one) => one.startsWith(`${last}-`)) ?? '');
    const mend = await flip(file, 20);
    try {
      const located = await locate(text);
      expect(located.target).toEqual(whole.target);
      expect(located.after).toMatchObject({ transactions: 1, atLeast: true });
      expect(located.found).toMatch(new RegExp(`could not be read to its end.*${last}`));
      await refused(`before ${known.points.second}`, 'BackupCorrupt', new RegExp(last));
    } finally {
      await mend();
    }
    await rename(file, join(estate.root, 'kept'));
    try {
      expect((await locate(text)).after.atLeast).toBe(true);
      await refused(`before ${known.points.second}`, 'ArchiveGap', new RegExp(`segment ${last} is not in the archive`));
    } finally {
      await rename(join(estate.root, 'kept'), file);
    }
    expect(await locate(text)).toEqual(whole);
  });
});
