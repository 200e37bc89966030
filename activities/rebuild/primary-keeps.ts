import { formatBytes } from '../../evidence/format.ts';
import type { Member } from '../../plan/schema.ts';
import { formatLsn } from '../../recovery/lsn.ts';
import type { PrimaryKept } from '../../recovery/rebuild.ts';
import { parseSegment, segmentNumberAt } from '../../recovery/segments.ts';
import { failure } from '../failure.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import type { Found } from '../shapes.ts';
import { ancestorsOf } from './standby-found.ts';

/** What pg_rewind calls on its source. @see PostgreSQL documentation, "pg_rewind", Notes */
const readsFiles = [
  'pg_ls_dir(text, boolean, boolean)',
  'pg_stat_file(text, boolean)',
  'pg_read_binary_file(text)',
  'pg_read_binary_file(text, bigint, bigint, boolean)',
];

const question = `
  select pg_is_in_recovery()::text as standby,
    case when not pg_is_in_recovery() then pg_current_wal_lsn() end::text as lsn,
    case when not pg_is_in_recovery() then ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end::text
      as timeline,
    (select system_identifier::text from pg_control_system()) as system_identifier,
    current_setting('server_version_num') as server_version,
    pg_size_bytes(current_setting('wal_segment_size'))::text as segment_bytes,
    current_setting('full_page_writes') as full_page_writes,
    (select coalesce(jsonb_agg(name), '[]') from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$')::text as segments,
    (select jsonb_build_object('active', active, 'lost', coalesce(wal_status = 'lost', false), 'physical', slot_type = 'physical')
      from pg_replication_slots where slot_name = $1)::text as slot,
    (select bool_and(has_function_privilege(r.oid, 'pg_catalog.' || f, 'execute'))
      from pg_roles r, unnest($3::text[]) f where r.rolname = $2)::text as lets_read,
    (select sum(pg_tablespace_size(oid)) from pg_tablespace)::text as bytes,
    (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global'))::text as tablespaces`;

/** Reads only. @throws NotPrimary @throws DatabaseUnreachable */
export async function primaryKeeps(ask: {
  member: Member;
  slot: string;
  replicationUser: string;
}): Promise<Found & PrimaryKept> {
  const { member, slot, replicationUser } = ask;
  const { place } = await socketOf(member);
  const row = await withSession(place, 'postgres', 'primary-keeps', (client) =>
    one(client, question, [slot, replicationUser, readsFiles]),
  );
  if (row.standby === 'true')
    throw failure('NotPrimary', `the server on ${member.host} is a standby, expected the primary. Start again.`);
  const kept = await keptOf(member, row);
  return {
    ...kept,
    found: `${member.host} writes on timeline ${kept.timeline} at ${kept.lsn}, and still has its WAL from ${kept.keepsFrom} on; ${formatBytes(kept.bytes)} of data`,
    expected: 'a primary, and what it keeps',
  };
}

async function keptOf(member: Member, row: Row): Promise<PrimaryKept> {
  const segmentBytes = Number(row.segment_bytes);
  const timeline = Number(row.timeline);
  const lsn = row.lsn ?? '0/0';
  const held = new Set(
    (JSON.parse(row.segments ?? '[]') as string[]).map((name) => parseSegment(name, segmentBytes).number),
  );
  let first = segmentNumberAt(lsn, segmentBytes);
  while (held.has(first - 1)) first -= 1;
  const ancestors = await ancestorsOf(member, timeline);
  if (ancestors === undefined)
    throw failure(
      'ArchiveUnsound',
      `pg_wal of ${member.host} does not hold a readable history of its own timeline ${timeline}. Fetch it from the archive before a standby is made: it would not know where the timeline comes from.`,
    );
  return {
    host: member.host,
    timeline,
    ancestors,
    lsn,
    systemIdentifier: row.system_identifier ?? '',
    serverVersion: Number(row.server_version),
    segmentBytes,
    keepsFrom: formatLsn(BigInt(first) * BigInt(segmentBytes)),
    ...(row.slot == null ? {} : { slot: JSON.parse(row.slot) as PrimaryKept['slot'] }),
    fullPageWrites: row.full_page_writes === 'on',
    letsRead: row.lets_read === 'true',
    bytes: Number(row.bytes),
    tablespaces: Number(row.tablespaces),
  };
}
