import { Context } from '@temporalio/activity';
import { type Client, DatabaseError } from 'pg';
import type { Member } from '../../plan/schema.ts';
import type { Anchor } from '../../recovery/archive.ts';
import { failure } from '../failure.ts';
import type { Found } from '../shapes.ts';
import { describeTables, fingerprintTables, prepareSnapshot, takeSnapshot } from './fingerprint.ts';
import { socketOf } from './live-member.ts';
import { holdersOf } from './lock-holders.ts';
import { one, type Row, withSession } from './session.ts';

/** 55P03: lock_not_available; 57014: the statement ran out of its time. */
const lockTimeouts = ['55P03', '57014'];
/** 25P03: idle in a transaction for longer than it may. */
const idleTimeout = '25P03';

/** A position after the restore point's record; a recovery that does not include it stops right there. */
const restorePoint = `
  select pg_create_restore_point($1)::text as lsn,
    (('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int)::text as timeline,
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
    (select system_identifier::text from pg_control_system()) as system_identifier`;

/**
 * Fingerprints of the critical tables at an exact LSN on the primary. Writers wait while a restore point is written and a second
 * session takes its snapshot, which is milliseconds. From the first wish for a lock to its end no writer waits longer than
 * `lockWithinMs`, however many tables there are and whatever becomes of this worker: the server itself gives the locks up.
 * (A snapshot and a restore point without the lock do not belong together.)
 *
 * @param ask.key names the restore point
 * @throws NotPrimary @throws TablesBusy the lock could not be had in time
 */
export async function anchorUnderLock(ask: {
  member: Member;
  database: string;
  tables: string[];
  lockWithinMs: number;
  key: string;
}): Promise<Found & { anchor: Anchor }> {
  const { place } = await socketOf(ask.member);
  const progress = { table: '' };
  return withSession(place, ask.database, 'anchor-lock', async (locker) => {
    const { standby } = await one(locker, 'select pg_is_in_recovery()::text as standby');
    if (standby === 'true')
      throw failure(
        'NotPrimary',
        `${ask.member.host} is a standby, expected the primary. Take the anchor there without a lock.`,
      );
    return withSession(
      place,
      ask.database,
      'anchor',
      async (reader) => {
        const point = await snapshotAtPoint(locker, reader, ask);
        const tables = await fingerprintTables(reader, ask.tables, progress);
        await reader.query('commit');
        const anchor: Anchor = {
          lsn: point.lsn ?? '',
          timeline: Number(point.timeline),
          at: point.at ?? '',
          lastCommitAt: point.at ?? '',
          systemIdentifier: point.system_identifier ?? '',
          source: `primary ${ask.member.host}, under a SHARE lock`,
          tables,
        };
        return {
          anchor,
          found: `anchor at ${anchor.lsn} on timeline ${anchor.timeline}: ${describeTables(tables)}`,
          expected: 'fingerprints at one LSN',
        };
      },
      () => ({ reading: progress.table }),
    );
  });
}

async function snapshotAtPoint(
  locker: Client,
  reader: Client,
  ask: { tables: string[]; lockWithinMs: number; key: string; member: Member },
): Promise<Row> {
  const tables = await quotedTables(locker, ask.tables);
  await prepareSnapshot(reader);
  const { waitMs, holdMs } = share(ask.lockWithinMs);
  await locker.query('begin');
  await lockAll(locker, tables, waitMs, ask.member.host);
  try {
    // A worker that dies or freezes here must not hold up writers until somebody notices.
    await locker.query(
      `set local statement_timeout = ${holdMs}; set local idle_in_transaction_session_timeout = ${holdMs}`,
    );
    // Names of restore points have at most 63 bytes.
    const point = await one(locker, restorePoint, [`lifeboat ${ask.key}`.slice(0, 63)]);
    await takeSnapshot(reader);
    // Answered only by a session that still lives, and so has held the lock until now: else point and snapshot do not belong together.
    await locker.query('rollback');
    return point;
  } catch (error) {
    throw await heldTooLong(locker, error, ask.member.host, holdMs);
  }
}

/** Who waits behind our waiting request waits as long as we do; then as long as we hold the lock, twice at the most. */
function share(lockWithinMs: number): { waitMs: number; holdMs: number } {
  const holdMs = Math.max(50, Math.min(1_000, Math.floor(lockWithinMs / 4)));
  return { waitMs: Math.max(50, lockWithinMs - 2 * holdMs), holdMs };
}

async function lockAll(locker: Client, tables: string[], waitMs: number, host: string): Promise<void> {
  try {
    // lock_timeout begins anew with each table, while the locks before it are held: the statement as a whole has a limit, too.
    await locker.query(`set local lock_timeout = ${waitMs}; set local statement_timeout = ${waitMs}`);
    await locker.query(`lock table ${tables.join(', ')} in share mode`);
  } catch (error) {
    await locker.query('rollback');
    if (Context.current().cancellationSignal.aborted) throw error;
    if (!(error instanceof DatabaseError) || !lockTimeouts.includes(error.code ?? '')) throw error;
    const holders = await holdersOf(locker, tables);
    throw failure(
      'TablesBusy',
      `${tables.join(', ')} on ${host} could not be locked within ${waitMs} ms, and writers are not made to wait longer: ${holders}. End that transaction, or let a standby stream, where no lock is needed; then take the backup again.`,
    );
  }
}

async function heldTooLong(locker: Client, error: unknown, host: string, holdMs: number): Promise<unknown> {
  await locker.query('rollback').catch(() => undefined);
  const code = error instanceof DatabaseError ? error.code : undefined;
  if (Context.current().cancellationSignal.aborted || (code !== idleTimeout && code !== '57014')) return error;
  return failure(
    'TablesBusy',
    `on ${host} no snapshot could be taken in the ${holdMs} ms for which the tables may be locked, so the lock was given up. Take the backup again when the server is less busy.`,
    error,
  );
}

/** In one order for all, so that two runs cannot block each other. */
async function quotedTables(client: Client, names: string[]): Promise<string[]> {
  const quoted: string[] = [];
  for (const name of names) {
    const { table } = await one(
      client,
      `select (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.oid = to_regclass($1)) as table`,
      [name],
    );
    if (table == null)
      throw failure('PlanInvalid', `the database has no table ${name}. Correct database.criticalTables in the plan.`);
    quoted.push(table);
  }
  return [...new Set(quoted)].sort();
}
