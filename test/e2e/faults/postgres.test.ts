/** PostgreSQL misbehaves while a drill or a backup goes on. What is asserted is asked of the servers, the repository and the observer. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import pg from 'pg';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { backrest } from '../../../lab/backrest.ts';
import { giveTo } from '../../../lab/host.ts';
import { sampled } from '../../sample.ts';
import { backup, drill, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, countRows, processesNaming, type Server } from '../observer.ts';
import { changingPlan } from './changing-plan.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });
const estate = () => scenario().estate;

const server = (name: 'db1' | 'db2'): Server => ({
  host: estate().servers[name].socket,
  port: estate().servers[name].port,
});

async function reaches(handle: WorkflowHandle, step: string): Promise<void> {
  await until(`the run reaches ${step}`, async () => {
    const evidence = await handle.query<Evidence>('evidence');
    return evidence.steps.some((one) => one.id === step) ? true : undefined;
  });
}

/** What an activity that is being tried again has failed with: what people see meanwhile. */
async function triedAgainBecause(handle: WorkflowHandle, words: RegExp): Promise<void> {
  await until(`an activity is tried again because of ${words}`, async () => {
    const pending = (await handle.describe()).raw.pendingActivities ?? [];
    const failures = pending.map(({ lastFailure }) => lastFailure?.message ?? '');
    if (failures.some((message) => words.test(message))) return true;
    throw new Error(JSON.stringify(failures));
  });
}

async function backupsListed(): Promise<{ label: string; error: boolean }[]> {
  const [found] = JSON.parse(await backrest(estate().site, 'db1', ['--output=json', 'info'])) as [
    { backup: { label: string; error: boolean }[] },
  ];
  return found.backup;
}

beforeAll(async () => {
  await backup(scenario());
});

afterEach(async () => {
  const { scratch } = estate().servers.db2;
  expect(await readdir(scratch)).toEqual([]);
  expect(await processesNaming(`${scratch}/`)).toEqual([]);
});

describe('a primary that restarts', () => {
  const moments = [
    'assessment/the-service-answers-through-its-front-door',
    'assessment/the-wal-archive-answers',
    'database/restore-the-backup-beside',
    'database/roll-forward-to-the-target',
    'validation/indexes-agree-with-their-tables',
  ];
  test.each(sampled(moments, 1, 'the primary restarts'))('in %s does not spoil a drill', async (step) => {
    const handle = await start(scenario(), 'monthlyDrill', {});
    await reaches(handle, step);
    await estate().servers.db1.process.restart();
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
    const before = await countRows(server('db1'), 'orders');
    await until('orders are placed', async () =>
      (await countRows(server('db1'), 'orders')) > before ? true : undefined,
    );
  });

  test('by a crash in the middle of a backup makes it begin anew, and one whole backup is there', async () => {
    const before = (await backupsListed()).map(({ label }) => label);
    const handle = await start(scenario(), 'backup', { mode: 'live', type: 'full' });
    await reaches(handle, 'database/take-a-full-backup');
    await until('the server copies for a backup', async () => {
      const sessions = await ask(
        server('db1'),
        "select from pg_stat_activity where application_name like 'pgBackRest%'",
      );
      return sessions.length > 0 ? true : undefined;
    });
    const { process } = estate().servers.db1;
    await process.kill('SIGQUIT');
    await process.start();
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    const [taken, ...more] = (await backupsListed()).filter(({ label }) => !before.includes(label));
    expect(taken).toMatchObject({ label: evidence.backup?.label, error: false });
    expect(more).toEqual([]);
    expect((await drill(scenario())).outcome).toBe('proven');
  });
});

test('a standby that goes while the backup runs costs nothing but a short lock, and the reason is told', async () => {
  const standby = estate().servers.db2.process;
  const handle = await start(scenario(), 'backup', { mode: 'live', type: 'full' });
  await reaches(handle, 'database/take-a-full-backup');
  await standby.stop();
  try {
    const evidence = await ended(handle);
    expect(evidence).toMatchObject({ outcome: 'completed', flags: [] });
    const step = evidence.steps.find(({ id }) => id.startsWith('database/take-an-anchor'));
    expect(step?.found).toMatch(
      /^anchor at .*, under a lock on db1, because of StandbyUnfit: db2 cannot be asked: no server runs/,
    );
  } finally {
    await standby.start();
  }
  const proven = await until('a drill that passes the anchor', async () => {
    const run = await drill(scenario());
    expect(run.failure).toBeUndefined();
    return run.equality?.source.startsWith('primary db1') ? run : undefined;
  });
  expect(proven.equality?.tables.every(({ equal }) => equal)).toBe(true);
});

