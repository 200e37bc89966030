/** Archives that no server has written: whole ones, to be damaged by the tests. */
import type { Anchor, BackupInfo, Repository } from '../../../recovery/archive.ts';
import { type ArchivedFile, historyName, readArchiveListing } from '../../../recovery/listing.ts';
import { formatLsn } from '../../../recovery/lsn.ts';
import { segmentName } from '../../../recovery/segments.ts';

export const megabyte = 1024 * 1024;
const systemIdentifier = '7710621364788803446';

export const lsnAt = (segment: number, offset = 0x100): string =>
  formatLsn(BigInt(segment) * BigInt(megabyte) + BigInt(offset));

/** Forks as segment numbers: timeline 2 begins in the first, timeline 3 in the second, and so on. */
export interface MadeUp {
  first: number;
  forks: number[];
  last: number;
}

/** Names of all segments that the archive of such a service holds, as `[timeline, number]`. */
export function segmentsOf({ first, forks, last }: MadeUp): [timeline: number, number: number][] {
  const begins = [first, ...forks];
  return begins.flatMap((begin, index) => {
    const end = begins[index + 1] === undefined ? last : (begins[index + 1] ?? 0) - 1;
    return Array.from({ length: Math.max(0, end - begin + 1) }, (_, offset): [number, number] => [
      index + 1,
      begin + offset,
    ]);
  });
}

export function fileOf(timeline: number, number: number, checksum = 'a'.repeat(40)): ArchivedFile {
  const name = segmentName({ timeline, number }, megabyte);
  return { name: `15-1/${name.slice(0, 16)}/${name}-${checksum}.zst`, bytes: 871 };
}

export function historiesOf(forks: number[]): Record<string, string> {
  return Object.fromEntries(
    forks.map((_, index) => [
      historyName(index + 2),
      forks
        .slice(0, index + 1)
        .map((fork, parent) => `${parent + 1}\t${lsnAt(fork)}\tno recovery target specified\n`)
        .join(''),
    ]),
  );
}

export function repositoryOf(
  files: ArchivedFile[],
  histories: Record<string, string>,
  backups: BackupInfo[] = [],
): Repository {
  const named = Object.keys(histories).map((name) => ({ name: `15-1/${name}`, bytes: 40 }));
  const listing = readArchiveListing([...files, ...named], histories, megabyte);
  return { ...listing, backups, segmentBytes: megabyte, systemIdentifier };
}

export function wholeRepository(madeUp: MadeUp, backups: BackupInfo[] = []): Repository {
  const files = segmentsOf(madeUp).map(([timeline, number]) => fileOf(timeline, number));
  return repositoryOf(files, historiesOf(madeUp.forks), backups);
}

/** A backup that started in one segment and ended in the next, `minute` minutes after noon. */
export function backupAt(segment: number, timeline = 1, minute = 0, more: Partial<BackupInfo> = {}): BackupInfo {
  return {
    label: `20261121-12${String(minute).padStart(2, '0')}00F`,
    type: 'full',
    startedAt: new Date(Date.UTC(2026, 10, 21, 12, minute)).toISOString(),
    stoppedAt: new Date(Date.UTC(2026, 10, 21, 12, minute, 30)).toISOString(),
    startLsn: lsnAt(segment, 0x28),
    stopLsn: lsnAt(segment + 1, 0x100),
    startWal: segmentName({ timeline, number: segment }, megabyte),
    stopWal: segmentName({ timeline, number: segment + 1 }, megabyte),
    timeline,
    bytes: 23_000_000,
    repositoryBytes: 2_800_000,
    error: false,
    tablespaces: [],
    ...more,
  };
}

export function anchorAt(segment: number, timeline = 1, more: Partial<Anchor> = {}): Anchor {
  return {
    lsn: lsnAt(segment, 0x200),
    timeline,
    at: '2026-11-21T12:10:00.000Z',
    systemIdentifier,
    source: 'standby db2, replay paused',
    tables: [],
    ...more,
  };
}
