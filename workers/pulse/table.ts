/** The table `lifeboat.pulse` in the service's own database. */
import { type Client, DatabaseError } from 'pg';
import { failure } from '../../activities/failure.ts';
import type { FrontDoor } from '../../plan/schema.ts';

/** Rows in one delete: small enough to hold up nobody. */
const batch = 1_000;

/**
 * The writer draws the numbers, not a sequence: after a recovery to an earlier point a sequence would give numbers again that were
 * acknowledged before, and a lost write would look as if it had come back.
 */
const definition =
  'create table if not exists lifeboat.pulse (number bigint primary key, at timestamptz not null default clock_timestamp())';

/** @throws NotPermitted with the SQL that a DBA has to run, when the role may not create them */
export async function ensureTable(client: Client, door: FrontDoor): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>("select to_regclass('lifeboat.pulse') is not null as there");
  if (rows[0]?.there === true) return;
  try {
    await client.query('create schema if not exists lifeboat');
    await client.query(definition);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== '42501') throw error;
    throw failure(
      'NotPermitted',
      `user "${door.user}" may not create the table for the pulse in database "${door.database}" (${error.message}). Let its owner run: create schema if not exists lifeboat; ${definition}; ${grants(client, door.user)}`,
      error,
    );
  }
}

function grants(client: Client, user: string): string {
  const role = client.escapeIdentifier(user);
  return `grant usage on schema lifeboat to ${role}; grant select, insert, delete on lifeboat.pulse to ${role};`;
}

export async function highestInTable(client: Client): Promise<number> {
  const { rows } = await client.query<{ highest: string }>(
    'select coalesce(max(number), 0) as highest from lifeboat.pulse',
  );
  return Number(rows[0]?.highest ?? 0);
}

/** Whether the oldest row is older than `before` (ISO 8601). */
export async function holdsOlderThan(client: Client, before: string): Promise<boolean> {
  const { rows } = await client.query<{ older: boolean }>(
    'select at < $1 as older from lifeboat.pulse order by number limit 1',
    [before],
  );
  return rows[0]?.older === true;
}

/** Looks at the oldest rows only, so that it never reads the whole table. */
export async function deleteOlderThan(client: Client, before: string): Promise<void> {
  await client.query(
    `delete from lifeboat.pulse where number in
      (select number from (select number, at from lifeboat.pulse order by number limit $2) as oldest where at < $1)`,
    [before, batch],
  );
}
