import { appendFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { comparePulses } from '../../../activities/pulse/compare-pulses.ts';
import { writePlan } from './plan-file.ts';
import {
  adminPassword,
  type Child,
  createPostgres,
  eventually,
  type Postgres,
  removeDirectory,
  scratchDirectory,
  start,
} from './rig.ts';

interface Line {
  number?: number;
  at?: string;
  lsn?: string;
  timeline?: number;
  failed?: true;
  unknown?: true;
  clock?: string;
  error?: string;
  forgotten?: string;
}

let directory: string;
let server: Postgres;
let log: string;
let plan: string;
let pulse: Child | undefined;
let started = 0;

beforeAll(async () => {
  directory = await scratchDirectory('control-pulse');
  server = await createPostgres(directory, 'db');
  await server.start();
  await asAdmin("create role orders login password 'orders-password'", 'postgres');
  await asAdmin("create role reader login password 'orders-password'", 'postgres');
  await asAdmin('create database orders owner orders', 'postgres');
  await writeFile(join(directory, 'password'), 'orders-password\n');
});

beforeEach(async () => {
  started += 1;
  log = join(directory, `pulse-${started}`);
  plan = await planFor({});
});

afterEach(async () => {
  await pulse?.end('SIGKILL');
  pulse = undefined;
  await asAdmin('drop schema if exists lifeboat cascade');
});

afterAll(async () => {
  await server?.stop();
  await removeDirectory(directory);
});

function planFor(more: { user?: string; keep?: string }): Promise<string> {
  const passwordFile = join(directory, 'password');
  return writePlan({
    directory,
    service: 'orders',
    port: server.port,
    user: 'orders',
    passwordFile,
    pulseLog: log,
    ...more,
  });
}

async function asAdmin<T extends object>(text: string, database = 'orders'): Promise<T[]> {
  const client = new Client({ host: '127.0.0.1', port: server.port, user: 'admin', password: adminPassword, database });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

async function startPulse(): Promise<Child> {
  const ready = join(directory, `ready-${started}`);
  await rm(ready, { force: true });
  pulse = await start({
    directory,
    name: `pulse-process-${started}`,
    command: process.execPath,
    args: ['--import', 'tsx', resolve('workers/pulse.ts')],
    env: { LIFEBOAT_PLANS: plan, LIFEBOAT_READY_FILE: ready },
  });
  const said = await eventually('the pulse is ready', async () => JSON.parse(await readFile(ready, 'utf8')));
  expect(said.pid).toBe(pulse.pid);
  return pulse;
}

async function lines(): Promise<Line[]> {
  const names = (await readdir(log)).filter((name) => name.endsWith('.jsonl')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(log, name), 'utf8')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line): Line => JSON.parse(line)),
  );
}

const acknowledged = async () => (await lines()).filter((line) => !line.failed && !line.forgotten);

const atLeast = (count: number, what: string, look: () => Promise<Line[]>) =>
  eventually(what, async () => {
    const found = await look();
    if (found.length < count) throw new Error(`${found.length} lines: ${JSON.stringify(found.slice(-3))}`);
    return found;
  });

const numbersInTable = async () =>
  (await asAdmin<{ number: string }>('select number from lifeboat.pulse order by number')).map((row) =>
    Number(row.number),
  );

