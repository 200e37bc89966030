import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import type { Replication } from '../../plan/server-control.ts';
import { backupKind } from '../backups/kind.ts';
import type { ServerFacts } from '../contract.ts';
import { freeAt } from '../disk.ts';
import { failure } from '../failure.ts';
import { loadPermit } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { socketOf } from '../postgres/live-member.ts';
import { one, type Row, withSession } from '../postgres/session.ts';
import { resolveSecret } from '../secrets.ts';
import { timelineOfStandby } from './asked.ts';

const question = `
  select pg_is_in_recovery()::text as standby,
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
    (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text as lsn,
    (case when pg_is_in_recovery()
      then ${timelineOfStandby}
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end)::text as timeline,
    (select system_identifier::text from pg_control_system()) as system_identifier,
    current_setting('server_version_num') as server_version,
    pg_size_bytes(current_setting('wal_segment_size'))::text as segment_bytes,
    (select status from pg_stat_wal_receiver limit 1) as receiver,
    current_setting('primary_slot_name') as receiver_slot,
    case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() end as replay,
    current_setting('archive_mode') as archive_mode,
    current_setting('archive_command') as archive_command,
    coalesce(current_setting('archive_library', true), '') as archive_library,
    (select last_failed_wal from pg_stat_archiver
      where last_failed_time > coalesce(last_archived_time, '-infinity')) as failing,
    (select count(*) from pg_ls_archive_statusdir() where name like '%.ready')::text as waiting,
    current_setting('synchronous_standby_names') as synchronous,
    (select coalesce(jsonb_agg(jsonb_build_object('name', slot_name, 'kind', slot_type, 'active', active) order by slot_name), '[]')
      from pg_replication_slots)::text as slots,
    (select coalesce(jsonb_agg(jsonb_build_object('application', application_name, 'state', state,
        'slot', (select slot_name from pg_replication_slots where active_pid = pid)) order by application_name), '[]')
      from pg_stat_replication)::text as streams,
    current_setting('max_wal_senders') as senders,
    current_setting('max_replication_slots') as slot_room,
    (select sum(size) from pg_ls_waldir())::text as wal,
    (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())::text as sessions,
    (select count(*) from pg_prepared_xacts)::text as prepared`;

/**
 * What the live server on this host is, and that this host lets it be stopped and started. Reads only.
 *
 * @param ask.replication absent: how a standby connects is not looked at
 * @throws PlanInvalid @throws NotPermitted @throws SecretMissing the password of replication does not resolve here
 * @throws DatabaseUnreachable
 */
export async function serverFacts(ask: {
  member: Member;
  backups: PhysicalBackups;
  replication?: Replication;
}): Promise<ServerFacts> {
  const { member, backups, replication } = ask;
  const { permit } = await permitServerControl(member);
  await backupKind(backups).permitted(permit, backups);
  if (replication !== undefined) await canConnect(replication, member.host);
  return seenBy(member, backups);
}

/** The same of a server that nobody needs to stop here. Reads only. @throws NotPermitted @throws DatabaseUnreachable */
export async function memberFacts({
  member,
  backups,
}: {
  member: Member;
  backups: PhysicalBackups;
}): Promise<ServerFacts> {
  await backupKind(backups).permitted(await loadPermit(), backups);
  return seenBy(member, backups);
}

async function seenBy(member: Member, backups: PhysicalBackups): Promise<ServerFacts> {
  const { place } = await socketOf(member);
  const row = await withSession(place, 'postgres', 'server-facts', (client) => one(client, question));
  const timeline = Number(row.timeline);
  const history = await historyOf(member, timeline);
  const facts = factsOf(row, member.host, timeline);
  return {
    ...facts,
    ...(history === undefined ? {} : { history }),
    archiving: await archivingOf(row, backups),
    freeBytes: await freeAt(member.dataDirectory),
    found: `${facts.role} on timeline ${timeline} at ${facts.lsn}, ${facts.archiver.waiting} files wait for the archive`,
  };
}

/** What the old primary will connect with is looked for while nothing has been changed yet. */
export async function canConnect({ passfile, password }: Replication, host: string): Promise<void> {
  if (password !== undefined) await resolveSecret(password);
  if (passfile === undefined) return;
  await readFile(passfile).catch((error: Error) => {
    throw failure(
      'SecretMissing',
      `${passfile} cannot be read on ${host} by the database's own user (${error.message}); expected the password that a standby connects with. Correct database.replication.passfile, or put the file there.`,
    );
  });
}

async function historyOf({ dataDirectory }: Member, timeline: number): Promise<string | undefined> {
  const file = join(dataDirectory, 'pg_wal', historyName(timeline));
  const content = await readFile(file).catch(() => undefined);
  return content === undefined ? undefined : createHash('sha256').update(content).digest('hex');
}

export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

function factsOf(
  row: Row,
  host: string,
  timeline: number,
): Omit<ServerFacts, 'found' | 'history' | 'archiving' | 'freeBytes'> {
  const standby = row.standby === 'true';
  return {
    host,
    at: new Date().toISOString(),
    role: standby ? 'standby' : 'primary',
    timeline,
    systemIdentifier: row.system_identifier ?? '',
    serverVersion: Number(row.server_version),
    segmentBytes: Number(row.segment_bytes),
    lsn: row.lsn ?? '0/0',
    ...(standby
      ? {
          receiver: { state: row.receiver ?? 'none', ...(row.receiver_slot ? { slot: row.receiver_slot } : {}) },
          replay: row.replay ?? '',
        }
      : {}),
    archiver: { waiting: Number(row.waiting), ...(row.failing == null ? {} : { failing: row.failing }) },
    synchronousStandbys: row.synchronous ?? '',
    slots: JSON.parse(row.slots ?? '[]') as ServerFacts['slots'],
    streams: (
      JSON.parse(row.streams ?? '[]') as (Omit<ServerFacts['streams'][number], 'slot'> & { slot: string | null })[]
    ).map(({ slot, ...stream }) => ({ ...stream, ...(slot === null ? {} : { slot }) })),
    room: { wal: Number(row.wal), senders: Number(row.senders), slots: Number(row.slot_room) },
    sessions: Number(row.sessions),
    prepared: Number(row.prepared),
  };
}

/** The command itself is judged here: it may hold a key, and is in no result. */
export async function archivingOf(row: Row, backups: PhysicalBackups): Promise<ServerFacts['archiving']> {
  const mode = row.archive_mode ?? '';
  if (row.archive_library)
    return { mode, fit: false, why: 'it archives by a library (archive_library), which cannot be judged' };
  const wrong = backupKind(backups).archives(backups, row.archive_command ?? '');
  if (wrong !== undefined) return { mode, fit: false, why: `its archive_command ${wrong}` };
  if (mode === 'always' && !(await backupKind(backups).backsUpArchivingAlways(backups)))
    return {
      mode,
      fit: false,
      why: `its archive_mode is always, of which pgBackRest takes no backup unless ${backups.config} says archive-mode-check=n`,
    };
  return mode === 'on' || mode === 'always'
    ? { mode, fit: true, why: `it archives into stanza ${backups.stanza}` }
    : { mode, fit: false, why: `its archive_mode is ${mode}, expected on or always (a change of it needs a restart)` };
}
