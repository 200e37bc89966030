import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { flip } from '../flip.ts';
import { type Hand, newHand } from './hand.ts';
import { archived, bin, newSmallEstate, type SmallEstate, until } from './small-estate.ts';

describe('damage', () => {
  let estate: SmallEstate;
  let hand: Hand;
  let label: string;
  /** Newest commit, in the last archived segment. */
  let end: string;
  let runs = 0;
  let scratch: { host: string; directory: string };

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    await estate.sql(`
      create table customers (id int primary key, name text not null check (name <> 'nobody'));
      create table orders (id int primary key, customer int not null references customers, unique (customer, id));
      insert into customers select g, 'name ' || g from generate_series(1, 2000) g;
      insert into orders select g, g from generate_series(1, 2000) g`);
    label = await estate.backup();
    for (let round = 0; round < 6; round += 1) {
      await estate.sql(
        `insert into customers select g, repeat(md5(g::text), 20) from generate_series(${3000 + round * 1000}, ${3500 + round * 1000}) g`,
      );
      const [row] = await estate.sql('select pg_current_wal_lsn() as lsn');
      end = String(row?.lsn);
      await estate.sql(`insert into customers values (${100_000 + round}, 'after')`);
      await estate.archiveSegment();
    }
    // What comes later is not archived: the archive stands still while it is damaged.
    await estate.sql(`alter system set archive_command = '/bin/false'`);
    await estate.sql('select pg_reload_conf()');
  }, 90_000);

  afterEach(async () => {
    if (scratch !== undefined) await hand.call('removeScratch', { scratch });
  });
  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });

  async function restored(): Promise<void> {
    runs += 1;
    scratch = { host: 'db1', directory: join(estate.scratchRoot, `run-${runs}`) };
    await hand.call('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch });
  }
  const replay = (outageWithinMs = 3_000) => ({
    backups: estate.backups,
    scratch,
    target: { kind: 'lsn', lsn: end, inclusive: true, timeline: 1 } as const,
    outageWithinMs,
    throwAway: true,
  });
  async function promoted(): Promise<void> {
    await restored();
    await hand.call('replayTo', replay());
    await hand.call('promoteScratch', { scratch });
  }
  const beside = (text: string) => estate.sql(text, { host: join(scratch.directory, 'socket'), port: 5432 });
  async function inArchive(segment: string): Promise<string> {
    const folder = join(estate.repositoryPath, 'archive/orders/15-1/0000000100000000');
    const name = (await readdir(folder)).find((one) => one.startsWith(`${segment}-`));
    return join(folder, name ?? segment);
  }

  it('in a stored backup is found, and the file is named', async () => {
    const folder = join(estate.repositoryPath, 'backup/orders', label, 'bundle');
    const file = join(folder, (await readdir(folder)).sort()[0] ?? '');
    const mend = await flip(file, 50_000);
    try {
      await expect(restored()).rejects.toMatchObject({
        type: 'BackupCorrupt',
        message: expect.stringMatching(
          // pgBackRest names it when its checksum is wrong; where the bytes do not even decompress, Lifeboat does.
          new RegExp(`backup ${label} is damaged .*(restoring '\\S+/data/|While restoring )(base|global)/[\\w/]+`),
        ),
      });
    } finally {
      await mend();
    }
  });

  it('by a segment that is missing in the middle ends in words, not in a silent promotion', async () => {
    const segments = await archived(estate.root);
    const missing = segments.at(-3) ?? '';
    const file = await inArchive(missing);
    await rename(file, join(estate.root, 'kept'));
    try {
      await restored();
      await expect(hand.call('replayTo', replay())).rejects.toMatchObject({
        type: 'ArchiveGap',
        message: expect.stringMatching(
          `segment ${missing} is not in the archive.*recovery ended before configured recovery target`,
        ),
      });
    } finally {
      await rename(join(estate.root, 'kept'), file);
    }
    // With the segment back, the same restore goes on.
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });

  it('in an archived segment is found at once, and the segment is named', async () => {
    const damaged = (await archived(estate.root)).at(-3) ?? '';
    const mend = await flip(await inArchive(damaged), 20);
    try {
      await restored();
      await expect(hand.call('replayTo', replay(60_000))).rejects.toMatchObject({
        type: 'BackupCorrupt',
        message: expect.stringContaining(`${damaged} is damaged in the archive`),
      });
    } finally {
      await mend();
    }
  });

  it('that is only an outage is waited for, and said meanwhile', async () => {
    await restored();
    const archive = join(estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    const running = hand.start('replayTo', replay(60_000));
    try {
      await until('the heartbeat says what the replay waits for', async () =>
        running.heartbeats.some((beat) =>
          /waiting for 0{7}1.*unable to find a valid repository|archive\.info/.test(JSON.stringify(beat)),
        ),
      );
    } finally {
      await rename(`${archive}.away`, archive);
    }
    expect(await running.result).toMatchObject({ timeline: 1 });
  });

  it('by an outage that lasts ends as what it is', async () => {
    await restored();
    const archive = join(estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    try {
      await expect(hand.call('replayTo', replay(1_000))).rejects.toMatchObject({ type: 'ArchiveUnreachable' });
    } finally {
      await rename(`${archive}.away`, archive);
    }
    // What the failed attempt has left does not hinder the next.
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });

  it('of rows that were loaded past their constraints is found by the server itself', async () => {
    await promoted();
    expect(await hand.call('checkConstraints', { scratch, database: 'postgres' })).toMatchObject({
      found: expect.stringMatching(/^\d+ constraints hold for every row$/),
    });
    await beside(`set session_replication_role = replica; insert into orders values (9999, 9999)`);
    await expect(hand.call('checkConstraints', { scratch, database: 'postgres' })).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining('orders_customer_fkey'),
    });
    await beside(`delete from orders where id = 9999; set allow_system_table_mods = on;
      update pg_attribute set attnotnull = false where attrelid = 'customers'::regclass and attname = 'name';
      alter table customers disable trigger all; insert into customers values (9999, null)`);
    await expect(hand.call('checkConstraints', { scratch, database: 'postgres' })).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining('name of public.customers not null'),
    });
  });

  it('of an index that lacks a row is found, and the index is named', async () => {
    await promoted();
    expect(await hand.call('checkIndexes', { scratch, database: 'postgres' })).toMatchObject({
      found: expect.stringContaining('B-tree indexes are sound'),
    });
    const ready = (is: boolean) =>
      `update pg_index set indisready = ${is}, indislive = ${is} where indexrelid = 'customers_pkey'::regclass`;
    await beside(`set allow_system_table_mods = on; ${ready(false)}`);
    await beside(`insert into customers values (7777, 'in no index')`);
    await beside(`set allow_system_table_mods = on; ${ready(true)}`);
    await expect(hand.call('checkIndexes', { scratch, database: 'postgres' })).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringMatching(/customers_pkey.*lacks matching index tuple/),
    });
  });

  it('of a page is found by its checksum, and the file is named', async () => {
    await promoted();
    const [row] = await beside(`select pg_relation_filepath('customers') as file`);
    await expect(hand.call('checkPages', { scratch })).resolves.toMatchObject({
      found: expect.stringContaining('every checksum right'),
    });
    await flip(join(scratch.directory, 'data', String(row?.file)), 5_000);
    await expect(hand.call('checkPages', { scratch })).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining(`${String(row?.file)} block 0`),
    });
  });

  it('by a kill -9 of the worker in mid-restore is made good by the next attempt', async () => {
    runs += 1;
    scratch = { host: 'db1', directory: join(estate.scratchRoot, `run-${runs}`) };
    const ask = { backups: estate.backups, label, bytes: 1, scratch };
    const doomed = await newHand(estate.env);
    const running = doomed.start('restoreBeside', ask);
    // Stopped, it is certainly still in the middle when the worker dies.
    const pid = await stopRestore(scratch.directory);
    await doomed.kill();
    await expect(running.result).rejects.toThrow('killed');
    expect(await alive(pid)).toBe(true);
    expect((await hand.call('restoreBeside', ask)).found).toContain('restored in');
    expect(await alive(pid)).toBe(false);
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });

  it('by a restore that died in its first moments, with files but nothing to compare them with, is begun anew', async () => {
    runs += 1;
    scratch = { host: 'db1', directory: join(estate.scratchRoot, `run-${runs}`) };
    const early = join(scratch.directory, 'data', 'base');
    await estate.run('mkdir', '-p', '-m', '700', early);
    await estate.run('cp', '/proc/self/status', join(early, '1'));
    const ask = { backups: estate.backups, label, bytes: 1, scratch };
    expect((await hand.call('restoreBeside', ask)).found).toContain('restored in');
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });

  it('by a cancelled restore leaves no process behind', async () => {
    runs += 1;
    scratch = { host: 'db1', directory: join(estate.scratchRoot, `run-${runs}`) };
    const running = hand.start('restoreBeside', { backups: estate.backups, label, bytes: 1, scratch });
    const pid = await stopRestore(scratch.directory);
    running.cancel();
    process.kill(pid, 'SIGCONT');
    await expect(running.result).rejects.toMatchObject({ type: 'CancelledFailure' });
    expect(await alive(pid)).toBe(false);
  });

  /** Stops pgBackRest as soon as it has begun to write, and returns its pid. */
  async function stopRestore(directory: string): Promise<number> {
    let pid = 0;
    await until('a restore has begun', async () => {
      const found = await estate.run('pgrep', '-f', `restore --set=.*${directory}/data`).catch(() => '');
      pid = Number(found.split('\n')[0] ?? 0);
      if (pid === 0) return false;
      process.kill(pid, 'SIGSTOP');
      return true;
    });
    return pid;
  }
  async function alive(pid: number): Promise<boolean> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
    return !/State:\s+[ZX]/.test(status);
  }
  it('is not made by a server that outlives its worker: a retry finds it', async () => {
    await restored();
    const doomed = await newHand(estate.env);
    const archive = join(estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    const running = doomed.start('replayTo', replay(60_000));
    await until('it waits', async () =>
      running.heartbeats.some((beat) => JSON.stringify(beat).includes('waiting for')),
    );
    await doomed.kill();
    await running.result.catch(() => undefined);
    const server = await readFile(join(scratch.directory, 'data/postmaster.pid'), 'utf8');
    await rename(`${archive}.away`, archive);
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
    expect((await readFile(join(scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]).toBe(
      server.split('\n')[0],
    );
    // The machine's own crash: the server is gone, its pid file is not.
    await estate.run(join(bin, 'pg_ctl'), '-D', join(scratch.directory, 'data'), '-m', 'immediate', 'stop');
    expect(await hand.call('replayTo', replay())).toMatchObject({ timeline: 1 });
  });
});
