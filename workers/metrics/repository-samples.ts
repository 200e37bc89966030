/** Pure: what is known of a repository, as Prometheus reads it. */
import type { BackupInfo } from '../../recovery/archive.ts';
import type { Sample, Samples } from './catalogue.ts';

export interface KnownRepository {
  service: string;
  /** Absent until it was looked at for the first time. */
  up?: boolean;
  /** What the last look that succeeded has found. */
  read?: {
    at: Date;
    from?: string;
    to: string | undefined;
    gaps: number;
    /** Those that can be recovered from. */
    backups: BackupInfo[];
    /** The database's clock, milliseconds since 1970, and `performance.now()` at that moment. */
    clock: { ms: number; at: number };
  };
}

/** @param monotonic `performance.now()`: the lag goes on growing while the repository is silent, whatever the clock of this host does */
export function samplesOf({ service, up, read }: KnownRepository, monotonic: number): Samples {
  const sample = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ labels: { service }, value }]);
  if (read === undefined) return { repositoryUp: sample(up === undefined ? undefined : Number(up)) };
  const { from, to, clock } = read;
  const now = clock.ms + (monotonic - clock.at);
  return {
    repositoryUp: sample(Number(up)),
    repositoryRead: sample(read.at.getTime() / 1000),
    recoveryWindowStart: sample(from === undefined ? undefined : Date.parse(from) / 1000),
    recoveryWindowEnd: sample(to === undefined ? undefined : Date.parse(to) / 1000),
    archiveLag: sample(to === undefined ? undefined : Math.max(0, now - Date.parse(to)) / 1000),
    archiveGaps: sample(read.gaps),
    lastBackup: ofNewest(service, read.backups, ({ stoppedAt }) => Date.parse(stoppedAt) / 1000),
    lastBackupSize: ofNewest(service, read.backups, ({ bytes }) => bytes),
  };
}

function ofNewest(service: string, backups: BackupInfo[], value: (backup: BackupInfo) => number): Sample[] {
  const newest = new Map<string, BackupInfo>();
  for (const backup of backups) {
    const other = newest.get(backup.type);
    if (other === undefined || other.stoppedAt < backup.stoppedAt) newest.set(backup.type, backup);
  }
  return [...newest].map(([type, backup]) => ({ labels: { service, type }, value: value(backup) }));
}
