import type { PhysicalBackups } from '../../plan/schema.ts';
import type { BackupInfo, Repository } from '../../recovery/archive.ts';
import type { Permit } from '../permit.ts';
import type { Patience } from '../shapes.ts';
import { pgbackrest } from './pgbackrest.ts';

/** What Lifeboat needs of a tool for physical backups. Everything that is judged of a repository is judged in `recovery/`. */
export interface BackupKind {
  /** Asks for little, and soon says what is the matter. */
  answers(backups: PhysicalBackups, probe: Probe): Promise<unknown>;
  /** `tablespaces: false` leaves out where they lie, which is asked backup by backup. */
  repository(backups: PhysicalBackups, segmentBytes: number, wanted?: { tablespaces: boolean }): Promise<Repository>;
  /** Each archived segment by name, with the SHA-1 of its content. */
  checksums(backups: PhysicalBackups): Promise<Map<string, string>>;
  /** Fetches one file of the WAL archive; `false` when the archive proves that it is not there. */
  fetchWal(backups: PhysicalBackups, file: string, to: string): Promise<boolean>;
  /** Continues where a former attempt was ended. */
  restore(backups: PhysicalBackups, restore: Restore): Promise<void>;
  /** Finds the backup that a former attempt of this step has taken, or takes it. */
  backup(backups: PhysicalBackups, ask: { type: BackupInfo['type']; key: string } & Patience): Promise<BackupInfo>;
  /** Lines of POSIX sh that define `fetch_fast` and `fetch_proven`, see postgres/restore-command.ts. */
  fetchInShell(backups: PhysicalBackups, places: FetchPlaces, silentSeconds: number): Promise<string>;
  /** What keeps this archive_command from archiving into the plan's repository, in words; `undefined` when nothing does. */
  archives(backups: PhysicalBackups, command: string): string | undefined;
  /** Whether it takes backups of a primary that archived as a standby too (archive_mode = always). */
  backsUpArchivingAlways(backups: PhysicalBackups): Promise<boolean>;
  /** The restore_command of a standby in this data directory: it asks for single files, and tells an outage from absence. */
  restoreCommand(backups: PhysicalBackups, dataDirectory: string): string;
  version(): Promise<string>;
  permitted(permit: Permit, backups: PhysicalBackups): Promise<void>;
}

export interface Probe {
  /** How long the store may say nothing before it counts as away. */
  silentSeconds: number;
  stop?: AbortSignal;
}

export interface Restore extends Patience {
  label: string;
  bytes: number;
  throwAway: boolean;
  /** Looked at while it goes on: a failure ends it, and is thrown. */
  refuse: () => Promise<Error | undefined>;
  data: string;
  tablespaces: string;
  /** Private to this restore: logs, locks, the queue of fetched segments. */
  log: string;
  lock: string;
  spool: string;
  directory: string;
}

export type FetchPlaces = Pick<Restore, 'data' | 'log' | 'lock' | 'spool' | 'directory'>;

const backupKinds: Record<PhysicalBackups['kind'], BackupKind> = { pgbackrest };

export function backupKind(backups: PhysicalBackups): BackupKind {
  return backupKinds[backups.kind];
}
