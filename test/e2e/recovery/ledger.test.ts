/** What a recovery did not bring back, read from a copy of the directory that was set aside; by real servers, with values that are odd. */
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoppedAt } from '../../../activities/contract.ts';
import { isAlive } from '../../../activities/processes.ts';
import type { LedgerTable } from '../../../evidence/ledger.ts';
import { identityOfSetAside } from '../../../evidence/set-aside.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate, segmentBytes, until } from '../activities/small-estate.ts';
import { useStore } from '../control/store-rig.ts';
import { type Recovered, recoveredByHand } from './set-aside.ts';

const tables = [
  ...['orders', 'names', 'pairs', 'documents', 'amounts', 'keyless', 'parted'],
  ...['"Odd Schema"."Odd ""Table"""', 'made_after', 'dropped', 'nowhere'],
];

describe('the ledger of lost writes', () => {
  const own = useStore();
  let estate: SmallEstate;
  let hand: Hand;
  let recovered: Recovered;
  let left: StoppedAt;
  let before: string;
  let told: LedgerTable[];

  const scratch = () => ({ host: 'db1', directory: join(estate.scratchRoot, 'lost-1-ledger') });
  const setAside = () => ({ member: estate.member, directory: recovered.setAside, left });
  const copyAsk = () => ({ ...setAside(), scratch: scratch(), room: { bytes: 1, keepFree: '1MB' } });
  const ledgerAsk = () => ({
    ...{ scratch: scratch(), setAside: setAside(), timeline: recovered.timeline, database: 'postgres', tables },
    ...{ store: own().store, service: 'orders', run: 'lost-1', runId: 'first', room: { bytes: 0, keepFree: '1MB' } },
    outageWithinMs: 10_000,
  });
  const of = (table: string) => told.find((one) => one.table === table);
  /** Every file with its size and times, and what pg_control holds: nothing of it may change by being read. */
  const everything = () =>
    estate.run(
      'sh',
      '-c',
      `cd "$0" && find . -printf '%P %s %T@ %C@ %i\\n' | sort && sha256sum global/pg_control`,
      recovered.setAside,
    );

  beforeAll(async () => {
    estate = await newSmallEstate();
    hand = await newHand(estate.env);
    recovered = await recoveredByHand(estate);
    // The database's user reads the store's secrets, as its administrator would let it.
    for (const name of ['access', 'secret', 'ca.crt']) await chmod(join(own().directory, name), 0o644);
    before = await everything();
  }, 180_000);

  afterAll(async () => {
    await hand?.stop();
    await estate?.stop();
  });

  it('the directory that was set aside is known by its inode, and by what it says of itself', async () => {
    const { seen, found } = await hand.call('lookAtSetAside', setAsideOnly());
    expect(seen).toMatchObject({ state: 'shut down', timeline: 1 });
    expect(seen?.inode).toBe(String((await stat(recovered.setAside)).ino));
    expect(found).toContain(recovered.setAside);
    left = { lsn: seen?.lsn ?? '', timeline: seen?.timeline ?? 0, systemIdentifier: seen?.systemIdentifier ?? '' };
    const gone = await hand.call('lookAtSetAside', { ...setAsideOnly(), directory: `${recovered.setAside}-other` });
    expect(gone.seen).toBeUndefined();
  });

  function setAsideOnly() {
    return { member: estate.member, directory: recovered.setAside };
  }

  it('only what is named after a permitted data directory is looked at', async () => {
    for (const directory of ['/etc', `${estate.member.dataDirectory}.before-../scratch`, estate.member.dataDirectory])
      await expect(hand.call('lookAtSetAside', { member: estate.member, directory })).rejects.toMatchObject({
        type: 'NotPermitted',
      });
  });

  it('where there is no room for a copy, that is said before anything is copied', async () => {
    const room = (keepFree: string) => hand.call('roomForCopy', { ...setAside(), scratch: scratch(), keepFree });
    expect(await room('1MB')).toMatchObject({ fits: true });
    const none = await room('900000GB');
    expect(none).toMatchObject({ fits: false });
    expect(none.found).toContain('The WAL is counted instead');
    await expect(
      hand.call('copySetAside', { ...copyAsk(), room: { bytes: 1, keepFree: '900000GB' } }),
    ).rejects.toMatchObject({ type: 'DiskFull' });
    await hand.call('removeScratch', { scratch: scratch() });
  });

  it('another one than was left is not copied', async () => {
    await expect(hand.call('copySetAside', { ...copyAsk(), left: { ...left, lsn: '0/FFFFFF' } })).rejects.toMatchObject(
      { type: 'Moved', message: expect.stringContaining('Somebody has started it since') },
    );
  });

  it('a worker that is killed while it copies leaves what the next one goes on from', async () => {
    const running = hand.start('copySetAside', copyAsk());
    running.result.catch(() => undefined);
    await hand.kill();
    hand = await newHand(estate.env);
    const { found, reflink } = await hand.call('copySetAside', copyAsk());
    expect(found).toContain(reflink ? 'by reflink' : 'byte by byte');
    const pid = await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8');
    await hand.call('copySetAside', copyAsk());
    expect(await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8')).toBe(pid);
  });

  it('the copy only reads, archives nothing, starts no job, and is reached by its socket alone', async () => {
    const place = { host: join(scratch().directory, 'socket'), port: 5432 };
    const [settings] = await estate.sql(
      `select current_setting('archive_mode') as archive, current_setting('listen_addresses') as tcp,
         current_setting('max_logical_replication_workers') as subscriptions, current_setting('shared_preload_libraries') as jobs,
         current_setting('default_transaction_read_only') as reads, pg_is_in_recovery() as recovering`,
      place,
    );
    expect(settings).toEqual({ archive: 'off', tcp: '', subscriptions: '0', jobs: '', reads: 'on', recovering: false });
    await expect(estate.sql('create table strange ()', place)).rejects.toThrow('read-only transaction');
  });

  it('a recovered server of another timeline is not compared', async () => {
    await expect(hand.call('ledgerOfLostWrites', { ...ledgerAsk(), timeline: 7 })).rejects.toMatchObject({
      type: 'Moved',
    });
  });

  it('every row that differs is told, table by table', async () => {
    const running = hand.start('ledgerOfLostWrites', ledgerAsk());
    const answer = await running.result;
    told = answer.tables;
    expect(running.heartbeats.length).toBeGreaterThan(0);
    expect(answer.notes).toEqual([]);
    const counts = told.map(({ table, by, missing, changed, new: added }) => [table, by, missing, changed, added]);
    expect(counts).toEqual([
      ['public.orders', 'primary key', 3, 1, 3],
      ['public.names', 'primary key', 3, 1, 1],
      ['public.pairs', 'primary key', 1, 1, 0],
      ['public.documents', 'primary key', 1, 1, 0],
      ['public.amounts', 'primary key', 1, 1, 0],
      ['public.keyless', 'whole rows', 3, 0, 0],
      ['public.parted', 'primary key', 2, 1, 0],
      ['"Odd Schema"."Odd ""Table"""', 'primary key', 0, 1, 0],
      ['public.made_after', 'primary key', 1, 0, 0],
      ['public.dropped', 'primary key', 0, 0, 2],
      ['nowhere', 'whole rows', 0, 0, 0],
    ]);
  });

  it('what has to be known to read the numbers is said', () => {
    expect(of('public.orders')?.notes).toEqual(['columns that only the recovered one has, not compared: gone_later']);
    expect(of('public.keyless')?.notes[0]).toContain('it has no primary key');
    expect(of('public.made_after')?.notes).toEqual(['the recovered database has no such table']);
    expect(of('public.dropped')?.notes).toEqual(['the old database has no such table']);
    expect(of('nowhere')?.notes).toEqual(['neither of them has it']);
    expect(of('public.pairs')?.key).toEqual(['code', 'day', 'seq']);
  });

  it('the rows lie in the evidence store, and PostgreSQL itself reads them back as they were', async () => {
    const rows = await loaded(
      'public.orders',
      'lifeboat text, id bigint, note text, amount numeric, raw bytea, at timestamptz, body json',
    );
    expect(rows).toEqual([
      ['was', '17', 'changed', '18.70', expect.any(String), '2026-11-21 14:00:17+00', '{"a":  1}'],
      ['is', '17', 'order 17', '18.70', expect.any(String), '2026-11-21 14:00:17+00', '{"a": 1}'],
      ['missing', '3001', '', null, null, null, null],
      ['missing', '3002', null, '0', '\\x', 'infinity', null],
      [
        'missing',
        '9000000000000000000',
        'two\nlines, a "quote" and a tab\t',
        '1.5',
        '\\x00ff',
        '2026-11-21 14:00:00.123456+00',
        null,
      ],
    ]);
    expect(await loaded('public.names', 'lifeboat text, name text, value int')).toEqual([
      ['missing', 'B2', '2'],
      ['was', 'ä', '9'],
      ['is', 'ä', '1'],
      ['missing', 'ﬀ', '2'],
      ['missing', '\u{1f6df}2', '2'],
    ]);
    expect(await loaded('"Odd Schema"."Odd ""Table"""', 'lifeboat text, key int, col text')).toEqual([
      ['was', '1', '\\.'],
      ['is', '1', 'one'],
    ]);
    expect(await loaded('public.documents', 'lifeboat text, id uuid, body jsonb, tags text[]')).toEqual([
      ['was', '8f14e45f-ceea-167a-5a36-dedd4bea2543', '{}', '{x,"","a,b"}'],
      ['is', '8f14e45f-ceea-167a-5a36-dedd4bea2543', '{}', '{x,NULL,"a,b"}'],
      ['missing', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '{"b": [1, null]}', '{}'],
    ]);
    expect((await loaded('public.parted', 'lifeboat text, id int, day date, note text')).map((row) => row[1])).toEqual([
      ...['1', '200', '200', '400'],
    ]);
    expect(of('public.dropped')?.file).toBeUndefined();
  });

  /** By COPY, in the order of the file; hash and size are those that were told. */
  async function loaded(table: string, columns: string): Promise<(string | null)[][]> {
    const file = of(table)?.file;
    const key = file?.location.replace('s3://evidence/', '') ?? '';
    expect(key).toMatch(/^lifeboat\/orders\/runs\/lost-1\/first\/ledger\/.*\.csv$/);
    const bytes = await own().bytesAt(key);
    const path = join(estate.root, 'loaded.csv');
    await writeFile(path, bytes, { mode: 0o644 });
    expect(file).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    const names = columns.split(', ').map((one) => one.split(' ')[0]);
    await estate.sql(`drop table if exists loaded; create table loaded (place serial, ${columns});
      copy loaded (${names.join(', ')}) from '${path}' with (format csv, header)`);
    const rows = await estate.sql(
      `select array[${names.map((name) => `${name}::text`).join(', ')}] as row from loaded order by place`,
    );
    return rows.map(({ row }) => row as (string | null)[]);
  }

  it('said again, after the service went on writing, it is told as it is then', async () => {
    await estate.sql(`insert into orders (id, note) values (4002, 'newer'); delete from amounts where value = 10`);
    const { tables: again } = await hand.call('ledgerOfLostWrites', ledgerAsk());
    expect(again.find(({ table }) => table === 'public.orders')).toMatchObject({ missing: 3, changed: 1, new: 4 });
    expect(again.find(({ table }) => table === 'public.amounts')).toMatchObject({ missing: 2 });
  });

  it('a copy whose server was killed is started again', async () => {
    const [pid = ''] = (await readFile(join(scratch().directory, 'data/postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    await until('it is gone', async () => !(await isAlive(Number(pid))));
    const { tables: again } = await hand.call('ledgerOfLostWrites', { ...ledgerAsk(), tables: ['pairs'] });
    expect(again[0]).toMatchObject({ missing: 1, changed: 1 });
  });

  it('rows that the store does not take are kept beside the old directory, and that is said', async () => {
    const store = { ...own().store, accessKeyId: '${file:/nowhere/key}' };
    const { tables: again, notes } = await hand.call('ledgerOfLostWrites', {
      ...ledgerAsk(),
      store,
      tables: ['orders'],
    });
    const place = `${recovered.setAside}.ledger/public.orders.csv`;
    expect(again[0]?.file?.location).toBe(place);
    expect(notes[0]).toContain('/nowhere/key');
    const found = await stat(place);
    expect(found.mode & 0o777).toBe(0o600);
    expect(found.size).toBe(again[0]?.file?.bytes);
    await rm(`${recovered.setAside}.ledger`, { recursive: true });
  });

  it('the WAL after the target bounds what was lost, without a copy', async () => {
    const repository = await hand.call('repository', { backups: estate.backups, segmentBytes });
    const reading = { host: 'db1', directory: join(estate.scratchRoot, 'lost-1-wal') };
    const ranges = repository.timelines.find(({ id }) => id === 1)?.ranges ?? [];
    const { transactions, counts } = await hand.call('lostInWal', {
      ...{ backups: estate.backups, scratch: reading, member: estate.member, database: 'postgres' },
      segments: ranges,
      known: { segmentBytes, systemIdentifier: repository.systemIdentifier, timelines: repository.timelines },
      serverVersion: 150_018,
      after: recovered.endsAt,
    });
    expect(transactions).toBeGreaterThanOrEqual(1);
    expect(counts).toContainEqual({ table: 'public.orders', inserted: 3, updated: 1, deleted: 1 });
    expect(counts).toContainEqual({ table: 'public.documents', inserted: 1, updated: 1, deleted: 0 });
  });

  it('nothing of it is left, and the directory that was set aside is as it was', async () => {
    await hand.call('removeScratch', { scratch: scratch() });
    await hand.call('litter', { scratch: scratch() });
    expect(await readdir(estate.scratchRoot)).toEqual([]);
    expect(await everything()).toBe(before);
  });

  it('a sweep lists it among what lies on the host, and another one in its place is not removed', async () => {
    const { leftovers } = await hand.call('leftovers', { host: 'db1', service: 'orders', members: [estate.member] });
    const listed = leftovers.find(({ kind }) => kind === 'set-aside');
    expect(listed).toMatchObject({ path: recovered.setAside, identity: await identity() });
    await expect(
      hand.call('removeSetAside', { ...setAsideOnly(), identity: `1 ${left.systemIdentifier} 1 ${left.lsn}` }),
    ).rejects.toMatchObject({ type: 'Moved' });
    await expect(
      hand.call('removeSetAside', { member: estate.member, directory: estate.member.dataDirectory, identity: '1' }),
    ).rejects.toMatchObject({ type: 'NotPermitted' });
    expect(await everything()).toBe(before);
  });

  it('once it is accepted it goes, also when the worker is killed in the middle of its removal', async () => {
    const ask = { ...setAsideOnly(), identity: await identity() };
    // As a worker leaves it that was killed while it deleted.
    await rename(recovered.setAside, `${recovered.setAside}.removing`);
    await rm(join(`${recovered.setAside}.removing`, 'global'), { recursive: true });
    await hand.call('removeSetAside', ask);
    await hand.call('removeSetAside', ask);
    const parent = await readdir(estate.root);
    expect(parent.filter((name) => name.startsWith('data'))).toEqual(['data']);
    expect((await hand.call('lookAtSetAside', setAsideOnly())).seen).toBeUndefined();
  });

  async function identity(): Promise<string> {
    const { seen } = await hand.call('lookAtSetAside', setAsideOnly());
    if (seen === undefined) throw new Error('nothing is set aside');
    return identityOfSetAside(seen);
  }
});
