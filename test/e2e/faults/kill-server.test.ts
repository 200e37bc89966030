/** A server beside, or a tool that works on it, is killed: it is started again where it stood, and never taken for damaged data. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate, until } from '../activities/small-estate.ts';

let estate: SmallEstate;
let hand: Hand;
let label: string;
/** Newest commit, in the last archived segment. */
let end: string;
let runs = 0;
let scratch: { host: string; directory: string };

const database = 'postgres';

beforeAll(async () => {
  estate = await newSmallEstate();
  hand = await newHand(estate.env);
  await estate.sql(`
    create table customers (id int primary key, name text not null check (name <> 'nobody'));
    insert into customers select g, 'name ' || g from generate_series(1, 2000) g`);
  label = await estate.backup();
  for (let round = 0; round < 4; round += 1) {
    await estate.sql(
      `insert into customers select g, 'late' from generate_series(${3000 + round * 500}, ${3400 + round * 500}) g`,
    );
    const [row] = await estate.sql('select pg_current_wal_lsn() as lsn');
    end = String(row?.lsn);
    await estate.sql(`insert into customers values (${100_000 + round}, 'after')`);
    await estate.archiveSegment();
  }
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

const replay = () => ({
  backups: estate.backups,
  scratch,
  target: { kind: 'lsn', lsn: end, inclusive: true, timeline: 1 } as const,
  outageWithinMs: 60_000,
  throwAway: true,
});

async function paused(): Promise<string> {
  await restored();
  return (await hand.call('replayTo', replay())).lsn;
}

async function promoted(): Promise<void> {
  await paused();
  await hand.call('promoteScratch', { scratch });
}

async function postmaster(): Promise<number> {
  return Number((await readFile(join(scratch.directory, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
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
    const found = await estate.run('pgrep', '-f', pattern).catch(() => '');
    const pid = Number(found.split('\n')[0] ?? 0);
    if (pid === 0) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  });
}

async function childOfServer(title: string): Promise<number> {
  const found = await estate.run('pgrep', '-P', String(await postmaster()), '-f', title);
  return Number(found.split('\n')[0]);
}

describe('a kill -9 in the middle of the replay', () => {
  const parts: [string, () => Promise<number>][] = [
    ['of the server', postmaster],
    ['of its startup process', () => childOfServer('startup')],
    ['of its checkpointer', () => childOfServer('checkpointer')],
    [
      'of the command that fetches WAL',
      async () => Number(await estate.run('pgrep', '-of', `${scratch.directory}/restore-command`)),
    ],
  ];

  it.each(parts)('%s costs a start: it stands at the same point in the end', async (_part, pidOf) => {
    await restored();
    const archive = join(estate.repositoryPath, 'archive');
    // Without an archive it certainly is in the middle.
    await rename(archive, `${archive}.away`);
    const running = hand.start('replayTo', replay());
    await until('it waits for WAL', async () =>
      running.heartbeats.some((beat) => JSON.stringify(beat).includes('waiting for')),
    );
    process.kill(await pidOf(), 'SIGKILL');
    await rename(`${archive}.away`, archive);
    const reached = await running.result;
    expect(reached).toMatchObject({ timeline: 1 });
    expect(reached.found).toContain('recovery stopping');
    const place = { host: join(scratch.directory, 'socket'), port: 5432 };
    const [rows] = await estate.sql(`select count(*)::int as late from customers where name = 'late'`, place);
    const [live] = await estate.sql(`select count(*)::int as late from customers where name = 'late'`);
    expect(rows).toEqual(live);
  });
});

describe('a server that was killed', () => {
  it('while it stood at its target is brought back to there, and holds the same', async () => {
    const lsn = await paused();
    const ask = { scratch, database, tables: ['customers'] };
    const { tables } = await hand.call('fingerprints', ask);
    await killServer();
    expect((await hand.call('fingerprints', ask)).tables).toEqual(tables);
    await killServer();
    expect((await hand.call('endOfRecovery', { scratch })).lsn).toBe(lsn);
    expect((await hand.call('promoteScratch', { scratch })).timeline).toBe(2);
  });

  it('after its promotion is on its own timeline again', async () => {
    await promoted();
    await killServer();
    expect((await hand.call('promoteScratch', { scratch })).timeline).toBe(2);
    await killServer();
    expect((await hand.call('checkConstraints', { scratch, database })).found).toMatch(
      /constraints hold for every row/,
    );
  });

  it('before its pages are checked recovers first', async () => {
    await promoted();
    await killServer();
    expect((await hand.call('checkPages', { scratch })).found).toContain('every checksum right');
  });
});

describe('what was killed at its work says nothing of the data', () => {
  it('a statement of the plan is neither held nor broken when its server dies', async () => {
    await promoted();
    const slow = { name: 'slow', sql: 'select 0 from pg_sleep(3)', expect: 0 };
    const running = hand.start('runAssertions', { scratch, database, assertions: [slow] });
    await until('it is asked', async () => {
      const place = { host: join(scratch.directory, 'socket'), port: 5432 };
      const asked = await estate.sql(
        `select 1 from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()`,
        place,
      );
      return asked.length > 0;
    });
    process.kill(await childOfServer('lifeboat|postgres: .*SELECT|\\[local\\]'), 'SIGKILL');
    await expect(running.result).rejects.toMatchObject({ type: 'DatabaseUnreachable' });
    await until('the server has recovered', () =>
      hand.call('runAssertions', { scratch, database, assertions: [{ ...slow, sql: 'select 0' }] }).then(
        () => true,
        () => false,
      ),
    );
  });

  it.each([
    ['checkIndexes', 'pg_amcheck'],
    ['checkPages', 'pg_checksums'],
  ] as const)('%s: a killed %s is no damage', async (activity, tool) => {
    await promoted();
    // Nothing but new pages, which take no room and some time to read.
    await estate.run('truncate', '-s', '2G', join(scratch.directory, 'data/base/1/999999'));
    const running = hand.start(activity, { scratch, database });
    await killWhenThere(`${tool} .*${scratch.directory}`);
    await expect(running.result).rejects.toMatchObject({ type: 'ToolKilled' });
    expect((await hand.call(activity, { scratch, database })).found).toMatch(/sound|right/);
  });
});