describe('the pulse', () => {
  test('writes one row a second, and logs what was acknowledged with its clock and its place in the WAL', async () => {
    await startPulse();
    const pulses = await atLeast(4, 'four pulses', acknowledged);
    const [now] = await asAdmin<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
    for (const { at, lsn, timeline } of pulses) {
      expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(timeline).toBe(1);
      expect(Number.parseInt(lsn?.split('/')[1] ?? '', 16)).toBeLessThanOrEqual(
        Number.parseInt(now?.lsn.split('/')[1] ?? '', 16),
      );
    }
    const rows = await asAdmin<{ number: string; at: Date }>('select number, at from lifeboat.pulse');
    for (const { number, at } of pulses)
      expect(rows.find((row) => Number(row.number) === number)?.at.getTime()).toBe(Date.parse(at ?? ''));
  });

  test('killed again and again, it never gives a number twice, and every logged pulse is in the table', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const before = await acknowledged().catch(() => []);
      const process = await startPulse();
      await atLeast(before.length + 2, 'more pulses', acknowledged);
      await process.end('SIGKILL');
    }
    const numbers = (await acknowledged()).map(({ number }) => number ?? 0);
    expect(new Set(numbers).size).toBe(numbers.length);
    const table = new Set(await numbersInTable());
    expect(numbers.filter((number) => !table.has(number))).toEqual([]);
  });

  test('after the database has gone back to an earlier point, no lost number is given again', async () => {
    const process = await startPulse();
    const last = (await atLeast(4, 'four pulses', acknowledged)).at(-1)?.number ?? 0;
    await process.end();
    await asAdmin('delete from lifeboat.pulse where number > 1');
    await startPulse();
    const more = await atLeast(5, 'a fifth pulse', acknowledged);
    const highest = Math.max(...more.map(({ number }) => number ?? 0));
    expect(highest).toBeGreaterThan(last);
    expect(new Set(more.map(({ number }) => number)).size).toBe(more.length);
  });

  test('a server that is stopped gives failed lines on its own clock, and the pulse comes back with it', async () => {
    await startPulse();
    await atLeast(1, 'a pulse', acknowledged);
    await server.stop();
    const failed = await atLeast(2, 'failed lines', async () => (await lines()).filter((line) => line.failed));
    expect(failed.at(-1)).toMatchObject({ clock: 'own', error: expect.stringContaining('refuses connections') });
    const before = (await acknowledged()).length;
    await server.start();
    await atLeast(before + 1, 'pulses again', acknowledged);
  });

  test('a server that hangs counts as failed, and what was under way is called unknown', async () => {
    await startPulse();
    await atLeast(1, 'a pulse', acknowledged);
    const [backend] = await asAdmin<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'lifeboat-pulse'",
    );
    process.kill(backend?.pid ?? 0, 'SIGSTOP');
    try {
      const [hung] = await atLeast(1, 'an unknown line', async () => (await lines()).filter((line) => line.unknown));
      expect(hung).toMatchObject({ failed: true, clock: 'own', number: expect.any(Number) });
      const before = (await acknowledged()).length;
      await atLeast(before + 1, 'pulses by a new connection', acknowledged);
    } finally {
      process.kill(backend?.pid ?? 0, 'SIGCONT');
    }
    const numbers = (await acknowledged()).map(({ number }) => number);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('half a line, as a crash leaves it, is cut off and nothing else is lost', async () => {
    const process = await startPulse();
    await atLeast(2, 'pulses', acknowledged);
    await process.end();
    const whole = await acknowledged();
    const [name = ''] = (await readdir(log)).filter((one) => one.endsWith('.jsonl'));
    await appendFile(join(log, name), '{"number":99999,"at":"2026-');
    await startPulse();
    const after = await atLeast(whole.length + 1, 'a further pulse', acknowledged);
    expect(after.slice(0, whole.length)).toEqual(whole);
    expect(after.map(({ number }) => number)).not.toContain(99999);
  });

  test('rows past their time are deleted, and the log says so first', async () => {
    plan = await planFor({ keep: '1h' });
    await asAdmin('create schema lifeboat authorization orders');
    await asAdmin(
      'create table lifeboat.pulse (number bigint primary key, at timestamptz not null default clock_timestamp())',
    );
    await asAdmin('alter table lifeboat.pulse owner to orders');
    await asAdmin("insert into lifeboat.pulse select n, now() - interval '2 hours' from generate_series(1, 100) n");
    await asAdmin("insert into lifeboat.pulse values (101, now() - interval '30 minutes')");
    await startPulse();
    await eventually('old rows are gone', async () => ((await numbersInTable())[0] === 101 ? true : undefined));
    const [note] = (await lines()).filter((line) => line.forgotten);
    expect(Date.now() - Date.parse(note?.forgotten ?? '')).toBeGreaterThan(59 * 60_000);
    expect((await acknowledged())[0]?.number).toBe(102);
  });

  test('without the right to make its table it says what to run', async () => {
    plan = await planFor({ user: 'reader' });
    await startPulse();
    const [failed] = await atLeast(1, 'a failed line', async () => (await lines()).filter((line) => line.failed));
    expect(failed?.error).toContain('user "reader" may not create the table');
    const sql = /Let its owner run: (.*)$/.exec(failed?.error ?? '')?.[1];
    await asAdmin(sql ?? '');
    await atLeast(1, 'a pulse, once it was run', acknowledged);
  });

  test('a second one for the same log ends at once and names the first', async () => {
    const first = await startPulse();
    const second = await start({
      directory,
      name: `second-${started}`,
      command: process.execPath,
      args: ['--import', 'tsx', resolve('workers/pulse.ts')],
      env: { LIFEBOAT_PLANS: plan },
    });
    expect(await second.exit).toBe(1);
    expect(await readFile(second.log, 'utf8')).toContain(`process ${first.pid} writes this log already`);
  });

  test('told to end, it ends cleanly, without its lock and its session', async () => {
    const process = await startPulse();
    await atLeast(1, 'a pulse', acknowledged);
    expect(await process.end('SIGTERM')).toBe(0);
    await expect(stat(join(log, 'pulse.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
    await eventually('its session is gone', async () => {
      const sessions = await asAdmin("select 1 from pg_stat_activity where application_name = 'lifeboat-pulse'");
      return sessions.length === 0 ? true : undefined;
    });
  });

  test('its log tells what a recovery brought back and what it lost', async () => {
    const process = await startPulse();
    const pulses = await atLeast(5, 'five pulses', acknowledged);
    await process.end();
    const [first, second, third] = pulses;
    const question = {
      pulse: { log, keep: 604_800_000 },
      since: first?.at ?? '',
      momentAt: pulses.at(-1)?.at ?? '',
      upTo: third?.lsn ?? '',
    };
    expect(await comparePulses({ ...question, restored: [[first?.number ?? 0, third?.number ?? 0]] })).toMatchObject({
      acknowledged: 3,
      missing: 0,
      newest: { number: third?.number, at: third?.at },
      lost: pulses.length - 3,
    });
    expect(await comparePulses({ ...question, restored: [[first?.number ?? 0, first?.number ?? 0]] })).toMatchObject({
      acknowledged: 3,
      missing: 2,
      examples: [second?.number, third?.number],
      newest: { number: first?.number },
    });
  });
});
