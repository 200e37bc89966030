import type { Client } from 'pg';
import type { FrontDoor } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { placeOf, withDatabase } from '../postgres/front-door.ts';
import type { Found } from '../shapes.ts';

interface Commit {
  /** 32 bits, as WAL has it. */
  transaction: number;
  /** UTC, microseconds: `2026-11-21T13:59:57.123456Z`. */
  at: string;
}

/** What the service remembers of a transaction. */
interface Memory {
  /** Only with track_commit_timestamp. */
  at?: string;
  status: 'committed' | 'aborted' | 'in progress' | 'never begun' | 'forgotten';
}

/**
 * Whether the newest commit in the archive is one of the service's own. Of two servers that were promoted to the same timeline both
 * can have archived; names, histories and system identifiers are then the same, what was committed is not.
 *
 * @throws ArchiveUnsound the service has not committed it @throws DatabaseUnreachable
 */
export async function ownCommit({ frontDoor, ...commit }: { frontDoor: FrontDoor } & Commit): Promise<Found> {
  const memory = await withDatabase(frontDoor, 'own-commit', (client) => remember(client, commit.transaction));
  const place = placeOf(frontDoor);
  const expected = 'a commit that the service made itself';
  const archived = `transaction ${commit.transaction}, which the archive says was committed at ${commit.at}`;
  if (memory.at === commit.at)
    return { found: `${place} made the newest commit in the archive, at ${commit.at}`, expected };
  if (memory.at !== undefined)
    throw ofAnother(
      `${place} committed transaction ${commit.transaction} at ${memory.at}, the archive has ${commit.at}`,
    );
  if (memory.status === 'never begun') throw ofAnother(`${place} has not begun ${archived}`);
  if (memory.status === 'aborted') throw ofAnother(`${place} has rolled back ${archived}`);
  const told = memory.status === 'committed' ? 'committed' : `not known any more (${memory.status})`;
  return {
    found: `${place} says of the newest commit in the archive: ${told}; its moment cannot be compared (track_commit_timestamp)`,
    expected,
  };
}

function ofAnother(seen: string): Error {
  return failure(
    'ArchiveUnsound',
    `${seen}: the WAL in the archive is another server's, of the same timeline. Find out which server else archives there (lifeboat archive), and restore nothing from it before this is understood.`,
  );
}

const idIsInTheFuture = '22023';

async function remember(client: Client, transaction: number): Promise<Memory> {
  const at = await momentOf(client, transaction);
  // Numbers in WAL have 32 bits; the whole one is the nearest to those given out now.
  const { rows } = await client.query<{ next: string }>(
    'select txid_snapshot_xmax(txid_current_snapshot())::text as next',
  );
  const next = BigInt(rows[0]?.next ?? 0);
  const whole = next + BigInt.asIntN(32, BigInt(transaction) - BigInt.asUintN(32, next));
  return { ...(at === undefined ? {} : { at }), status: await statusOf(client, whole) };
}

/** What a subscriber has applied carries its publisher's time: that cannot be compared. */
async function momentOf(client: Client, transaction: number): Promise<string | undefined> {
  const { rows: settings } = await client.query<{ comparable: boolean }>(
    `select current_setting('track_commit_timestamp') = 'on'
       and current_setting('server_version_num')::int >= 140000 as comparable`,
  );
  if (settings[0]?.comparable !== true) return undefined;
  const { rows } = await client.query<{ at: string | null }>(
    `select to_char("timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
     from pg_xact_commit_timestamp_origin($1::text::xid) where roident = 0`,
    [String(transaction)],
  );
  return rows[0]?.at ?? undefined;
}

async function statusOf(client: Client, whole: bigint): Promise<Memory['status']> {
  if (whole < 1n) return 'forgotten';
  try {
    const { rows } = await client.query<{ status: Memory['status'] | null }>(
      'select txid_status($1::bigint) as status',
      [whole.toString()],
    );
    return rows[0]?.status ?? 'forgotten';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === idIsInTheFuture) return 'never begun';
    throw error;
  }
}
