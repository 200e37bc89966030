import { type Client, DatabaseError, type QueryConfig } from 'pg';
import type { Assertion, Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import type { Found, Scratch } from '../shapes.ts';
import { socketOf } from './live-member.ts';
import { readerOf } from './reader.ts';
import { permittedPlaces } from './scratch.ts';
import { isOutage, one, withSession } from './session.ts';
import { withScratch } from './standing.ts';

/** Milliseconds for one statement of the plan. */
const statementMs = 600_000;

interface Answer {
  assertion: Assertion;
  holds: boolean;
  /** Why not: a value, or the server's words. */
  got: string;
}

/**
 * Runs the plan's statements about the data, and compares the first column of the first row.
 *
 * @throws AssertionsFailed names each that does not hold, with what was found
 */
export async function runAssertions(ask: {
  scratch: Scratch;
  database: string;
  assertions: Assertion[];
}): Promise<Found> {
  const permitted = await permittedPlaces(ask.scratch);
  return judged(ask.assertions, (user, body) => withScratch({ ...permitted, user }, ask.database, 'assertions', body));
}

/** The same of a live server, by its own socket. @throws AssertionsFailed */
export async function assertionsLive(ask: {
  member: Member;
  database: string;
  assertions: Assertion[];
}): Promise<Found> {
  const { place } = await socketOf(ask.member);
  // Who may come in as somebody else is for pg_hba.conf to say: a superuser in the role of a reader always may.
  return judged(ask.assertions, (_user, body) => withSession(place, ask.database, 'assertions', body), false);
}

type InSession = <T>(user: string | undefined, body: (client: Client) => Promise<T>) => Promise<T>;

async function judged(assertions: Assertion[], inSession: InSession, asReader = true): Promise<Found> {
  if (assertions.length === 0) return { found: 'the plan states nothing about the data' };
  const user = asReader ? await inSession(undefined, readerOf) : undefined;
  const answers = await inSession(user, async (client) => {
    const all: Answer[] = [];
    for (const assertion of assertions) all.push(await run(client, assertion, user === undefined));
    return all;
  });
  const broken = answers.filter(({ holds }) => !holds);
  if (broken.length > 0)
    throw failure(
      'AssertionsFailed',
      `${broken.length} of ${answers.length} assertions do not hold: ${broken.map(say).join('; ')}. Look at the data before it goes anywhere.`,
    );
  return {
    found: `${answers.length} of ${answers.length} hold: ${answers.map(({ assertion }) => assertion.name).join('; ')}`,
    expected: 'every assertion of the plan holds',
  };
}

async function run(client: Client, assertion: Assertion, asSuperuser: boolean): Promise<Answer> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query(`set local statement_timeout = ${statementMs}`);
    // Rows hidden by row security then are an error, not a smaller count.
    await client.query('set local row_security = off');
    if (asSuperuser) await becomeReader(client);
    const { rows, fields } = await client.query<Record<string, string | null>>(oneStatement(assertion.sql));
    const name = fields[0]?.name;
    const value = name === undefined ? undefined : rows[0]?.[name];
    return { assertion, holds: equals(value, assertion.expect), got: shown(value) };
  } catch (error) {
    if (!(error instanceof DatabaseError) || isOutage(error)) throw error;
    return { assertion, holds: false, got: `the server says: ${error.message}` };
  } finally {
    // On a connection that is gone it fails, and must not hide why.
    await client.query('rollback').catch(() => undefined);
  }
}

/**
 * Where no role of the database may read everything, the session is a superuser's, and on a paused server pg_wal_replay_resume() would
 * promote: the statement at least begins as a role that only reads.
 */
async function becomeReader(client: Client): Promise<void> {
  const { reader } = await one(client, `select to_regrole('pg_read_all_data')::text as reader`);
  if (reader === null) return;
  await client.query('set local role pg_read_all_data');
}

/** The extended protocol takes one statement only: nothing can be smuggled in behind a semicolon. */
function oneStatement(text: string): QueryConfig {
  const query = { text, queryMode: 'extended' };
  return query;
}

function equals(value: string | null | undefined, expect: Assertion['expect']): boolean {
  if (value === null || value === undefined) return false;
  if (typeof expect === 'number') return value.trim() !== '' && Number(value) === expect;
  if (typeof expect === 'boolean') return value === (expect ? 't' : 'f');
  return value === expect;
}

function shown(value: string | null | undefined): string {
  if (value === undefined) return 'no row';
  return value === null ? 'null' : value.slice(0, 60);
}

function say({ assertion, got }: Answer): string {
  return `"${assertion.name}" found ${got}, expected ${assertion.expect}`;
}
