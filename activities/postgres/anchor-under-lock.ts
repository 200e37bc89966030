import { type Client, DatabaseError } from 'pg';
import type { Member } from '../../plan/schema.ts';
import type { Anchor } from '../../recovery/archive.ts';
import type { Found } from '../contract.ts';
import { failure } from '../failure.ts';
import { beginSnapshot, describeTables, fingerprintTables } from './fingerprint.ts';
import { socketOf } from './live-member.ts';
import { one, type Row, withSession } from './session.ts';

/** 55P03: lock_not_available. */
const lockTimeout = '55P03';

/** A position after the restore point's record; a recovery that does not include it stops right there. */
const restorePoint = `
  select pg_create_restore_point($1)::text as lsn,
    (('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int)::text as timeline,
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
    (select system_identifier::text from pg_control_system()) as system_identifier`;

/**
 * Fingerprints of the critical tables at an exact LSN on the primary. Writers wait while a restore point is written and a second
 * session takes its snapshot, which is milliseconds; they never wait longer than `lockWithinMs` for the lock itself.
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
  // Whoever waits behind our waiting lock request waits as long as we do.
  await locker.query('begin');
  try {
    await locker.query(`set local lock_timeout = ${ask.lockWithinMs}`);
    // A worker that dies here must not hold up writers until the operating system notices.
    await locker.query('set local idle_in_transaction_session_timeout = 10000');
    await locker.query(`lock table ${tables.join(', ')} in share mode`);
    // Names of restore points have at most 63 bytes.
    const point = await one(locker, restorePoint, [`lifeboat ${ask.key}`.slice(0, 63)]);
    await beginSnapshot(reader);
    return point;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== lockTimeout) throw error;
    throw failure(
      'TablesBusy',
      `${ask.tables.join(', ')} on ${ask.member.host} could not be locked within ${ask.lockWithinMs} ms: a long transaction holds one of them. See pg_stat_activity, or take the anchor on a standby.`,
    );
  } finally {
    await locker.query('rollback');
  }
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
