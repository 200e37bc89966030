/** The way that the service's own clients take. Lifeboat asks through it with the service's own, unprivileged role. */
import { Client, DatabaseError } from 'pg';
import type { FrontDoor } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';

/** Milliseconds. What does not answer within them counts as not answering: people wait for it. */
export interface Patience {
  connectMs: number;
  statementMs: number;
}

const usual: Patience = { connectMs: 5_000, statementMs: 10_000 };

/** `host:port`, as people write it. */
export function placeOf(door: { host: string; port: number }): string {
  return `${door.host}:${door.port}`;
}

/**
 * Opens one connection; the caller ends it.
 *
 * @param what ends up in application_name as `lifeboat-<what>`, so that a DBA sees who it is
 * @throws DatabaseUnreachable nobody answers, or not in time
 * @throws PlanInvalid user, password or database are refused
 */
export async function openDatabase(door: FrontDoor, what: string, patience: Patience = usual): Promise<Client> {
  const client = new Client({
    host: door.host,
    port: door.port,
    database: door.database,
    user: door.user,
    password: await resolveSecret(door.password),
    application_name: `lifeboat-${what}`,
    connectionTimeoutMillis: patience.connectMs,
    statement_timeout: patience.statementMs,
    // A server that hangs does not enforce its own timeout: a little later we stop waiting by ourselves.
    query_timeout: patience.statementMs + 1_000,
    keepAlive: true,
  });
  // Without a listener, a connection that breaks between two queries would end the worker.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    closeDatabase(client);
    throw databaseFailure(error, door);
  }
}

/** Ends a connection without waiting for a server that may hang. */
export function closeDatabase(client: Client): void {
  client.end().catch(() => undefined);
}

export async function withDatabase<T>(door: FrontDoor, what: string, body: (client: Client) => Promise<T>): Promise<T> {
  const client = await openDatabase(door, what);
  try {
    return await body(client);
  } catch (error) {
    throw databaseFailure(error, door);
  } finally {
    closeDatabase(client);
  }
}

/** SQLSTATEs that a retry does not help: what the plan says is wrong. @see PostgreSQL documentation, appendix A */
const refusals: Record<string, (door: FrontDoor) => string> = {
  '28P01': (door) =>
    `refuses the password of user "${door.user}". Compare the secret ${door.password} with the role's password`,
  '28000': (door) =>
    `does not let user "${door.user}" into database "${door.database}" from here. Check that the role may log in, and pg_hba.conf`,
  '3D000': (door) => `has no database "${door.database}". Correct database.frontDoor.database in the plan`,
  '42501': (door) => `does not give user "${door.user}" the right to do this`,
};

/** A driver's error in words that can be acted on. Failures that already are ours pass unchanged. */
export function databaseFailure(error: unknown, door: FrontDoor): Error {
  if (!(error instanceof Error)) return failure('DatabaseUnreachable', `${placeOf(door)}: ${String(error)}`);
  if (error.name === 'ApplicationFailure') return error;
  const refusal = error instanceof DatabaseError ? refusals[error.code ?? ''] : undefined;
  if (refusal !== undefined)
    return failure('PlanInvalid', `the server at ${placeOf(door)} ${refusal(door)}. It said: ${error.message}`, error);
  return failure('DatabaseUnreachable', `${placeOf(door)} ${whyUnreachable(error)}`, error);
}

function whyUnreachable(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'refuses connections: nothing listens there. Start it, or correct its address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'cannot be found: its name does not resolve from here';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'cannot be reached: there is no route to it from here';
  if (/timeout|timed out/i.test(error.message) || code === 'ETIMEDOUT' || code === '57014')
    return `did not answer in time (${error.message}): the server hangs, is overloaded, or a firewall drops packets`;
  if (code === 'ECONNRESET' || /terminated|ended/i.test(error.message))
    return 'closed the connection: a load balancer does so when no server behind it is healthy, a server when it shuts down';
  if (code === '57P03') return `is not ready (${error.message}): it starts, stops or recovers`;
  if (code === '53300') return `has no connection left (${error.message}): raise max_connections or end idle sessions`;
  return `answered with an error: ${error.message}`;
}
