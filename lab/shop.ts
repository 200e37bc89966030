/**
 * The sample application: a shop over HTTP whose orders and payments lie in PostgreSQL.
 *
 * `shop` serves on LAB_SHOP_PORT. `shop smoke` starts itself on a free port, buys something, and says with one sentence
 * and its exit code whether the shop works. The database is found by PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { required } from './environment.ts';
import { Books, NotPossible } from './shop/books.ts';
import { page } from './shop/page.ts';
import { placement } from './shop/request.ts';
import { smoke } from './shop/smoke.ts';

/** A customer waits for seconds; adding up all the books of a restored database, from a cold disk, takes longer. */
const patience = {
  customer: { connectMs: 2_000, queryMs: 10_000 },
  smoke: { connectMs: 30_000, queryMs: 4 * 60_000 },
};

function openPool({ connectMs, queryMs }: { connectMs: number; queryMs: number }): pg.Pool {
  const pool = new pg.Pool({
    max: 12,
    connectionTimeoutMillis: connectMs,
    query_timeout: queryMs,
    idleTimeoutMillis: 30_000,
    application_name: 'shop',
  });
  // Idle sessions end when the front door moves; the next request opens new ones.
  pool.on('error', (error) => console.error(`a session ended: ${error.message}`));
  return pool;
}

function serve(books: Books): Server {
  return createServer((request, response) => {
    answer(books, request, response).catch((error) => refuse(response, error));
  });
}

async function answer(books: Books, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${new URL(request.url ?? '/', 'http://shop').pathname}`;
  const [, order, payment] = /^(?:GET|POST) \/orders\/(\d{1,18})(\/payment)?$/.exec(route) ?? [];
  if (route === 'GET /') return html(response, page({ ...(await books.counts()), newest: await books.newest() }));
  if (route === 'GET /health') return health(books, response);
  if (route === 'GET /customers') return json(response, 200, { newest: await books.customers() });
  if (route === 'GET /contradictions') return json(response, 200, await books.contradictions());
  if (route === 'POST /orders') {
    const { customer, lines } = await placement(request);
    return json(response, 201, await books.place(customer, lines));
  }
  if (order !== undefined && payment !== undefined && request.method === 'POST')
    return json(response, 201, await books.pay(order));
  if (order !== undefined && payment === undefined && request.method === 'GET') {
    const found = await books.read(order);
    if (found !== undefined) return json(response, 200, found);
  }
  throw new NotPossible(404, `there is no ${route}`);
}

async function health(books: Books, response: ServerResponse): Promise<void> {
  const { writable } = await books.state();
  json(response, writable ? 200 : 503, { status: writable ? 'ok' : 'read-only' });
}

function html(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(text);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof NotPossible) return void json(response, error.status, { error: error.message });
  console.error(error instanceof Error ? error.message : error);
  json(response, 503, { error: 'the database does not answer' });
}

async function runSmoke(): Promise<void> {
  const pool = openPool(patience.smoke);
  const server = serve(new Books(pool)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    console.log(await smoke(`http://127.0.0.1:${port}`));
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    server.closeAllConnections();
    server.close();
    await pool.end();
  }
}

if (process.argv[2] === 'smoke') await runSmoke();
else {
  serve(new Books(openPool(patience.customer))).listen(Number(required('LAB_SHOP_PORT')), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
}
