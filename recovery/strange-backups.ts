import type { BackupInfo, Oddity, Repository } from './archive.ts';
import { canExist } from './segments.ts';

/** Tells apart backups whose WAL cannot be of a cluster with segments of this size: somebody else's stanza, by its configuration. */
export function withoutStrangeBackups(
  listed: readonly BackupInfo[],
  segmentBytes: number,
): Pick<Repository, 'backups' | 'oddities'> {
  const strangeWal = ({ startWal, stopWal }: BackupInfo) =>
    [startWal, stopWal].find((name) => !canExist(name, segmentBytes));
  return {
    backups: listed.filter((backup) => strangeWal(backup) === undefined),
    oddities: listed.flatMap((backup): Oddity[] => {
      const name = strangeWal(backup);
      if (name === undefined) return [];
      const why = `backup ${backup.label} needs ${name}, which cannot exist with segments of ${segmentBytes} bytes`;
      return [{ kind: 'segment-size', name, why }];
    }),
  };
}
