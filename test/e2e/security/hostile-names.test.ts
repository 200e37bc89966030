/**
 * The nastiest names that are valid, from end to end: a database, tables, a role, a scratch root and a run full of what other programs
 * give a meaning. And statements in a plan that try to become more than they are.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Anchor } from '../../../recovery/archive.ts';
import { type Hand, newHand } from '../activities/hand.ts';
import { newSmallEstate, type SmallEstate } from '../activities/small-estate.ts';

const database = `o'r"d ers;--`;
const tables = [`"Order ""lines"""`, `"it's; drop table x;--"."$(id) %s \\ \u{1f6df}"`];
let estate: SmallEstate;
let hand: Hand;
let root: string;
let anchor: Anchor;

const scratch = () => ({ host: 'db1', directory: join(root, 'run-1') });

async function sql(text: string, place: { host: string; port: number; user?: string }) {
  const client = new Client({ user: 'postgres', ...place, database });
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(text)).rows;
  } finally {
    await client.end();
  }
}
const live = () => ({ host: join(estate.root, 'socket'), port: 5432 });
const beside = () => ({ host: join(scratch().directory, 'socket'), port: 5432 });

beforeAll(async () => {
  estate = await newSmallEstate();
  root = join(estate.root, `s'c "$(id)" %p;`);
  await estate.run('mkdir', '-m', '700', root);
  const permit = await readFile(estate.permit, 'utf8');
  await writeFile(estate.permit, permit.replace(/^scratch: .*$/m, `scratch: [${JSON.stringify(root)}]`));
  await estate.sql(`create database "${database.replaceAll('"', '""')}"`);
  await sql(
    `create table ${tables[0]} (id int primary key, "a ""b""" text);
     create schema "it's; drop table x;--";
     create table ${tables[1]} (id int primary key references ${tables[0]}, data bytea check (length(data) < 9));
     insert into ${tables[0]} select g, 'x' from generate_series(1, 300) g;
     insert into ${tables[1]} select g, '\\x00'::bytea from generate_series(1, 200) g;
     create role "read'er;--" login;
     grant pg_read_all_data to "read'er;--"`,
    live(),
  );
  hand = await newHand(estate.env);
  const { backup } = await hand.call('takeBackup', {
    backups: estate.backups,
    member: estate.member,
    type: 'full',
    key: `run/$(id)' "`,
  });
  ({ anchor } = await hand.call('anchorUnderLock', {
    member: estate.member,
    database,
    tables,
    lockWithinMs: 5_000,
    key: `run/'anchor"`,
  }));
  await sql(`insert into ${tables[0]} values (301, 'y')`, live());
  await estate.archiveSegment();
  await hand.call('restoreBeside', {
    backups: estate.backups,
    label: backup.label,
    bytes: backup.bytes,
    scratch: scratch(),
    throwAway: true,
  });
  await hand.call('replayTo', {
    backups: estate.backups,
    scratch: scratch(),
    target: { kind: 'lsn', lsn: anchor.lsn, inclusive: false, timeline: 1 },
    outageWithinMs: 30_000,
    throwAway: true,
  });
});
afterAll(async () => {
  await hand?.call('removeScratch', { scratch: scratch() }).catch(() => undefined);
  await hand?.stop();
  await estate?.stop();
});

test('a server beside opens its socket in its own directory and nowhere else', async () => {
  expect(await readdir(beside().host)).toContain('.s.PGSQL.5432');
  expect(await readdir(estate.root)).not.toContain('socket"');
  expect(await readdir(root)).toEqual(['run-1']);
});

test('tables with such names are compared, and equal what an observer counts', async () => {
  const { tables: restored } = await hand.call('fingerprints', { scratch: scratch(), database, tables });
  expect(restored).toEqual(anchor.tables);
  const counted = await Promise.all(tables.map((table) => sql(`select count(*) as rows from ${table}`, beside())));
  expect(counted.map(([row]) => Number(row?.rows))).toEqual([300, 200]);
  expect(restored.map(({ rows }) => rows)).toEqual([300, 200]);
});

const paused = async () =>
  (await sql(`select pg_is_in_recovery() as standby, pg_get_wal_replay_pause_state() as state`, beside()))[0];

/** The assertion runs; what the server was made to do shows afterwards. */
const asserted = (statement: string, expected: string | number | boolean = 1) =>
  hand
    .call('runAssertions', {
      scratch: scratch(),
      database,
      assertions: [{ name: `it's "x"`, sql: statement, expect: expected }],
    })
    .then(
      ({ found }) => found,
      (error: { type: string; message: string }) => `${error.type}: ${error.message}`,
    );

