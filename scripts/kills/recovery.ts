/**
 * What a point-in-time recovery promises, whoever was killed in it: just the data that was there before the mistake, counted before it
 * was made; one writer; and beside the directory that was set aside nothing that was not there.
 */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Customer } from '../../lab/customer.ts';
import type { Estate } from '../../lab/estate.ts';
import { type Host, hosts } from '../../lab/layout.ts';
import { processesIn } from '../../lab/litter.ts';
import { other } from '../../lab/pair.ts';
import { database, withServer } from '../../lab/postgres.ts';
import { until } from '../../lab/until.ts';
import type { LiveScene, LiveWalk, Prepared } from './live.ts';
import { wrongPair } from './wrong-pair.ts';

export const recoveries: LiveWalk = { runbook: 'point-in-time-recovery', goodEnd: 'recovered', prepare };

/** All that the database held at one moment. */
interface Held {
  /** Of each table that nobody writes while the walk goes on: its rows' number and a hash of them. */
  quiet: string[];
  /** Of the two that are written all the time, ascending: nobody draws a number twice. */
  numbers: Record<Growing, number[]>;
}

const growing = ['customer', 'lifeboat.pulse'] as const;
type Growing = (typeof growing)[number];

async function prepare(scene: LiveScene, from: Host): Promise<Prepared> {
  const { estate, customer } = scene;
  const beside = await besideData(estate);
  await withServer(estate.site, from, database, (client) =>
    client.query(
      'create table if not exists walked (number bigint); insert into walked select generate_series(1, 1000)',
    ),
  );
  const promised = await written(customer);
  const { held, transaction } = await mistake(estate, from);
  // They are given up, and must not come back.
  await written(customer);
  const wrongAfter = async () => {
    const wrong = await wrongPair(estate, from);
    if (wrong.length > 0) return wrong;
    return [
      ...missing('customer', promised, held.numbers.customer),
      ...(await wrongData(estate, from, held)),
      ...(await wrongData(estate, other(from), held)),
      ...(await wrongNumbers(scene, from, held)),
      ...(await litter(estate, beside)),
    ];
  };
  return { input: { target: `before transaction ${transaction}` }, wrongAfter };
}

/** Some that are acknowledged from now on. */
async function written({ acknowledged }: Customer): Promise<number[]> {
  const before = acknowledged.length;
  const enough = async () => acknowledged.length >= before + 50;
  await until({ what: 'the customer to write', withinMs: 60_000, everyMs: 50 }, enough);
  return acknowledged.slice(before);
}

/** Locks all tables, counts what they hold, and deletes the rows of one, all in the transaction that is to be undone. */
async function mistake({ site }: Estate, from: Host): Promise<{ held: Held; transaction: string }> {
  return withServer(site, from, database, async (client) => {
    await client.query('begin');
    await client.query(`lock table ${(await tables(client)).join(', ')} in exclusive mode`);
    const held = await look(client);
    const { rows } = await client.query<{ id: string }>(
      'with gone as (delete from walked returning 1) select pg_current_xact_id()::xid::text as id, count(*) from gone',
    );
    await client.query('commit');
    return { held, transaction: rows[0]?.id ?? '' };
  });
}

async function tables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  return rows.map(({ name }) => name);
}

async function look(client: pg.Client): Promise<Held> {
  const quiet: string[] = [];
  for (const table of await tables(client)) {
    if (growing.some((one) => table === one || table === `public.${one}`)) continue;
    const { rows } = await client.query<{ content: string }>(
      `select count(*) || ' rows, ' || md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as content from ${table} t`,
    );
    quiet.push(`${table}: ${rows[0]?.content}`);
  }
  return {
    quiet,
    numbers: {
      customer: await numbersIn(client, 'customer'),
      'lifeboat.pulse': await numbersIn(client, 'lifeboat.pulse'),
    },
  };
}

async function numbersIn(client: pg.Client, table: Growing): Promise<number[]> {
  const { rows } = await client.query<{ number: string }>(`select number from ${table} order by number`);
  return rows.map(({ number }) => Number(number));
}

