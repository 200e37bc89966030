/** The lab itself: what every other end-to-end test stands on. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { backrest } from '../../lab/backrest.ts';
import { command } from '../../lab/command.ts';
import { type Estate, type EstateOptions, startEstate } from '../../lab/estate.ts';
import { serverStates } from '../../lab/front-door.ts';
import { storeClient } from '../../lab/store.ts';
import { ask, contentOf, countRows, processesNaming, pulsesIn, type Server, seenWithin } from './observer.ts';

const lifeboatProcesses = ['control', 'host-db1', 'host-db2', 'pulse', 'pages'];

async function start(options: Partial<EstateOptions> = {}): Promise<Estate> {
  const root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lab-'));
  return startEstate({ root, template: inject('template'), archiveTimeout: '2s', heartbeat: '3s', ...options });
}

const serverOf = (estate: Estate, host: 'db1' | 'db2'): Server => ({
  host: estate.servers[host].socket,
  port: estate.servers[host].port,
});

const doorOf = (estate: Estate): Server => ({
  host: '127.0.0.1',
  port: estate.ports.frontDoor,
  user: 'orders',
  password: estate.site.secrets.orders,
});

async function buy(estate: Estate): Promise<number> {
  const response = await fetch(`${estate.appUrl}/orders`, {
    method: 'POST',
    body: JSON.stringify({ customer: 1, lines: [{ product: 1, quantity: 1 }] }),
    signal: AbortSignal.timeout(5_000),
  });
  const { id } = (await response.json()) as { id: string };
  expect(response.status).toBe(201);
  const paid = await fetch(`${estate.appUrl}/orders/${id}/payment`, { method: 'POST' });
  expect(paid.status).toBe(201);
  return Number(id);
}

describe('an estate', () => {
  let estate: Estate;
  beforeAll(async () => {
    estate = await start();
  });
  afterAll(async () => estate?.stop(), 60_000);
  const db1 = () => serverOf(estate, 'db1');

  test('archives its segments, and its standby follows the primary', async () => {
    const id = await buy(estate);
    const [now] = await ask<{ wal: string }>(db1(), 'select pg_walfile_name(pg_current_wal_lsn()) as wal');
    await seenWithin(
      `${now?.wal} in the archive`,
      20_000,
      () => ask<{ wal: string | null; failed: string }>(db1(), archiverSql),
      ([seen]) => (seen?.wal ?? '') >= (now?.wal ?? 'none') && seen?.failed === '0',
    );
    const on = (host: 'db1' | 'db2') => contentOf(serverOf(estate, host), `(select * from orders where id = ${id})`);
    const written = await on('db1');
    expect(written.rows).toBe(1);
    await seenWithin(
      'the order on the standby',
      10_000,
      () => on('db2'),
      (seen) => seen.md5 === written.md5,
    );
  });

  test('goes on taking writes with every process of Lifeboat killed', async () => {
    for (const name of lifeboatProcesses) expect(estate.process(name).running).toBe(true);
    await Promise.all(lifeboatProcesses.map((name) => estate.process(name).kill('SIGKILL')));
    for (const name of lifeboatProcesses) expect(estate.process(name).running).toBe(false);
    const before = await countRows(doorOf(estate), 'payments');
    for (let bought = 0; bought < 5; bought += 1) await buy(estate);
    expect(await countRows(doorOf(estate), 'payments')).toBe(before + 5);
    const silent = (await pulsesIn(db1())).at(-1) ?? 0;
    await Promise.all(lifeboatProcesses.map((name) => estate.process(name).start()));
    await seenWithin(
      'a pulse of the pulse that was started again',
      20_000,
      () => pulsesIn(db1()),
      (numbers) => (numbers.at(-1) ?? 0) > silent,
    );
  });

  test('takes a full backup through the proxy while the store refuses now and then', async () => {
    await estate.faults.add({ method: 'PUT', path: '/archive/', count: 3, fault: { kind: 'status', status: 503 } });
    await buy(estate);
    await backrest(estate.site, 'db1', ['--type=full', 'backup']);
    const [rule] = await estate.faults.list();
    expect(rule?.struck).toBe(3);
    await estate.faults.clear();
    await backrest(estate.site, 'db1', ['check']);
  });

  test('leads to the standby once it is promoted, and to nobody while there is no primary', async () => {
    const { site } = estate;
    await estate.process('db1').kill('SIGKILL');
    await seenWithin(
      'nobody behind the front door',
      10_000,
      () => serverStates(site.layout.door('east').socket),
      (states) => states.every(({ status }) => status.startsWith('DOWN')),
    );
    const promoted = Date.now();
    await command(join(site.programs.postgresql, 'pg_ctl'), ['promote', '-w', '-D', estate.servers.db2.data], {
      account: site.account,
    });
    await seenWithin(
      'an order through the front door',
      5_000,
      () => buy(estate),
      (id) => id > 0,
    );
    expect(Date.now() - promoted).toBeLessThan(5_000);
    const [seen] = await ask<{ port: number; primary: boolean }>(
      doorOf(estate),
      'select inet_server_port() as port, not pg_is_in_recovery() as primary',
    );
    expect(seen).toEqual({ port: estate.servers.db2.port, primary: true });
  });

  test('leaves no process and no file behind', async () => {
    expect((await processesNaming(estate.root)).length).toBeGreaterThan(14);
    const parent = join(estate.root, '..');
    await estate.stop();
    expect(await processesNaming(estate.root)).toEqual([]);
    expect(existsSync(estate.root)).toBe(false);
    expect((await readdir(parent)).filter((name) => estate.root.endsWith(name))).toEqual([]);
    for (const process of estate.processes.values()) expect(process.running).toBe(false);
  });
});

describe('the fault proxy', () => {
  let estate: Estate;
  const body = Buffer.from('0123456789'.repeat(20_000));
  beforeAll(async () => {
    estate = await start({ lifeboat: false, engine: false, shop: false });
    await put();
  });
  afterAll(async () => estate?.stop(), 60_000);

  async function put(): Promise<void> {
    const client = await storeClient(estate.site);
    await client.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'a/b c+d', Body: body }));
    client.destroy();
  }

  /** The object's hash, in one attempt, without the client's own retries. */
  async function get(): Promise<string> {
    const client = await storeClient(estate.site, { maxAttempts: 1 });
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'evidence', Key: 'a/b c+d' }));
      return hashOf((await Body?.transformToByteArray()) ?? new Uint8Array());
    } finally {
      client.destroy();
    }
  }

  test('is quiet without rules: every byte and signature passes', async () => {
    expect(await get()).toBe(hashOf(body));
  });

  test('answers a burst of 503s, so many and no more', async () => {
    await estate.faults.add({ method: 'GET', count: 2, fault: { kind: 'status', status: 503 } });
    await expect(get()).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    await expect(get()).rejects.toMatchObject({ name: 'SlowDown' });
    expect(await get()).toBe(hashOf(body));
    await estate.faults.clear();
  });

  test('breaks an answer off in the middle', async () => {
    await estate.faults.add({ method: 'GET', fault: { kind: 'truncate', afterBytes: 100_000 } });
    await expect(get()).rejects.toThrow();
    await estate.faults.clear();
  });

  test('drops the connection before the store hears of the request', async () => {
    await estate.faults.add({ method: 'GET', path: 'evidence', count: 1, fault: { kind: 'drop' } });
    await expect(get()).rejects.toThrow();
    expect(await get()).toBe(hashOf(body));
    await estate.faults.clear();
  });

  test('alters one byte, and only that one', async () => {
    await estate.faults.add({ method: 'GET', count: 1, fault: { kind: 'flip', atByte: 150_000 } });
    // The client compares checksums by itself: it notices.
    await expect(get()).rejects.toThrow(/checksum/i);
    expect(await get()).toBe(hashOf(body));
    await estate.faults.clear();
  });

  test('refuses a rule that it does not understand', async () => {
    const wrong = { fault: { kind: 'status', status: 9_999 } } as const;
    await expect(estate.faults.add(wrong)).rejects.toThrow(/refused/);
    expect(await estate.faults.list()).toEqual([]);
  });
});

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const archiverSql = 'select last_archived_wal as wal, failed_count as failed from pg_stat_archiver';
