import type { FrontDoor } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { placeOf, withDatabase } from '../postgres/front-door.ts';
import type { ServiceMoment } from '../shapes.ts';

interface Row {
  standby: boolean;
  at: string;
  lsn: string | null;
  timeline: number | null;
  system_identifier: string;
  server_version: number;
  segment_bytes: number;
  checksums: boolean;
  last_archived: string | null;
  last_failed: string | null;
  archiving: string;
  /** pg_database as JSON: its columns for collations differ between releases. */
  database: Record<string, unknown>;
  extensions: { name: string; version: string }[];
  tablespaces: { oid: number; location: string }[];
  slots: string[];
  unlogged: string[];
  sessions: string[];
}

/**
 * One query, so that the clock and what was archived belong together. Every fact here may be read by a role without rights;
 * the names of other roles' sessions, too (only what they run is hidden).
 * `clock_timestamp()`, not `now()`: the pulse is stamped with the same clock. Sessions that only ask, like this one, come and go: they
 * are not listed.
 */
const question = `
  select pg_is_in_recovery() as standby,
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
    case when pg_is_in_recovery() then null else pg_current_wal_lsn()::text end as lsn,
    case when pg_is_in_recovery() then null
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end as timeline,
    (select system_identifier::text from pg_control_system()) as system_identifier,
    current_setting('server_version_num')::int as server_version,
    pg_size_bytes(current_setting('wal_segment_size'))::int as segment_bytes,
    current_setting('data_checksums') = 'on' as checksums,
    (select last_archived_wal from pg_stat_archiver) as last_archived,
    (select last_failed_wal from pg_stat_archiver
      where last_failed_time > coalesce(last_archived_time, '-infinity')) as last_failed,
    current_setting('archive_mode') as archiving,
    (select to_jsonb(d) from pg_database d where datname = current_database()) as database,
    (select coalesce(jsonb_agg(jsonb_build_object('name', extname, 'version', extversion) order by extname), '[]')
      from pg_extension) as extensions,
    (select coalesce(jsonb_agg(jsonb_build_object('oid', oid::int8, 'location', pg_tablespace_location(oid)) order by oid), '[]')
      from pg_tablespace where spcname not in ('pg_default', 'pg_global')) as tablespaces,
    (select coalesce(jsonb_agg(slot_name order by slot_name), '[]') from pg_replication_slots) as slots,
    (select coalesce(jsonb_agg(format('%I.%I', nspname, relname) order by nspname, relname), '[]')
      from pg_class c join pg_namespace n on n.oid = relnamespace
      where relpersistence = 'u' and relkind = 'r') as unlogged,
    (select coalesce(jsonb_agg(application_name order by application_name), '[]')
      from pg_stat_activity
      where application_name like 'lifeboat-%'
        and application_name not in
          ('lifeboat-service-moment', 'lifeboat-members', 'lifeboat-metrics', 'lifeboat-own-commit')) as sessions`;

/**
 * What the service is at this moment, asked through its front door.
 *
 * @throws NotPrimary the front door leads to a standby
 * @throws DatabaseUnreachable @throws PlanInvalid
 */
export async function serviceMoment(ask: { frontDoor: FrontDoor }): Promise<ServiceMoment> {
  const { row, ownClock } = await withDatabase(ask.frontDoor, 'service-moment', async (client) => {
    const asked = Date.now();
    const { rows } = await client.query<Row>(question);
    return { row: rows[0], ownClock: (asked + Date.now()) / 2 };
  });
  const place = placeOf(ask.frontDoor);
  if (row === undefined) throw failure('DatabaseUnreachable', `${place} answered without a row, which no server does`);
  if (row.standby || row.lsn === null || row.timeline === null)
    throw failure(
      'NotPrimary',
      `the front door ${place} leads to a standby, expected the primary. See what the load balancer believes, or correct database.frontDoor in the plan.`,
    );
  const workerAheadMs = Math.round(ownClock - Date.parse(row.at));
  return { ...factsOf(row), workerAheadMs, lsn: row.lsn, timeline: row.timeline, ...wordsOf(row, row.timeline, place) };
}

function factsOf(row: Row): Omit<ServiceMoment, 'found' | 'expected' | 'lsn' | 'timeline' | 'workerAheadMs'> {
  const archived = archivedSegment(row.last_archived);
  return {
    at: row.at,
    systemIdentifier: row.system_identifier,
    serverVersion: row.server_version,
    segmentBytes: row.segment_bytes,
    checksums: row.checksums,
    ...(archived === undefined ? {} : { lastArchivedWal: archived }),
    archiver: {
      ...(row.last_archived === null ? {} : { last: row.last_archived }),
      ...(row.last_failed === null ? {} : { failing: row.last_failed }),
    },
    collation: collationOf(row.database),
    extensions: row.extensions,
    tablespaces: row.tablespaces,
    slots: row.slots,
    unlogged: row.unlogged,
    ownSessions: row.sessions,
  };
}

function wordsOf(row: Row, timeline: number, place: string): { found: string; expected: string } {
  const major = Math.floor(row.server_version / 10_000);
  const archiving =
    row.archiving === 'off'
      ? 'archive_mode is off'
      : `newest archived ${row.last_archived ?? 'nothing since statistics were reset'}`;
  const unlogged = row.unlogged.length === 0 ? '' : `; unlogged, so in no backup: ${row.unlogged.join(', ')}`;
  return {
    found: `primary behind ${place}: PostgreSQL ${major}, timeline ${timeline}, ${row.lsn} at ${row.at}, ${archiving}${unlogged}`,
    expected: 'a primary that answers',
  };
}

/**
 * The segment that the newest archived file proves to be archived. Files go in order of their names, so a `.backup` file
 * follows the segment it is named after; a `.history` file goes first and a `.partial` one is no whole segment: they prove nothing.
 * @see PostgreSQL source, src/backend/postmaster/pgarch.c
 */
export function archivedSegment(file: string | null): string | undefined {
  return /^([0-9A-F]{24})(\.[0-9A-F]{8}\.backup)?$/.exec(file ?? '')?.[1];
}

/** Recorded in the database since PostgreSQL 15; before that, only the operating system knows. */
function collationOf(database: Record<string, unknown>): ServiceMoment['collation'] {
  const { datlocprovider: provider, datcollversion: version } = database;
  const names: Record<string, string> = { c: 'libc', i: 'icu', b: 'builtin' };
  const named = typeof provider === 'string' ? (names[provider] ?? provider) : 'libc';
  return typeof version === 'string' ? { provider: named, version } : { provider: named };
}
