/**
 * Says over HTTP which role the PostgreSQL server beside it has: `GET /primary` and `GET /standby` answer 200 or 503.
 * It asks the server anew for each question, over one connection that is kept: a promotion does not end it.
 *
 * Environment: LAB_ROLE_PORT, LAB_ROLE_SERVER (the socket's folder), LAB_ROLE_SERVER_PORT, LAB_ROLE_USER.
 */
import { createServer, type ServerResponse } from 'node:http';
import pg from 'pg';
import { required } from './environment.ts';

type Role = 'primary' | 'standby' | 'unknown';

/** Milliseconds after which a silent server counts as unknown. */
const patience = 1_000;

let session: pg.Client | undefined;

async function connected(): Promise<pg.Client> {
  if (session !== undefined) return session;
  const client = new pg.Client({
    host: required('LAB_ROLE_SERVER'),
    port: Number(required('LAB_ROLE_SERVER_PORT')),
    user: required('LAB_ROLE_USER'),
    database: 'postgres',
    application_name: 'role-endpoint',
    connectionTimeoutMillis: patience,
    query_timeout: patience,
  });
  client.on('error', () => forget(client));
  client.on('end', () => forget(client));
  await client.connect();
  session = client;
  return client;
}

function forget(client: pg.Client): void {
  if (session === client) session = undefined;
}

async function role(): Promise<Role> {
  let client: pg.Client | undefined;
  try {
    client = await connected();
    const { rows } = await client.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering');
    return rows[0]?.recovering ? 'standby' : 'primary';
  } catch {
    if (client !== undefined) {
      forget(client);
      void client.end().catch(() => undefined);
    }
    return 'unknown';
  }
}

async function answer(path: string, response: ServerResponse): Promise<void> {
  if (path === '/health') return void response.writeHead(200).end('here\n');
  const wanted = path.slice(1);
  if (wanted !== 'primary' && wanted !== 'standby')
    return void response.writeHead(404).end('ask /primary or /standby\n');
  const found = await role();
  response.writeHead(found === wanted ? 200 : 503).end(`${found}\n`);
}

createServer((request, response) => {
  void answer(request.url ?? '/', response);
}).listen(Number(required('LAB_ROLE_PORT')), '127.0.0.1');

process.on('SIGTERM', () => process.exit(0));
