/** A client of the service that writes as fast as it is answered, and comes back when it is sent away: what was acknowledged to it counts. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Estate } from './estate.ts';
import { primaryOf } from './pair.ts';
import { database, withServer } from './postgres.ts';

const betweenMs = 5;

export interface Customer {
  /** Numbers that were acknowledged so far. */
  readonly acknowledged: readonly number[];
  /** Longest time between two acknowledgements since it was asked last, and when it was over, by `performance.now()`; milliseconds. */
  longestGap(): { ms: number; endedAt: number };
  stop(): Promise<void>;
}

export async function startCustomer(estate: Estate): Promise<Customer> {
  const { site, ports } = estate;
  await withServer(site, await primaryOf(estate), database, (client) =>
    client.query('create table if not exists customer (number bigint); grant insert on customer to orders'),
  );
  const door = { host: '127.0.0.1', port: ports.frontDoor, database, user: 'orders', password: site.secrets.orders };
  const acknowledged: number[] = [];
  let number = 0;
  let gap = { ms: 0, endedAt: 0 };
  let last = performance.now();
  let stopped = false;
  const visit = async () => {
    const client = new pg.Client({ ...door, application_name: 'customer', connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      while (!stopped) {
        number += 1;
        await client.query('insert into customer values ($1)', [number]);
        acknowledged.push(number);
        const now = performance.now();
        if (now - last > gap.ms) gap = { ms: now - last, endedAt: now };
        last = now;
        await pause(betweenMs);
      }
    } finally {
      client.end().catch(() => undefined);
    }
  };
  const writing = (async () => {
    while (!stopped) await visit().catch(() => pause(10));
  })();
  return {
    acknowledged,
    longestGap: () => {
      const longest = gap;
      gap = { ms: 0, endedAt: 0 };
      return longest;
    },
    stop: async () => {
      stopped = true;
      await writing;
    },
  };
}

/** Of the numbers that were acknowledged, those that the primary does not hold. */
export async function lostFor(estate: Estate, acknowledged: readonly number[]): Promise<number[]> {
  const rows = await withServer(estate.site, await primaryOf(estate), database, async (client) => {
    return (await client.query<{ number: string }>('select number from customer')).rows;
  });
  const there = new Set(rows.map(({ number }) => Number(number)));
  return acknowledged.filter((one) => !there.has(one));
}
