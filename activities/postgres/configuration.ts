/** The private configuration of a server beside the live one. Nothing of the source's own configuration is used. */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecoveryTarget } from '../../recovery/archive.ts';
import { quoted } from '../quoted.ts';
import type { ControlData } from './control-data.ts';
import { exists, type Places, scratchPort, writeWhole } from './scratch.ts';
import { settingLine } from './setting.ts';

export interface ScratchSettings {
  target: RecoveryTarget;
  control: ControlData;
  /** Raised above pg_control's when the WAL raises them. */
  raised: Record<string, number>;
  /** Nothing on it need survive a crash of the machine. */
  throwAway: boolean;
}

export async function writeConfiguration(places: Places, settings: ScratchSettings): Promise<void> {
  await keepSourceSettings(places);
  // These would be read after ours: the source's recovery targets, its primary_conninfo, its archive_command.
  await writeWhole(join(places.data, 'postgresql.auto.conf'), '');
  await rm(join(places.data, 'standby.signal'), { force: true });
  await writeWhole(places.hba, 'local all all trust\n');
  await writeWhole(places.ident, '');
  await writeWhole(places.configuration, linesOf(places, settings));
  // Without it, WAL in the directory would let the server come up writable on the source's own timeline.
  await writeWhole(join(places.data, 'recovery.signal'), '');
}

async function keepSourceSettings(places: Places): Promise<void> {
  const kept = join(places.directory, 'postgresql.auto.conf.of-the-source');
  const auto = join(places.data, 'postgresql.auto.conf');
  if (!(await exists(kept)) && (await exists(auto))) await copyFile(auto, kept);
}

function linesOf(places: Places, { target, control, raised, throwAway }: ScratchSettings): string {
  const settings: Record<string, string | number> = {
    data_directory: places.data,
    hba_file: places.hba,
    ident_file: places.ident,
    cluster_name: 'lifeboat',
    // Reached by the socket alone, whose directory is closed to all others.
    listen_addresses: '',
    port: scratchPort,
    // A list: outside of quotes a comma would begin another directory.
    unix_socket_directories: `"${places.socket.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    ssl: 'off',

    // Archiving on, without a command: the new timeline's history file is kept as .ready, and can be archived if the server goes live.
    // With archiving off it never would be, and the next recovery would quietly take the wrong branch. A command that fails would do
    // as well, but the server tries it three times, a second apart, before it stops.
    archive_mode: 'on',
    archive_command: '',
    primary_conninfo: '',
    primary_slot_name: '',
    synchronous_standby_names: '',

    // No jobs and no subscriptions: restored jobs would act on the world as if it were live.
    autovacuum: 'off',
    max_logical_replication_workers: 0,
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    // Origins of the source's subscriptions are loaded at start; too few slots for them would be a PANIC.
    max_replication_slots: 64,
    wal_level: 'replica',
    track_commit_timestamp: control.trackCommitTimestamp ? 'on' : 'off',

    hot_standby: 'on',
    restore_command: `${quoted(places.restoreCommand).replaceAll('%', '%%')} %f %p`,
    recovery_target_action: 'pause',
    ...targetSettings(target),
    ...leastSettings(control, raised),

    // Large buffers and rare restartpoints: replay is bound by one process.
    shared_buffers: buffers(),
    // In the data directory, so that it goes with it, even when the server is killed.
    dynamic_shared_memory_type: 'mmap',
    maintenance_work_mem: '256MB',
    max_wal_size: '64GB',
    checkpoint_timeout: '1d',
    wal_recycle: 'off',
    wal_init_zero: 'off',
    jit: 'off',
    fsync: throwAway ? 'off' : 'on',
    synchronous_commit: 'off',
    // A worker that dies leaves no query behind.
    client_connection_check_interval: '2s',

    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] ',
    log_min_messages: 'warning',
    // Values in statements are people's data.
    log_statement: 'none',
    log_min_error_statement: 'panic',
    log_parameter_max_length_on_error: 0,
    lc_messages: 'C',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
  };
  return `# Written by Lifeboat for a server beside the live one.\n${Object.entries(settings)
    .map(([name, value]) => settingLine(name, value))
    .join('\n')}\n`;
}

const megabyte = 1024 * 1024;

/**
 * An eighth of the memory that is free for use, and no more than 1 GB: the proofs read the same tables again and again, and a page that
 * fell out of the buffers is written, read and its checksum computed anew. On this host another server may be at work.
 */
function buffers(): string {
  const eighth = Math.floor(process.availableMemory() / 8 / megabyte);
  return `${Math.min(Math.max(eighth, 64), 1024)}MB`;
}

/** Always a target, always a numeric timeline: without them, a gap in the archive would end in a silent promotion. */
function targetSettings(target: RecoveryTarget): Record<string, string> {
  const timeline = { recovery_target_timeline: String(target.timeline) };
  return target.kind === 'lsn'
    ? { ...timeline, recovery_target_lsn: target.lsn, recovery_target_inclusive: target.inclusive ? 'on' : 'off' }
    : { ...timeline, recovery_target_time: withOffset(target.at), recovery_target_inclusive: 'on' };
}

/** "Z" is an abbreviation of a zone, and abbreviations are not known yet while PostgreSQL reads its configuration. */
function withOffset(at: string): string {
  return at.replace(/Z$/, '+00');
}

/** A hot standby does not start with less than its primary had. */
function leastSettings(control: ControlData, raised: Record<string, number>): Record<string, number> {
  const least = Object.entries(control.minima).map(([name, value]) => {
    const own = name === 'max_connections' ? 20 : 0;
    return [name, Math.max(own, Number.isNaN(value) ? 0 : value, raised[name] ?? 0)] as const;
  });
  return Object.fromEntries(least.filter(([, value]) => value > 0));
}
