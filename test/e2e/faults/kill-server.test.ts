/** A server beside, or a tool that works on it, is killed: it is started again where it stood, and never taken for damaged data. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { archiveRounds, useBeside } from '../activities/beside.ts';
import { until } from '../activities/small-estate.ts';

const database = 'postgres';

const beside = useBeside(async (estate) => {
  await estate.sql(`
    create table customers (id int primary key, name text not null check (name <> 'nobody'));
    insert into customers select g, 'name ' || g from generate_series(1, 2000) g`);
  const label = await estate.backup();
  const end = await archiveRounds(
    estate,
    4,
    (round) =>
      `insert into customers select g, 'late' from generate_series(${3000 + round * 500}, ${3400 + round * 500}) g`,
  );
  return { label, end };
});

async function postmaster(): Promise<number> {
  return Number((await readFile(join(beside().scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Until it is gone: what is asked in its last moment meets a server that is still there. */
async function killServer(): Promise<void> {
  const pid = await postmaster();
  process.kill(pid, 'SIGKILL');
  await until('the server is gone', async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
    return /State:\s+[ZX]/.test(status);
  });
}

/** Waits for the process whose command line matches, and kills it before it can end by itself. */
async function killWhenThere(pattern: string): Promise<void> {
  await until(`${pattern} runs`, async () => {
    const found = await beside()
      .estate.run('pgrep', '-f', pattern)
      .catch(() => '');
    const pid = Number(found.split('\n')[0] ?? 0);
    if (pid === 0) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  });
}

async function childOfServer(title: string): Promise<number> {
  const found = await beside().estate.run('pgrep', '-P', String(await postmaster()), '-f', title);
  return Number(found.split('\n')[0]);
}

describe('a kill -9 in the middle of the replay', () => {
  const parts: [string, () => Promise<number>][] = [
    ['of the server', postmaster],
    ['of its startup process', () => childOfServer('startup')],
    ['of its checkpointer', () => childOfServer('checkpointer')],
    [
      'of the command that fetches WAL',
      async () => Number(await beside().estate.run('pgrep', '-of', `${beside().scratch.directory}/restore-command`)),
    ],
  ];

  it.each(parts)('%s costs a start: it stands at the same point in the end', async (_part, pidOf) => {
    await beside().restored();
    const archive = join(beside().estate.repositoryPath, 'archive');
    // Without an archive it certainly is in the middle.
    await rename(archive, `${archive}.away`);
    const running = beside().start('replayTo', beside().replayAsk());
    await until('it waits for WAL', async () =>
      running.heartbeats.some((beat) => JSON.stringify(beat).includes('waiting for')),
    );
    process.kill(await pidOf(), 'SIGKILL');
    await rename(`${archive}.away`, archive);
    const reached = await running.result;
    expect(reached).toMatchObject({ timeline: 1 });
    expect(reached.found).toContain('recovery stopping');
    const late = `select count(*)::int as late from customers where name = 'late'`;
    const [rows] = await beside().sql(late);
    const [live] = await beside().estate.sql(late);
    expect(rows).toEqual(live);
  });
});

describe('a server that was killed', () => {
  it('while it stood at its target is brought back to there, and holds the same', async () => {
    const lsn = await beside().paused();
    const ask = { scratch: beside().scratch, database, tables: ['customers'] };
    const { tables } = await beside().call('fingerprints', ask);
    await killServer();
    expect((await beside().call('fingerprints', ask)).tables).toEqual(tables);
    await killServer();
    expect((await beside().call('endOfRecovery', { scratch: beside().scratch })).lsn).toBe(lsn);
    expect((await beside().call('promoteScratch', { scratch: beside().scratch })).timeline).toBe(2);
  });

  it('after its promotion is on its own timeline again', async () => {
    await beside().promoted();
    await killServer();
    expect((await beside().call('promoteScratch', { scratch: beside().scratch })).timeline).toBe(2);
    await killServer();
    expect((await beside().call('checkConstraints', { scratch: beside().scratch, database })).found).toMatch(
      /constraints hold for every row/,
    );
  });

  it('in its promotion is started again, and promoted by the next attempt', async () => {
    await beside().paused();
    const archive = join(beside().estate.repositoryPath, 'archive');
    // Promotion asks the archive for more: without it the server certainly is in the middle.
    await rename(archive, `${archive}.away`);
    const ask = { scratch: beside().scratch, outageWithinMs: 60_000 };
    const running = beside().start('promoteScratch', ask);
    await until('it waits for the archive', async () =>
      running.heartbeats.some((beat) => JSON.stringify(beat).includes('waiting for')),
    );
    await killServer();
    await rename(`${archive}.away`, archive);
    await expect(running.result).rejects.toMatchObject({ type: 'DatabaseUnreachable' });
    expect((await beside().call('promoteScratch', ask)).timeline).toBe(2);
    expect(await beside().sql('select pg_is_in_recovery() as recovering')).toEqual([{ recovering: false }]);
  });

  it('before its pages are checked recovers first', async () => {
    await beside().promoted();
    await killServer();
    expect((await beside().call('checkPages', { scratch: beside().scratch })).found).toContain('every checksum right');
  });
});

describe('what was killed at its work says nothing of the data', () => {
  it('a statement of the plan is neither held nor broken when its server dies', async () => {
    await beside().promoted();
    const slow = { name: 'slow', sql: 'select 0 from pg_sleep(3)', expect: 0 };
    const running = beside().start('runAssertions', { scratch: beside().scratch, database, assertions: [slow] });
    await until('it is asked', async () => {
      const asked = await beside().sql(
        `select 1 from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()`,
      );
      return asked.length > 0;
    });
    process.kill(await childOfServer('lifeboat|postgres: .*SELECT|\\[local\\]'), 'SIGKILL');
    await expect(running.result).rejects.toMatchObject({ type: 'DatabaseUnreachable' });
    await until('the server has recovered', () =>
      beside()
        .call('runAssertions', { scratch: beside().scratch, database, assertions: [{ ...slow, sql: 'select 0' }] })
        .then(
          () => true,
          () => false,
        ),
    );
  });

  it.each([
    ['checkIndexes', 'pg_amcheck'],
    ['checkPages', 'pg_checksums'],
  ] as const)('%s: a killed %s is no damage', async (activity, tool) => {
    await beside().promoted();
    // Nothing but new pages, which take no room and some time to read.
    await beside().estate.run('truncate', '-s', '2G', join(beside().scratch.directory, 'data/base/1/999999'));
    const running = beside().start(activity, { scratch: beside().scratch, database });
    await killWhenThere(`${tool} .*${beside().scratch.directory}`);
    await expect(running.result).rejects.toMatchObject({ type: 'ToolKilled' });
    expect((await beside().call(activity, { scratch: beside().scratch, database })).found).toMatch(/sound|right/);
  });
});
