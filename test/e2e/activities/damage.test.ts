import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { flip } from '../flip.ts';
import { archiveRounds, useBeside } from './beside.ts';
import { newHand } from './hand.ts';
import { archived, bin, until } from './small-estate.ts';

const beside = useBeside(async (estate) => {
  await estate.sql(`
    create table customers (id int primary key, name text not null check (name <> 'nobody'));
    create table orders (id int primary key, customer int not null references customers, unique (customer, id));
    insert into customers select g, 'name ' || g from generate_series(1, 2000) g;
    insert into orders select g, g from generate_series(1, 2000) g`);
  const label = await estate.backup();
  const end = await archiveRounds(
    estate,
    6,
    (round) =>
      `insert into customers select g, repeat(md5(g::text), 20) from generate_series(${3000 + round * 1000}, ${3500 + round * 1000}) g`,
  );
  // What comes later is not archived: the archive stands still while it is damaged.
  await estate.sql(`alter system set archive_command = '/bin/false'`);
  await estate.sql('select pg_reload_conf()');
  return { label, end };
});

describe('damage', () => {
  async function inArchive(segment: string): Promise<string> {
    const folder = join(beside().estate.repositoryPath, 'archive/orders/15-1/0000000100000000');
    const name = (await readdir(folder)).find((one) => one.startsWith(`${segment}-`));
    return join(folder, name ?? segment);
  }

  it('in a stored backup is found, and the file is named', async () => {
    const folder = join(beside().estate.repositoryPath, 'backup/orders', beside().label, 'bundle');
    const file = join(folder, (await readdir(folder)).sort()[0] ?? '');
    const mend = await flip(file, 50_000);
    try {
      await expect(beside().restored()).rejects.toMatchObject({
        type: 'BackupCorrupt',
        message: expect.stringMatching(
          // pgBackRest names it when its checksum is wrong; where the bytes do not even decompress, Lifeboat does.
          new RegExp(
            `backup ${beside().label} is damaged .*(restoring '\\S+/data/|While restoring )(base|global)/[\\w/]+`,
          ),
        ),
      });
    } finally {
      await mend();
    }
  });

  it('by a segment that is missing in the middle ends in words, not in a silent promotion', async () => {
    const segments = await archived(beside().estate.root);
    const missing = segments.at(-3) ?? '';
    const file = await inArchive(missing);
    await rename(file, join(beside().estate.root, 'kept'));
    try {
      await beside().restored();
      await expect(beside().call('replayTo', beside().replayAsk(3_000))).rejects.toMatchObject({
        type: 'ArchiveGap',
        message: expect.stringMatching(
          `segment ${missing} is not in the archive.*recovery ended before configured recovery target`,
        ),
      });
    } finally {
      await rename(join(beside().estate.root, 'kept'), file);
    }
    // With the segment back, the same restore goes on.
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
  });

  it('in an archived segment is found at once, and the segment is named', async () => {
    const damaged = (await archived(beside().estate.root)).at(-3) ?? '';
    const mend = await flip(await inArchive(damaged), 20);
    try {
      await beside().restored();
      await expect(beside().call('replayTo', beside().replayAsk())).rejects.toMatchObject({
        type: 'BackupCorrupt',
        message: expect.stringContaining(`${damaged} is damaged in the archive`),
      });
    } finally {
      await mend();
    }
  });

  it('that is only an outage is waited for, and said meanwhile', async () => {
    await beside().restored();
    const archive = join(beside().estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    const running = beside().start('replayTo', beside().replayAsk());
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
    await beside().restored();
    const archive = join(beside().estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    try {
      await expect(beside().call('replayTo', beside().replayAsk(1_000))).rejects.toMatchObject({
        type: 'ArchiveUnreachable',
      });
    } finally {
      await rename(`${archive}.away`, archive);
    }
    // What the failed attempt has left does not hinder the next.
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
  });

  it('of rows that were loaded past their constraints is found by the server itself', async () => {
    await beside().promoted();
    expect(await beside().call('checkConstraints', { scratch: beside().scratch, database: 'postgres' })).toMatchObject({
      found: expect.stringMatching(/^\d+ constraints hold for every row$/),
    });
    await beside().sql(`set session_replication_role = replica; insert into orders values (9999, 9999)`);
    await expect(
      beside().call('checkConstraints', { scratch: beside().scratch, database: 'postgres' }),
    ).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining('orders_customer_fkey'),
    });
    await beside().sql(`delete from orders where id = 9999; set allow_system_table_mods = on;
      update pg_attribute set attnotnull = false where attrelid = 'customers'::regclass and attname = 'name';
      alter table customers disable trigger all; insert into customers values (9999, null)`);
    await expect(
      beside().call('checkConstraints', { scratch: beside().scratch, database: 'postgres' }),
    ).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining('name of public.customers not null'),
    });
  });

  it('of an index that lacks a row is found, and the index is named', async () => {
    await beside().promoted();
    expect(await beside().call('checkIndexes', { scratch: beside().scratch, database: 'postgres' })).toMatchObject({
      found: expect.stringContaining('B-tree indexes are sound'),
    });
    const ready = (is: boolean) =>
      `update pg_index set indisready = ${is}, indislive = ${is} where indexrelid = 'customers_pkey'::regclass`;
    await beside().sql(`set allow_system_table_mods = on; ${ready(false)}`);
    await beside().sql(`insert into customers values (7777, 'in no index')`);
    await beside().sql(`set allow_system_table_mods = on; ${ready(true)}`);
    await expect(
      beside().call('checkIndexes', { scratch: beside().scratch, database: 'postgres' }),
    ).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringMatching(/customers_pkey.*lacks matching index tuple/),
    });
  });

  it('of a page is found by its checksum, and the file is named', async () => {
    await beside().promoted();
    const [row] = await beside().sql(`select pg_relation_filepath('customers') as file`);
    await expect(beside().call('checkPages', { scratch: beside().scratch })).resolves.toMatchObject({
      found: expect.stringContaining('every checksum right'),
    });
    await flip(join(beside().scratch.directory, 'data', String(row?.file)), 5_000);
    await expect(beside().call('checkPages', { scratch: beside().scratch })).rejects.toMatchObject({
      type: 'DataCorrupt',
      message: expect.stringContaining(`${String(row?.file)} block 0`),
    });
  });

  it('by a kill -9 of the worker in mid-restore is made good by the next attempt', async () => {
    beside().newScratch();
    const ask = beside().restoreAsk();
    const doomed = await newHand(beside().estate.env);
    const running = doomed.start('restoreBeside', ask);
    // Stopped, it is certainly still in the middle when the worker dies.
    const pid = await stopRestore(beside().scratch.directory);
    await doomed.kill();
    await expect(running.result).rejects.toThrow('killed');
    expect(await alive(pid)).toBe(true);
    expect((await beside().call('restoreBeside', ask)).found).toContain('restored in');
    expect(await alive(pid)).toBe(false);
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
  });

  it('by a restore that died in its first moments, with files but nothing to compare them with, is begun anew', async () => {
    beside().newScratch();
    const early = join(beside().scratch.directory, 'data', 'base');
    await beside().estate.run('mkdir', '-p', '-m', '700', early);
    await beside().estate.run('cp', '/proc/self/status', join(early, '1'));
    const ask = beside().restoreAsk();
    expect((await beside().call('restoreBeside', ask)).found).toContain('restored in');
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
  });

  it('by a cancelled restore leaves no process behind', async () => {
    beside().newScratch();
    const running = beside().start('restoreBeside', beside().restoreAsk());
    const pid = await stopRestore(beside().scratch.directory);
    running.cancel();
    process.kill(pid, 'SIGCONT');
    await expect(running.result).rejects.toMatchObject({ type: 'CancelledFailure' });
    expect(await alive(pid)).toBe(false);
  });

  /** Stops pgBackRest as soon as it has begun to write, and returns its pid. */
  async function stopRestore(directory: string): Promise<number> {
    let pid = 0;
    await until('a restore has begun', async () => {
      const found = await beside()
        .estate.run('pgrep', '-f', `restore --set=.*${directory}/data`)
        .catch(() => '');
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
    await beside().restored();
    const doomed = await newHand(beside().estate.env);
    const archive = join(beside().estate.repositoryPath, 'archive');
    await rename(archive, `${archive}.away`);
    const running = doomed.start('replayTo', beside().replayAsk());
    await until('it waits', async () =>
      running.heartbeats.some((beat) => JSON.stringify(beat).includes('waiting for')),
    );
    await doomed.kill();
    await running.result.catch(() => undefined);
    const server = await readFile(join(beside().scratch.directory, 'data/postmaster.pid'), 'utf8');
    await rename(`${archive}.away`, archive);
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
    expect((await readFile(join(beside().scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]).toBe(
      server.split('\n')[0],
    );
    // The machine's own crash: the server is gone, its pid file is not.
    await beside().estate.run(
      join(bin, 'pg_ctl'),
      '-D',
      join(beside().scratch.directory, 'data'),
      '-m',
      'immediate',
      'stop',
    );
    expect(await beside().call('replayTo', beside().replayAsk(3_000))).toMatchObject({ timeline: 1 });
  });
});