test('a statement of the plan reads what it may, as a role that is nobody else', async () => {
  expect(await asserted(`select count(*) from ${tables[1]}`, 200)).toContain('1 of 1 hold');
  expect(await asserted('select session_user', `read'er;--`)).toContain('1 of 1 hold');
});

test.each([
  ['a second statement', 'select 1; select pg_wal_replay_resume()'],
  ['a direct call', 'select pg_wal_replay_resume()'],
  [
    'a way back to the superuser, then a call by text',
    `select set_config('role', 'none', true) || query_to_xml('select pg_wal_replay_resume()', true, true, '')::text`,
  ],
  [
    'a new session user, then a call by text',
    `select set_config('session_authorization', 'postgres', true) || query_to_xml('select pg_wal_replay_resume()', true, true, '')::text`,
  ],
  [
    'a promotion',
    `select set_config('role', 'none', true) || query_to_xml('select pg_promote()', true, true, '')::text`,
  ],
  [
    'a file of the server',
    `select set_config('role', 'none', true) || query_to_xml($$select pg_read_file('PG_VERSION')$$, true, true, '')::text`,
  ],
  ['a program', `copy (select 1) to program 'touch /tmp/lifeboat-was-here'`],
  ['a block of code', 'do $$ begin perform pg_wal_replay_resume(); end $$'],
  ['an end of the transaction', 'commit'],
])('%s in a statement of the plan changes nothing: the server stays where it stands', async (_what, statement) => {
  const before = await paused();
  expect(before).toEqual({ standby: true, state: 'paused' });
  expect(await asserted(statement)).toMatch(/^AssertionsFailed: /);
  expect(await paused()).toEqual(before);
});

test('promoted, its indexes, constraints and pages are checked, the smoke command gets names as they are, and nothing stays', async () => {
  const smoke = join(estate.root, 'smoke');
  await writeFile(smoke, `#!/bin/sh\nprintf '%s|%s|' "$PGDATABASE" "$PGHOST"; printf '%s' "$1"\n`, { mode: 0o755 });
  const word = `--x=$(id) 'q' "d" \`b\` ;|&\\ *`;
  await hand.call('promoteScratch', { scratch: scratch() });
  const { found } = await hand.call('smoke', {
    scratch: scratch(),
    database,
    application: { kind: 'command', smoke: { command: [smoke, word], within: 30_000 } },
  });
  expect(found).toContain(`${database}|${beside().host}|${word}`);
  expect((await hand.call('checkIndexes', { scratch: scratch(), database })).found).toMatch(
    /^\d+ tables and \d+ B-tree indexes are sound/,
  );
  expect((await hand.call('checkConstraints', { scratch: scratch(), database })).found).toContain('hold for every row');
  await hand.call('checkPages', { scratch: scratch() });
  await hand.call('removeScratch', { scratch: scratch() });
  expect(await readdir(root)).toEqual([]);
  expect((await readdir(estate.root)).sort()).toEqual(
    [
      'data',
      'lock',
      'log',
      'permit.yaml',
      'pgbackrest.conf',
      'repository',
      'scratch',
      'smoke',
      'socket',
      'spool',
      root.slice(estate.root.length + 1),
    ].sort(),
  );
});