test('connections that are used up hold a drill up, which says so, and goes on once they are free', async () => {
  const taken: pg.Client[] = [];
  const taking = { goes: true };
  const takeAll = async (): Promise<void> => {
    while (taking.goes) {
      const client = new pg.Client({
        ...server('db1'),
        user: 'orders',
        database: 'orders',
        application_name: 'greedy',
      });
      client.on('error', () => undefined);
      await client.connect().then(
        () => taken.push(client),
        () => new Promise((resolve) => setTimeout(resolve, 20)),
      );
    }
  };
  const greedy = takeAll();
  try {
    await until('no connection is left', async () => {
      const refused = await ask({ ...server('db1'), user: 'orders' }, 'select').then(
        () => '',
        (error: Error) => error.message,
      );
      return /too many clients|remaining connection slots/.test(refused) ? true : undefined;
    });
    const handle = await start(scenario(), 'monthlyDrill', {});
    await triedAgainBecause(handle, /has no connection left .*raise max_connections or end idle sessions/);
    taking.goes = false;
    await greedy;
    await Promise.all(taken.map((client) => client.end()));
    expect(await ended(handle)).toMatchObject({ outcome: 'proven', leftBehind: [] });
  } finally {
    taking.goes = false;
    await greedy;
    await Promise.allSettled(taken.map((client) => client.end()));
  }
});

test('a transaction that holds a critical table costs the anchor, not the backup, and never a writer more than the limit', async () => {
  await ask(server('db2'), 'select pg_wal_replay_pause()');
  const holder = new pg.Client({
    ...server('db1'),
    user: 'postgres',
    database: 'orders',
    application_name: 'a-long-report',
  });
  await holder.connect();
  const held = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  await holder.query('begin; lock table payments in row exclusive mode');
  const writer = writes(server('db1'));
  try {
    const evidence = await backup(scenario());
    expect(evidence.flags).toEqual(['skips']);
    const step = evidence.steps.find(({ id }) => id.startsWith('database/take-an-anchor'));
    expect(step).toMatchObject({ state: 'skipped', failure: { type: 'TablesBusy' } });
    expect(step?.failure?.message).toContain(`process ${held.rows[0]?.pid} (a-long-report, role postgres`);
    expect((await backupsListed()).at(-1)).toMatchObject({ label: evidence.backup?.label, error: false });
  } finally {
    await holder.end();
    await ask(server('db2'), 'select pg_wal_replay_resume()');
  }
  const { written, refused } = await writer.stop();
  expect(written).toBeGreaterThan(10);
  expect(refused).toEqual([]);
});

test('a front door that leads to a standby is refused before anything is restored', async () => {
  const evidence = await changingPlan(scenario(), { 'database.frontDoor.port': server('db2').port }, () =>
    drill(scenario()),
  );
  expect(evidence).toMatchObject({ outcome: 'not-proven', failure: { type: 'NotPrimary' } });
  expect(evidence.failure?.message).toContain('leads to a standby, expected the primary');
  expect(evidence.steps.some(({ group }) => group === 'database')).toBe(false);
});

test('a server that accepts and never answers is waited for in bounded tries, and then gone on with', async () => {
  const { process } = estate().servers.db1;
  await process.kill('SIGSTOP');
  try {
    const handle = await start(scenario(), 'monthlyDrill', {});
    await triedAgainBecause(handle, /did not answer in time|no server behind it is healthy/);
    await process.kill('SIGCONT');
    expect(await ended(handle)).toMatchObject({ outcome: 'proven', leftBehind: [] });
  } finally {
    await process.kill('SIGCONT');
  }
});

// The last: the estate is another one afterwards.
test('roles that are swapped between assessment and backup end the backup, and nothing is taken of the standby', async () => {
  const before = await backupsListed();
  const worker = estate().process('host-db1');
  const { db1 } = estate().servers;
  const handle = await start(scenario(), 'backup', { mode: 'live', type: 'full' });
  await reaches(handle, 'assessment/one-member-is-the-primary');
  await worker.kill('SIGSTOP');
  await reaches(handle, 'assessment/the-backup-repository-answers');
  await db1.process.stop();
  await ask(server('db2'), 'select pg_promote()');
  const signal = join(db1.data, 'standby.signal');
  await writeFile(signal, '');
  await giveTo(estate().site.account, signal);
  await db1.process.start();
  await worker.kill('SIGCONT');
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'failed', failure: { type: 'NotPrimary' } });
  expect(evidence.failure?.message).toContain('db1 is a standby by now');
  expect(await backupsListed()).toEqual(before);
});

/** The observer's own writes to a critical table; the server itself refuses one that waits for a lock longer than the limit. */
function writes(to: Server): { stop(): Promise<{ written: number; refused: string[] }> } {
  const limitMs = 5_000;
  const result = { written: 0, refused: [] as string[] };
  let going = true;
  const work = (async () => {
    const client = new pg.Client({ ...to, user: 'postgres', database: 'orders', application_name: 'observer' });
    await client.connect();
    await client.query(`set lock_timeout = ${limitMs}`);
    while (going) {
      await client.query('update orders set details = details where id = (select min(id) from orders)').then(
        () => {
          result.written += 1;
        },
        (error: Error) => result.refused.push(error.message),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.end();
  })();
  return {
    stop: async () => {
      going = false;
      await work;
      return result;
    },
  };
}
