/** Sessions on servers of this host, by their unix socket. */
import { userInfo } from 'node:os';
import { CancelledFailure, Context } from '@temporalio/activity';
import { Client, DatabaseError } from 'pg';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { isStopped } from '../processes.ts';
import { type Places, scratchPort } from './scratch.ts';

export interface SocketPlace {
  /** Directory of the socket. */
  host: string;
  port: number;
  /** Who connects; the superuser when absent. */
  user?: string;
}

export function placeOfScratch(places: Places): SocketPlace {
  return { host: places.socket, port: scratchPort };
}

/** All values as text, as the server prints them: a 64-bit number or a time would lose digits in JavaScript. */
const asText = { getTypeParser: () => (text: string) => text };

export type Row = Record<string, string | null>;

/** 28000: no such role, or not let in; 28P01: a password is wanted. */
const notThisRole = ['28000', '28P01'];

/**
 * Connects as who is named, or as the superuser: the role named like this process's user, which owns the data directory, or `postgres`.
 *
 * @throws DatabaseUnreachable
 */
export async function connect(place: SocketPlace, database: string, what: string): Promise<Client> {
  const roles = place.user === undefined ? [...new Set([userInfo().username, 'postgres'])] : [place.user];
  let refusal: unknown;
  for (const user of roles) {
    const client = newClient(place, database, user, what);
    try {
      await client.connect();
      return client;
    } catch (error) {
      close(client);
      refusal = error;
      if (!(error instanceof DatabaseError && notThisRole.includes(error.code ?? ''))) throw error;
    }
  }
  throw refusal;
}

function newClient({ host, port }: SocketPlace, database: string, user: string, what: string): Client {
  const client = new Client({
    host,
    port,
    database,
    user,
    application_name: `lifeboat-${what}`,
    connectionTimeoutMillis: 10_000,
    types: asText,
  });
  // Without a listener, a connection that breaks between two queries would end the worker.
  client.on('error', () => undefined);
  return client;
}

export function close(client: Client): void {
  client.end().catch(() => undefined);
}

/** A stopped process keeps its session open and answers nothing, not even with a time-out of its own. Milliseconds. */
const stoppedWithinMs = 15_000;

/**
 * One session, with heartbeats. When the activity is cancelled, the server is told to stop the query.
 * A query may take hours; that its server's process was stopped is noticed in seconds.
 */
export async function withSession<T>(
  place: SocketPlace,
  database: string,
  what: string,
  body: (client: Client) => Promise<T>,
  details: () => unknown = () => ({ asking: what }),
): Promise<T> {
  if (Context.current().cancellationSignal.aborted) throw new CancelledFailure(`${what} was cancelled`);
  return beating(details, async () => {
    const client = await connect(place, database, what).catch((error) => {
      throw unreachable(place, database, error);
    });
    const stop = cancelWith(client, place, database);
    try {
      return await unlessStopped(client, place, body(client));
    } catch (error) {
      if (isOurs(error)) throw error;
      if (Context.current().cancellationSignal.aborted) throw new CancelledFailure(`${what} was cancelled`);
      throw error instanceof DatabaseError ? meaningOf(error, database) : unreachable(place, database, error);
    } finally {
      stop();
      close(client);
    }
  });
}

async function unlessStopped<T>(client: Client, place: SocketPlace, work: Promise<T>): Promise<T> {
  const pid = backendOf(client);
  if (pid === undefined) return work;
  let timer: NodeJS.Timeout | undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    let seen = 0;
    timer = setInterval(async () => {
      seen = (await isStopped(pid)) ? seen + 1_000 : 0;
      if (seen >= stoppedWithinMs)
        reject(
          failure(
            'DatabaseUnreachable',
            `process ${pid} of the server at ${place.host}, port ${place.port}, was stopped from outside and answers nothing (its state is T). Find out who stopped it, and let it go on: kill -CONT ${pid}`,
          ),
        );
    }, 1_000);
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    clearInterval(timer);
  }
}

