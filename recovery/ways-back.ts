/** In which way a standby comes back: the cheapest one that the facts allow, and why each cheaper one was passed over. Pure. */
import type { BackupInfo, Lsn, Repository } from './archive.ts';
import { chooseBackup } from './choice.ts';
import { missingOf, segmentsNeeded, spansFor } from './continuity.ts';
import { type Around, divergence, type Past, type PrimaryKept, pathOf, type Way } from './rebuild.ts';
import { parseSegment, segmentAt, segmentNumberAt } from './segments.ts';
import { soundness } from './soundness.ts';

/** What speaks against each way, in sentences; empty: it can be gone. */
export function objections(around: Around): Record<Way, string[]> {
  return {
    reattach: againstReattaching(around),
    rewind: againstRewinding(around),
    restore: againstRestoring(around),
    basebackup: againstCopying(around),
  };
}

function nothingToGoOnWith({ standby, primary }: Around): string[] {
  const { host, directory, past } = standby;
  if (directory === 'gone') return [`the data directory of ${host} is gone`];
  if (past === undefined)
    return [`the data directory of ${host} has no readable pg_control, or not the history of its timeline`];
  if (past.systemIdentifier !== primary.systemIdentifier)
    return [`the data directory of ${host} is of another cluster (${past.systemIdentifier})`];
  return [];
}

function againstReattaching(around: Around): string[] {
  const { standby, primary } = around;
  const { past, host } = standby;
  const nothing = nothingToGoOnWith(around);
  if (past === undefined || nothing.length > 0) return nothing;
  const left = divergence(past, primary);
  if (left !== undefined)
    return [
      `${host} has left the line of ${primary.host} at ${left}: it stands at ${past.reached} on timeline ${past.timeline}`,
    ];
  if (past.as === 'primary' && !past.orderly)
    return [`${host} ended as a primary, and not in order: whether it has writes of its own is not certain`];
  const missing = notToBeHad(around, past.needsFrom);
  if (missing.length > 0) return [missingWords(around, missing)];
  const forks = missingForks(around, past);
  return forks.length === 0
    ? []
    : [
        `${host} would have to change its timeline, and ${forks.join(', ')} is not in the archive: it would go on with the old one past the fork`,
      ];
}

function repositoryOf({ archive, primary }: Around): Repository {
  if ('repository' in archive) return archive.repository;
  const { segmentBytes, systemIdentifier } = primary;
  return { backups: [], timelines: [], oddities: [], segmentBytes, systemIdentifier };
}

/** Segments that neither the archive nor the primary has. */
function notToBeHad(around: Around, from: Lsn): string[] {
  const { primary } = around;
  const { segmentBytes } = primary;
  const [first, last] = [from, primary.lsn].map((lsn) => segmentNumberAt(lsn, segmentBytes));
  const spans = segmentsNeeded(pathOf(primary), first ?? 0, last ?? 0, segmentBytes);
  return missingOf(repositoryOf(around), spans).filter((name) => !isKept(name, primary));
}

function isKept(name: string, { keepsFrom, segmentBytes }: PrimaryKept): boolean {
  return parseSegment(name, segmentBytes).number >= segmentNumberAt(keepsFrom, segmentBytes);
}

function missingWords({ archive, primary }: Around, missing: string[]): string {
  const first = missing.slice(0, 3).join(', ');
  const why = 'why' in archive ? ` (${archive.why})` : '';
  return `${missing.length} segments that it needs are neither in the archive${why} nor on ${primary.host} any more: ${first}`;
}

/** Without them PostgreSQL goes on with the old timeline's own segments past the fork, and says nothing. */
function missingForks(around: Around, past: Past): string[] {
  const { primary } = around;
  const begun = pathOf(primary).filter(({ timeline }) => timeline > past.timeline);
  const { timelines, segmentBytes } = repositoryOf(around);
  return begun
    .map(({ timeline, from }) => ({ timeline, segment: segmentAt(from, timeline, segmentBytes) }))
    .filter(({ timeline, segment }) => {
      const known = timelines.find(({ id }) => id === timeline);
      return !known?.hasHistory || !known.ranges.some(({ first, last }) => first <= segment && segment <= last);
    })
    .map(({ segment }) => segment);
}

function againstRewinding(around: Around): string[] {
  const { standby, primary } = around;
  const { past, host } = standby;
  const nothing = nothingToGoOnWith(around);
  if (past === undefined || nothing.length > 0) return nothing;
  if (divergence(past, primary) === undefined) return [`${host} has not left the line of ${primary.host}`];
  return [
    ...(standby.runs === 'no' ? [] : [`${host} runs, and pg_rewind can only be rehearsed on a server that is stopped`]),
    ...(past.orderly ? [] : [`${host} was not shut down in order`]),
    ...(past.timeline === primary.timeline
      ? [`both are on timeline ${past.timeline}, with different histories: pg_rewind would see no difference`]
      : []),
    ...(past.checksums || past.walLogHints
      ? []
      : [`${host} has neither page checksums nor wal_log_hints: changed hint bits would be missed`]),
    ...(primary.fullPageWrites ? [] : [`full_page_writes is off on ${primary.host}`]),
    ...(primary.letsRead
      ? []
      : [`the replication role may not read the files of ${primary.host} (docs/standby-rebuild.md has the grants)`]),
  ];
}

function againstRestoring(around: Around): string[] {
  const { archive, primary, place, keepFree } = around;
  if ('why' in archive) return [`the repository cannot be used: ${archive.why}`];
  const { repository } = archive;
  if (repository.systemIdentifier !== primary.systemIdentifier)
    return [`the repository is of another cluster (${repository.systemIdentifier})`];
  const backup = backupFor(repository, primary);
  if (backup === undefined) return [`no backup leads to timeline ${primary.timeline}`];
  const missing = missingOf(repository, spansFor(repository, backup, targetOn(primary)));
  const lost = missing.filter((name) => !isKept(name, primary));
  return [
    ...soundness(repository, primary.timeline, [backup]),
    ...(lost.length === 0 ? [] : [missingWords(around, lost)]),
    ...(backup.tablespaces.length === 0
      ? []
      : [`backup ${backup.label} has tablespaces outside of the data directory`]),
    ...[place.fixed, place.elsewhere].filter((why) => why !== undefined),
    ...(place.elsewhere !== undefined || place.freeBytes >= backup.bytes + keepFree
      ? []
      : ['there is no room for the restored directory beside the data directory']),
  ];
}

const targetOn = ({ lsn, timeline }: PrimaryKept) => ({ kind: 'lsn', lsn, inclusive: false, timeline }) as const;

/** The newest that leads to where the primary writes. */
export function backupFor(repository: Repository, primary: PrimaryKept): BackupInfo | undefined {
  return chooseBackup(repository, targetOn(primary)).backup;
}

function againstCopying({ primary, standby, place, keepFree }: Around): string[] {
  return [
    ...(place.fixed === undefined ? [] : [place.fixed]),
    ...(primary.tablespaces === 0 ? [] : [`${primary.host} has tablespaces outside of its data directory`]),
    ...(standby.freeBytes >= primary.bytes + keepFree
      ? []
      : [`there is no room for a copy of ${primary.host} on the disk of ${standby.host}'s data directory`]),
  ];
}
