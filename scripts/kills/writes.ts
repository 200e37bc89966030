/** A client of the service that writes all the time and keeps count: whether writes ever stopped is his to say. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Estate } from '../../lab/estate.ts';
import { database, withServer } from '../../lab/postgres.ts';

const everyMs = 100;

export interface Written {
  acknowledged: number;
  failed: string[];
  /** The longest that a single write took, milliseconds. */
  slowestMs: number;
}

export interface Writer {
  /** What happened since it was asked last. */
  sinceLast(): Written;
  stop(): Promise<void>;
}

/** Through the front door, as the application; in a table of its own. */
export async function startWriter(estate: Estate): Promise<Writer> {
  const { site, ports } = estate;
  await withServer(site, 'db1', database, (client) =>
    client.query(
      'create table if not exists observer (at timestamptz not null default now()); grant insert on observer to orders',
    ),
  );
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port: ports.frontDoor, database, user: 'orders', password: site.secrets.orders },
    application_name: 'observer',
  });
  client.on('error', () => undefined);
  await client.connect();
  let seen = nothing();
  let stopped = false;
  const writing = (async () => {
    while (!stopped) {
      const began = performance.now();
      await client.query('insert into observer default values').then(
        () => {
          seen.acknowledged += 1;
        },
        (error: Error) => seen.failed.push(error.message),
      );
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
      await pause(everyMs);
    }
  })();
  return {
    sinceLast: () => {
      const last = seen;
      seen = nothing();
      return last;
    },
    stop: async () => {
      stopped = true;
      await writing;
      await client.end().catch(() => undefined);
    },
  };
}

function nothing(): Written {
  return { acknowledged: 0, failed: [], slowestMs: 0 };
}
