/** Writes WAL as the shop does: its own statements, but without waiting for customers or for the disk. */
import pg from 'pg';
import type { Estate } from '../lab/estate.ts';
import { database } from '../lab/postgres.ts';
import { Books } from '../lab/shop/books.ts';

const customersAtOnce = 12;

export async function shop({ servers }: Estate, until: { walBytes: number; signal: AbortSignal }): Promise<void> {
  const { port, socket } = servers.db1;
  const pool = new pg.Pool({
    host: socket,
    port,
    user: 'orders',
    database,
    max: customersAtOnce,
    options: '-c synchronous_commit=off',
  });
  pool.on('error', () => undefined);
  try {
    const books = new Books(pool);
    const customers = await books.customers();
    const written = await walMeter(pool);
    const progress = { done: false };
    const watching = watch(progress, async () => (await written()) >= until.walBytes || until.signal.aborted);
    const buying = Array.from({ length: customersAtOnce }, async () => {
      while (!progress.done) await buy(books, customers);
    });
    await Promise.all([watching, ...buying]);
    until.signal.throwIfAborted();
  } finally {
    await pool.end();
  }
}

async function buy(books: Books, customers: number): Promise<void> {
  const lines = Array.from({ length: 1 + pick(3) }, () => ({ product: 1 + pick(500), quantity: 1 + pick(4) }));
  const { id } = await books.place(1 + pick(customers), lines);
  await books.pay(id);
}

async function watch(progress: { done: boolean }, enough: () => Promise<boolean>): Promise<void> {
  try {
    while (!(await enough())) await new Promise((resolve) => setTimeout(resolve, 250));
  } finally {
    progress.done = true;
  }
}

/** Bytes of WAL since the meter was made. */
async function walMeter(pool: pg.Pool): Promise<() => Promise<number>> {
  const read = async () => {
    const { rows } = await pool.query<{ bytes: string }>(
      "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as bytes",
    );
    return Number(rows[0]?.bytes);
  };
  const from = await read();
  return async () => (await read()) - from;
}

function pick(below: number): number {
  return Math.floor(Math.random() * below);
}
