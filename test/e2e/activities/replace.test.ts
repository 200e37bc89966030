import { appendFile, chmod, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Following, StoppedAt } from '../../../activities/contract.ts';
import type { Member } from '../../../plan/schema.ts';
import { sampled } from '../../sample.ts';
import { contentOf, filesBelow } from '../observer.ts';
import { type Hand, newHand } from './hand.ts';
import { bin, newSmallEstate, type SmallEstate, segmentBytes, until } from './small-estate.ts';

const withinMs = 30_000;

describe('a restored primary and its standby take the place of the live ones, and give it back', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let db1: Member;
  let db2: Member;
  let systemIdentifier: string;
  let label: string;
  let target: string;
  const left: Record<string, StoppedAt> = {};
  const before: Record<string, Record<string, string>> = {};
  const server = (port: number) => ({ host: join(estate.root, 'socket'), port, database: 'postgres' });
  const scratch = ({ host }: Member) => ({ host, directory: join(estate.scratchRoot, host) });
  const replacement = (member: Member) => ({
    member,
    scratch: scratch(member),
    setAside: `${member.dataDirectory}.before-run`,
    backups: estate.backups,
  });
  const follow = (): Following => ({
    member: db2,
    primary: { host: 'db1', address: join(estate.root, 'socket'), port: 5432 },
    replication: { user: 'postgres', options: {} },
    slot: 'restored',
    backups: estate.backups,
    timeline: 2,
    left: leftOf(db2),
  });
  const replace = (member: Member) => ({
    ...replacement(member),
    left: leftOf(member),
    ...(member === db2 ? { follow: follow() } : {}),
  });
  function leftOf({ host }: Member): StoppedAt {
    const found = left[host];
    if (found === undefined) throw new Error(`the server beside on ${host} was not stopped yet`);
    return found;
  }

  beforeAll(async () => {
    estate = await newSmallEstate();
    db1 = { ...estate.member, control: { kind: 'pg_ctl' } };
    db2 = { host: 'db2', port: 5433, dataDirectory: join(estate.root, 'standby'), control: { kind: 'pg_ctl' } };
    await chmod(estate.permit, 0o644);
    const lines = [db1, db2].map((member) => `  - dataDirectory: ${member.dataDirectory}\n`);
    await appendFile(estate.permit, `serverControl:\n${lines.join('')}`);
    hand = await newHand(estate.env);
    await estate.sql('create table orders (id bigint primary key, note text)');
    await estate.sql(`insert into orders select g, 'before the backup' from generate_series(1, 500) g`);
    label = await estate.backup();
    const words = ['-h', join(estate.root, 'socket'), '-U', 'postgres', '-D', db2.dataDirectory];
    await estate.run(join(bin, 'pg_basebackup'), ...words, '-R', '-C', '-S', 'db2', '-c', 'fast');
    const log = join(estate.root, 'log/standby.log');
    await estate.run(join(bin, 'pg_ctl'), '-D', db2.dataDirectory, '-o', '-c port=5433', '-l', log, '-w', 'start');
    // Production is not configured as it was at the time of the backup.
    for (const { dataDirectory } of [db1, db2]) {
      await appendFile(join(dataDirectory, 'pg_hba.conf'), '# changed since the backup\n');
      await appendFile(join(dataDirectory, 'postgresql.conf'), `include_if_exists 'since.conf'\n`);
      await appendFile(join(dataDirectory, 'since.conf'), `work_mem = '7MB'\n`);
    }
    await estate.sql(`alter system set maintenance_work_mem = '70MB'`);
    await estate.sql(`insert into orders select g, 'after the backup' from generate_series(501, 700) g`);
    target = String((await estate.sql('select pg_current_wal_lsn() as lsn'))[0]?.lsn);
    await estate.sql(`update orders set note = 'destroyed'`);
    await estate.archiveSegment();
    for (const member of [db1, db2]) {
      const beside = { backups: estate.backups, scratch: scratch(member), throwAway: false };
      await hand.call('restoreBeside', { ...beside, label, bytes: 1 });
      const to = { kind: 'lsn', lsn: target, inclusive: false, timeline: 1 } as const;
      await hand.call('replayTo', { ...beside, target: to, outageWithinMs: 20_000 });
    }
    ({ systemIdentifier } = await hand.call('repository', { backups: estate.backups, segmentBytes }));
    await hand.call('promoteScratch', { scratch: scratch(db1) });
  }, 180_000);

  afterAll(async () => {
    await hand?.stop();
    const beside = ['db1', 'db2', 'later'].map((name) => join(estate.scratchRoot, name, 'data'));
    for (const place of [db2.dataDirectory, ...beside])
      await estate.run(join(bin, 'pg_ctl'), '-D', place, '-m', 'immediate', 'stop').catch(() => undefined);
    await estate?.stop();
  });

  it('can be replaced where a rename moves all of it', async () => {
    const can = await hand.call('canReplace', replacement(db1));
    expect(can).toMatchObject({ state: 'untouched' });
    expect(can.liveBytes).toBeGreaterThan(10_000_000);
    await expect(
      hand.call('canReplace', { ...replacement(db1), setAside: join(estate.root, 'elsewhere') }),
    ).rejects.toMatchObject({ type: 'NotPermitted' });
  });

  it('stops the servers beside in order, the one promoted and the other still a standby', async () => {
    for (const member of [db1, db2]) {
      const stopped = await hand.call('stopBeside', { scratch: scratch(member) });
      expect(stopped).toMatchObject({ systemIdentifier, inRecovery: member === db2, timeline: member === db1 ? 2 : 1 });
      expect(await hand.call('stopBeside', { scratch: scratch(member) })).toMatchObject({ lsn: stopped.lsn });
      left[member.host] = stopped;
    }
  });

  it('does not touch a directory whose server runs', async () => {
    for (const member of [db1, db2])
      await expect(hand.call('replaceDirectory', replace(member))).rejects.toMatchObject({
        type: 'Moved',
        message: expect.stringContaining('about to be replaced'),
      });
    expect(await readdir(estate.root)).not.toContain('data.before-run');
    await hand.call('stopStandby', { member: db2, withinMs });
    await hand.call('startStandby', { member: db2, withinMs });
    await hand.call('startStandby', { member: db2, withinMs });
    await expect(hand.call('stopStandby', { member: db1, withinMs })).rejects.toMatchObject({ type: 'SplitBrain' });
    expect(await estate.sql('select count(*)::int as rows from orders', server(5433))).toEqual([{ rows: 700 }]);
    await hand.call('stopPrimary', { member: db1, timeline: 1, systemIdentifier, withinMs });
    await hand.call('stopStandby', { member: db2, withinMs });
    await hand.call('stopStandby', { member: db2, withinMs });
    for (const { host, dataDirectory } of [db1, db2]) before[host] = await filesBelow(dataDirectory);
  });

  it('refuses what is not as it was left, and moves nothing', async () => {
    const other = { ...leftOf(db1), lsn: '0/1' };
    await expect(hand.call('replaceDirectory', { ...replace(db1), left: other })).rejects.toMatchObject({
      type: 'Moved',
      message: expect.stringContaining('as it was left'),
    });
    const { follow: _nobody, ...asPrimary } = replace(db2);
    await expect(hand.call('replaceDirectory', asPrimary)).rejects.toMatchObject({ type: 'Moved' });
    expect(await hand.call('canReplace', replacement(db2))).toMatchObject({ state: 'untouched' });
  });

  /** Each of these is made by a rename, in this order. */
  const moments = {
    replaceDirectory: ['its settings', 'the probe', 'the marker', 'the live one aside', 'the restored one in place'],
    replaceBack: ['the restored one beside', 'the live one back', 'its settings'],
  } as const;
  type Moment = (typeof moments)[keyof typeof moments][number];
  const renamedTo = (moment: Moment, member: Member): string => {
    const { dataDirectory } = member;
    const beside = scratch(member).directory;
    const paths: Record<Moment, string> = {
      'its settings': join(beside, 'data/postgresql.auto.conf'),
      'the probe': join(dirname(dataDirectory), `.${basename(dataDirectory)}.lifeboat-probe`),
      'the marker': join(beside, 'replacement.json'),
      'the live one aside': replacement(member).setAside,
      'the restored one in place': dataDirectory,
      'the restored one beside': join(beside, 'data'),
      'the live one back': dataDirectory,
    };
    return paths[moment];
  };
  const dies = async (activity: keyof typeof moments, member: Member, moment: Moment) => {
    const dieAtRenameTo = renamedTo(moment, member);
    const dying = hand.start(activity, replace(member), { dieAtRenameTo });
    await expect(dying.result).rejects.toThrow('the worker was killed');
    hand = await newHand(estate.env);
  };
  const deaths = ['db1', 'db2'].flatMap((host) =>
    moments.replaceDirectory.flatMap((there) => moments.replaceBack.map((back) => ({ host, there, back }))),
  );
  it.each(sampled(deaths, 1, 'replace'))(
    'a worker killed at $there, and again at $back on the way back, on $host: a retry mends it, bit for bit',
    async ({ host, there, back }) => {
      const member = host === 'db1' ? db1 : db2;
      await dies('replaceDirectory', member, there);
      expect(await hand.call('replaceDirectory', replace(member))).toMatchObject({ state: 'replaced' });
      expect(await hand.call('canReplace', replacement(member))).toMatchObject({ state: 'replaced' });
      expect(await filesBelow(`${member.dataDirectory}.before-run`)).toEqual(before[host]);
      await dies('replaceBack', member, back);
      expect(await hand.call('replaceBack', replacement(member))).toMatchObject({ state: 'untouched' });
      expect(await hand.call('replaceBack', replacement(member))).toMatchObject({ state: 'untouched' });
      expect(await filesBelow(member.dataDirectory)).toEqual(before[host]);
      expect((await readdir(estate.root)).filter((name) => /probe|before/.test(name))).toEqual([]);
    },
  );

  it('does not take a directory that somebody has made in the gap for its own', async () => {
    await dies('replaceDirectory', db1, 'the live one aside');
    expect(await hand.call('canReplace', replacement(db1))).toMatchObject({ state: 'between' });
    const start = { member: db1, timeline: 2, systemIdentifier, withinMs };
    await expect(hand.call('startReplaced', start)).rejects.toMatchObject({ type: 'RestoreFailed' });
    await mkdir(db1.dataDirectory);
    await expect(hand.call('replaceDirectory', replace(db1))).rejects.toMatchObject({ type: 'Moved' });
    await rename(db1.dataDirectory, join(estate.root, 'of-somebody'));
    expect(await hand.call('replaceDirectory', replace(db1))).toMatchObject({ state: 'replaced' });
  });

  it('comes up as production is configured now, with the rows of the target, and archives its new timeline', async () => {
    await hand.call('startReplaced', { member: db1, timeline: 2, systemIdentifier, withinMs });
    await hand.call('startReplaced', { member: db1, timeline: 2, systemIdentifier, withinMs });
    const [settings] = await estate.sql(`
      select current_setting('work_mem') as work, current_setting('maintenance_work_mem') as system,
        current_setting('archive_command') like 'pgbackrest%' as archives, current_setting('recovery_target_lsn') as target,
        current_setting('restore_command') as restores, current_setting('hba_file') as hba, current_setting('autovacuum') as vacuums`);
    expect(settings).toEqual({
      work: '7MB',
      system: '70MB',
      archives: true,
      target: '',
      restores: '',
      hba: join(db1.dataDirectory, 'pg_hba.conf'),
      vacuums: 'on',
    });
    expect(await readFile(join(db1.dataDirectory, 'pg_hba.conf'), 'utf8')).toContain('changed since the backup');
    expect(await estate.sql(`select note, count(*)::int as rows from orders group by 1 order by 1`)).toEqual([
      { note: 'after the backup', rows: 200 },
      { note: 'before the backup', rows: 500 },
    ]);
    await estate.sql(`insert into orders values (701, 'on the new timeline')`);
    const archived = await hand.call('archiveReaches', { member: db1, backups: estate.backups, timeline: 2 });
    expect(archived.found).toContain('the history of timeline 2');
  });

  it('has a standby again that was restored beside, and streams', async () => {
    await hand.call('makeSlot', { member: db1, slot: 'restored' });
    expect(await hand.call('replaceDirectory', replace(db2))).toMatchObject({ state: 'replaced' });
    await hand.call('startFollower', { ...follow(), withinMs });
    await estate.sql(`insert into orders values (702, 'streamed')`);
    await until('the standby has the row', async () => {
      const [row] = await estate.sql('select count(*)::int as rows from orders', server(5433));
      return row?.rows === 702;
    });
    expect(await contentOf(server(5433), 'orders')).toEqual(await contentOf(server(5432), 'orders'));
    const [settings] = await estate.sql(
      `select current_setting('work_mem') as work, current_setting('recovery_target_lsn') as target, pg_is_in_recovery() as standby`,
      server(5433),
    );
    expect(settings).toEqual({ work: '7MB', target: '', standby: true });
  });

  it('does not take away a restored directory whose server runs', async () => {
    for (const member of [db1, db2])
      await expect(hand.call('replaceBack', replacement(member))).rejects.toMatchObject({ type: 'Moved' });
  });

  it('gives the old directories back, bit for bit, after the restored ones have served', async () => {
    await hand.call('stopStandby', { member: db2, withinMs });
    await hand.call('stopPrimary', { member: db1, timeline: 2, systemIdentifier, withinMs });
    for (const member of [db1, db2]) {
      expect(await hand.call('replaceBack', replacement(member))).toMatchObject({ state: 'untouched' });
      expect(await filesBelow(member.dataDirectory)).toEqual(before[member.host]);
    }
    // Whoever starts it where it lies now starts no server that archives.
    expect((await readFile(join(scratch(db1).directory, 'data/postgresql.auto.conf'), 'utf8')).trim()).toBe('');
  });

  it('the old primary goes on as it was where the archive has never heard of another timeline', async () => {
    const ask = { member: db1, backups: estate.backups, above: 9, withinMs, outageWithinMs: 20_000 };
    expect(await hand.call('returnOnNewTimeline', ask)).toMatchObject({ timeline: 1 });
    expect(await hand.call('returnOnNewTimeline', ask)).toMatchObject({ timeline: 1 });
    // And one that runs on the old timeline beside the archived history is nothing to be content with.
    await expect(hand.call('returnOnNewTimeline', { ...ask, above: 2 })).rejects.toMatchObject({ type: 'Moved' });
    await hand.call('stopPrimary', { member: db1, timeline: 1, systemIdentifier, withinMs });
  });

  it('the old primary comes back on a timeline above all that the archive knows, also when the worker is killed meanwhile', async () => {
    const ask = { member: db1, backups: estate.backups, above: 2, withinMs, outageWithinMs: 20_000 };
    const dieAtRenameTo = join(db1.dataDirectory, 'recovery.signal');
    await expect(hand.start('returnOnNewTimeline', ask, { dieAtRenameTo }).result).rejects.toThrow('was killed');
    hand = await newHand(estate.env);
    const again = hand.start('returnOnNewTimeline', ask);
    await until('it is being promoted', async () =>
      again.heartbeats.some((one) => String(JSON.stringify(one)).includes('promoting')),
    );
    await hand.kill();
    hand = await newHand(estate.env);
    const back = await hand.call('returnOnNewTimeline', ask);
    expect(back.timeline).toBeGreaterThan(2);
    expect(await hand.call('returnOnNewTimeline', ask)).toMatchObject({ timeline: back.timeline });
    const [settings] = await estate.sql(`
      select current_setting('archive_command') like 'pgbackrest%' as archives, current_setting('restore_command') as restores,
        current_setting('recovery_target_timeline') as timeline, current_setting('unix_socket_directories') as socket`);
    expect(settings).toEqual({ archives: true, restores: '', timeline: 'latest', socket: join(estate.root, 'socket') });
    expect(await readdir(db1.dataDirectory)).not.toContain('lifeboat-return');
    expect(await estate.sql(`select distinct note from orders`)).toEqual([{ note: 'destroyed' }]);
    await hand.call('archiveReaches', { member: db1, backups: estate.backups, timeline: back.timeline });
    await hand.call('startStandby', { member: db2, withinMs });
    await until('its standby follows', async () => {
      const streams = await estate.sql("select from pg_stat_replication where state = 'streaming'");
      return streams.length === 1;
    });
  });

  it('and a later restore of the newest timeline finds the old data and all that came after', async () => {
    await estate.sql(`insert into orders values (800, 'after the return')`);
    const lsn = String((await estate.sql('select pg_current_wal_lsn() as lsn'))[0]?.lsn);
    await estate.archiveSegment();
    const { timelines } = await hand.call('repository', { backups: estate.backups, segmentBytes });
    const newest = Math.max(...timelines.map(({ id }) => id));
    const beside = {
      ...{ backups: estate.backups, throwAway: true },
      scratch: { host: 'db1', directory: join(estate.scratchRoot, 'later') },
    };
    await hand.call('restoreBeside', { ...beside, label, bytes: 1 });
    const to = { kind: 'lsn', lsn, inclusive: false, timeline: newest } as const;
    await estate.sql(`insert into orders values (801, 'past the target')`);
    await estate.archiveSegment();
    await hand.call('replayTo', { ...beside, target: to, outageWithinMs: 20_000 });
    const place = { host: join(beside.scratch.directory, 'socket'), port: 5432 };
    expect(await estate.sql('select note, count(*)::int as rows from orders group by 1 order by 1', place)).toEqual([
      { note: 'after the return', rows: 1 },
      { note: 'destroyed', rows: 700 },
    ]);
    await hand.call('removeScratch', { scratch: beside.scratch });
  });
});
