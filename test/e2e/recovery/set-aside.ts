/**
 * A server that was recovered in place, made by hand: its old data directory lies set aside and holds what came after the target; the
 * recovered one runs on a timeline of its own. All of what differs was done on purpose, so that it is known.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lsn } from '../../../recovery/archive.ts';
import { bin, type SmallEstate, until } from '../activities/small-estate.ts';

export interface Recovered {
  /** Of the old database. */
  setAside: string;
  /** Of the recovered server. */
  timeline: number;
  /** Where the recovered database's past ends. */
  endsAt: Lsn;
}

const tables = `
  create table orders (id bigint primary key, note text, amount numeric, raw bytea, at timestamptz, body json, gone_later text);
  insert into orders select g, 'order ' || g, g * 1.10, decode(md5(g::text), 'hex'), '2026-11-21 14:00:00Z'::timestamptz + g * interval '1 s', '{"a": 1}', 'x'
    from generate_series(-2500, 2500) g;
  -- A collation in which a, B and A stand in another order than their bytes.
  create table names (name text collate "en-x-icu" primary key, value int);
  insert into names values ('a', 1), ('B', 1), ('A', 1), ('b', 1), ('_x', 1), ('Z', 1), ('ä', 1), ('', 1), (U&'\\FFFD', 1), (U&'\\+01F6DF', 1), ('a b', 1), ('a''b', 1);
  create table pairs (day date, code text, seq int, value text, primary key (code, day, seq));
  insert into pairs select '2026-01-01'::date + d, c, s, 'v' from generate_series(1, 20) d, unnest(array['b', 'A', 'a"', 'é']) c, generate_series(-1, 1) s;
  create table documents (id uuid primary key, body jsonb, tags text[]);
  insert into documents select md5(g::text)::uuid, '{}', array['x', null, 'a,b'] from generate_series(1, 500) g;
  create table amounts (value numeric primary key, note text);
  insert into amounts values (1.0, 'one'), (2.50, 'two and a half'), (10, 'ten'), ('NaN', 'none');
  create table keyless (a int, b text);
  insert into keyless values (1, 'x'), (1, 'x'), (2, null), (2, ''), (3, 'stays');
  create table parted (id int, day date, note text, primary key (id, day)) partition by range (day);
  create table parted_1 partition of parted for values from ('2026-01-01') to ('2026-07-01');
  create table parted_2 (note text, day date not null, id int not null);
  alter table parted attach partition parted_2 for values from ('2026-07-01') to ('2027-01-01');
  insert into parted select g, '2026-01-01'::date + g, 'n' from generate_series(1, 300) g;
  create schema "Odd Schema";
  create table "Odd Schema"."Odd ""Table""" ("a key" int primary key, "a, ""column""" text);
  insert into "Odd Schema"."Odd ""Table""" values (1, 'one');
  create table dropped (id int primary key, note text);
  insert into dropped values (1, 'one'), (2, 'two')`;

/** The writes that are lost, and the mistake that made the recovery necessary. */
const lost = `
  insert into orders (id, note, amount, raw, at) values
    (9000000000000000000, E'two\\nlines, a "quote" and a tab\\t', 1.5, '\\x00ff', '2026-11-21 15:00:00.123456+01'), (3001, '', null, null, null), (3002, null, 0, '', 'infinity');
  update orders set note = 'changed', body = '{"a":  1}' where id = 17;
  delete from orders where id = 18;
  insert into names values ('B2', 2), ('ﬀ', 2), (U&'\\+01F6DF2', 2);
  update names set value = 9 where name = 'ä';
  insert into pairs values ('2026-01-02', 'a"', 2, null);
  update pairs set value = 'w' where code = 'é' and day = '2026-01-05' and seq = 0;
  insert into documents values ('ffffffff-ffff-ffff-ffff-ffffffffffff', '{"b": [1, null]}', '{}');
  update documents set tags = array['x', '', 'a,b'] where id = md5('7')::uuid;
  insert into amounts values (1.05, 'a new one');
  update amounts set value = 2.5 where value = 2.50;
  insert into keyless values (1, 'x'), (4, 'four');
  insert into parted values (1, '2026-12-31', 'late'), (400, '2026-02-01', 'early');
  update parted set note = 'm' where id = 200;
  update "Odd Schema"."Odd ""Table""" set "a, ""column""" = E'\\\\.' where "a key" = 1;
  create table made_after (id int primary key, note text);
  insert into made_after values (1, 'only there');
  drop table dropped;
  alter table orders drop column gone_later`;

/** What the service writes once it is back. */
const since = `
  alter database postgres set timezone = 'UTC';
  insert into orders (id, note) values (4000, 'new'), (4001, 'new');
  insert into names values ('c', 3);
  delete from keyless where a = 3`;

export async function recoveredByHand(estate: SmallEstate): Promise<Recovered> {
  const { dataDirectory } = estate.member;
  const ctl = (...words: string[]) =>
    estate.run(join(bin, 'pg_ctl'), '-D', dataDirectory, '-l', join(estate.root, 'log', 'server.log'), '-w', ...words);
  const kept = `${dataDirectory}.kept`;
  const setAside = `${dataDirectory}.before-lost-1`;
  const psql = ['-h', join(estate.root, 'socket'), '-U', 'postgres', '-d', 'template1'];
  for (const text of ['drop database postgres', "create database postgres template template0 encoding 'UTF8'"])
    await estate.run(join(bin, 'psql'), ...psql, '-c', text);
  await estate.sql(tables);
  await estate.pgbackrest('--type=full', 'backup');
  await ctl('-m', 'fast', 'stop');
  await estate.run('cp', '-a', dataDirectory, kept);
  await ctl('start');
  const [end] = await estate.sql('select pg_current_wal_lsn()::text as lsn');
  await estate.sql(lost);
  await estate.archiveSegment();
  await ctl('-m', 'fast', 'stop');
  await rename(dataDirectory, setAside);
  await rename(kept, dataDirectory);
  // Out of recovery at once, on a timeline of its own.
  const settings = "\\nrestore_command = 'false'\\nrecovery_target_timeline = 'current'\\n";
  await estate.run(
    'sh',
    '-c',
    `printf "$1" >> "$0/postgresql.auto.conf" && touch "$0/recovery.signal"`,
    dataDirectory,
    settings,
  );
  await ctl('start');
  await until('the recovered server writes', async () => {
    const [row] = await estate.sql('select pg_is_in_recovery() as waiting');
    return row?.waiting === false;
  });
  await estate.sql(since);
  const [row] = await estate.sql(
    `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
  );
  return { setAside, timeline: Number(row?.timeline), endsAt: String(end?.lsn) };
}