/** On a standby, once it has replayed what the primary has written. */
async function wrongData({ site }: Estate, host: Host, held: Held): Promise<string[]> {
  let wrong: string[] = [];
  await until({ what: 'the data', withinMs: 30_000, everyMs: 300 }, async () => {
    const now = await withServer(site, host, database, look);
    wrong = [
      ...held.quiet.filter((one) => !now.quiet.includes(one)).map((one) => `${host} does not hold ${one}`),
      ...now.quiet.filter((one) => !held.quiet.includes(one)).map((one) => `${host} holds ${one}`),
      ...growing.flatMap((table) => {
        const newest = held.numbers[table].at(-1) ?? 0;
        const there = now.numbers[table].filter((number) => number <= newest);
        return missing(`${table} on ${host}`, held.numbers[table], there);
      }),
    ];
    return wrong.length === 0;
  }).catch(() => undefined);
  return wrong;
}

/** What was acknowledged after the mistake is gone up to one moment, and there after it. */
async function wrongNumbers({ estate, customer }: LiveScene, from: Host, held: Held): Promise<string[]> {
  const newest = held.numbers.customer.at(-1) ?? 0;
  const acknowledged = customer.acknowledged.filter((number) => number > newest);
  const there = new Set(await withServer(estate.site, from, database, (client) => numbersIn(client, 'customer')));
  const lastGone = acknowledged.findLast((number) => !there.has(number)) ?? newest;
  const back = acknowledged.filter((number) => number < lastGone && there.has(number));
  return [
    ...(lastGone > newest ? [] : ['nothing that was written after the mistake is gone']),
    ...(back.length === 0 ? [] : [`${back.length} writes from after the target are there: ${back.slice(0, 5).join()}`]),
    ...(acknowledged.some((number) => number > lastGone) ? [] : ['nothing was written through the front door since']),
  ];
}

function missing(what: string, wanted: readonly number[], there: readonly number[]): string[] {
  const found = new Set(there);
  const gone = wanted.filter((number) => !found.has(number));
  return gone.length === 0 ? [] : [`${what}: ${gone.length} are missing, such as ${gone.slice(0, 5).join(', ')}`];
}

type Beside = Record<(typeof hosts)[number], string[]>;

/** But for the log that a server has when Lifeboat has started it. */
async function besideData({ site }: Estate): Promise<Beside> {
  const [db1 = [], db2 = []] = await Promise.all(
    hosts.map(async (host) => {
      const { directory, serverLog } = site.layout.host(host);
      return (await readdir(directory)).filter((name) => name !== basename(serverLog));
    }),
  );
  return { db1, db2 };
}

const passesWithinMs = 20_000;

/** Names in these folders that stay: a look for the metrics comes and goes beside every run. */
async function lasting(...folders: string[]): Promise<string[]> {
  const here = async () => (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
  let left = await here();
  for (const deadline = Date.now() + passesWithinMs; left.length > 0 && Date.now() < deadline; await pause(500)) {
    const now = await here();
    left = left.filter((name) => now.includes(name));
  }
  return left;
}

/** Takes away what was set aside when all else is right, or the walks to come would need much room. */
async function litter(estate: Estate, before: Beside): Promise<string[]> {
  const after = await besideData(estate);
  const problems = await Promise.all(
    hosts.map(async (host) => {
      const { directory, scratch, temporary } = estate.site.layout.host(host);
      const added = after[host].filter((name) => !before[host].includes(name));
      const aside = added.filter((name) => name.startsWith('data.before-'));
      const left = await lasting(scratch, temporary);
      const running = await processesIn(scratch);
      const wrong = [
        ...added.filter((name) => !aside.includes(name)).map((name) => `${name} was left on ${host}`),
        ...(aside.length === 1 ? [] : [`${aside.length} directories were set aside on ${host}`]),
        ...left.map((name) => `${name} was left on ${host}`),
        ...running.map(({ commandLine }) => `${commandLine.slice(0, 120)} still runs on ${host}`),
      ];
      if (wrong.length === 0)
        for (const name of aside) await rm(join(directory, name), { recursive: true, force: true });
      return wrong;
    }),
  );
  return problems.flat();
}