/** Process of the server that serves this session. */
function backendOf(client: Client): number | undefined {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
}

/** Again and again: a wish to stop that arrives between two queries is lost, and the next query may take hours. */
function cancelWith(client: Client, place: SocketPlace, database: string): () => void {
  const signal = Context.current().cancellationSignal;
  let again: NodeJS.Timeout | undefined;
  const cancel = () => {
    cancelQuery(client, place, database).catch(() => undefined);
  };
  const onAbort = () => {
    cancel();
    again = setInterval(cancel, 1_000);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearInterval(again);
  };
}

async function cancelQuery(client: Client, place: SocketPlace, database: string): Promise<void> {
  const pid = backendOf(client);
  if (pid === undefined) return;
  const other = await connect(place, database, 'cancel');
  try {
    await other.query('select pg_cancel_backend($1)', [pid]);
  } finally {
    close(other);
  }
}

/**
 * The server is gone, going, or out of room or memory: not an answer to what it was asked. A statement that took too long (57014) is one.
 * Class 08: connection, 40: a deadlock, 53: resources, 57: operator intervention, 58: system.
 */
export function isOutage({ code = '' }: DatabaseError): boolean {
  return /^(08|40|53|57|58)/.test(code) && code !== '57014';
}

/** What a server's error means where nobody has expected it. @see PostgreSQL documentation, appendix A */
function meaningOf(error: DatabaseError, database: string): Error {
  const { code = '', message } = error;
  const said = `the server says of database "${database}": ${message} (SQLSTATE ${code})`;
  if (code.startsWith('XX00'))
    return failure('DataCorrupt', `${said}. Check the live database too (pg_amcheck), and the disks.`, error);
  if (code === '53100') return failure('DiskFull', `${said}. Make room.`, error);
  if (/^(08|40|53|57)/.test(code)) return failure('DatabaseUnreachable', said, error);
  if (code === '42501')
    return failure('NotPermitted', `${said}. Lifeboat needs the superuser of its host's server.`, error);
  return failure('Bug', said, error);
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ApplicationFailure' || error.name === 'CancelledFailure');
}

function unreachable(place: SocketPlace, database: string, error: unknown): Error {
  const words = error instanceof Error ? error.message : String(error);
  const server = `the server at ${place.host}, port ${place.port},`;
  return failure('DatabaseUnreachable', `${server} ${whyShut(error, database)}: ${words}${whatToDo(error)}`, error);
}

function whyShut(error: unknown, database: string): string {
  const code = error instanceof DatabaseError ? error.code : undefined;
  if (code === '53300') return 'has no connection left';
  if (code === '57P03') return 'is not ready: it starts, stops or recovers';
  if (code === undefined && error instanceof Error && /timeout/i.test(error.message))
    return 'accepts, but does not answer';
  if (code === undefined && error instanceof Error && /terminated|ended|closed/i.test(error.message))
    return 'closed the session: it was restarted, or somebody ended the session';
  return `does not let this worker into database "${database}"`;
}

function whatToDo(error: unknown): string {
  const code = error instanceof DatabaseError ? error.code : undefined;
  if (code === '53300')
    return '. End idle sessions or raise max_connections; superuser_reserved_connections keeps some for its own user.';
  if (code === '57P03') return '. It is asked again; see its log if it stays so.';
  return ". Expected it to run, and to let the database's own user in by its socket (pg_hba.conf: local all all peer).";
}

/** The first row; a query that must have one. */
export async function one(client: Client, text: string, values: unknown[] = []): Promise<Row> {
  const { rows } = await client.query<Row>(text, values);
  const [row] = rows;
  if (row === undefined) throw failure('Bug', `no row came back from: ${text.slice(0, 200)}`);
  return row;
}

export async function all(client: Client, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query<Row>(text, values)).rows;
}
