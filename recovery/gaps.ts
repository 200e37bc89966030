/** Missing segments, told so that people can read it. */
import type { BackupInfo, Repository, SegmentRange } from './archive.ts';
import { missingOf, segmentsNeeded } from './continuity.ts';
import { parseSegment, segmentNumberAt } from './segments.ts';
import { pathTo } from './timelines.ts';

/** Names of segments, in order, as unbroken runs. */
export function gapsOf(names: readonly string[], segmentBytes: number): SegmentRange[] {
  const runs: SegmentRange[] = [];
  for (const name of names) {
    const open = runs.at(-1);
    const before = open && parseSegment(open.last, segmentBytes);
    const here = parseSegment(name, segmentBytes);
    if (open && before?.timeline === here.timeline && before.number + 1 === here.number) {
      open.last = name;
      open.count += 1;
    } else runs.push({ first: name, last: name, count: 1 });
  }
  return runs;
}

/** The same, but a run goes on across a fork: the WAL does. */
export function runsOf(names: readonly string[], segmentBytes: number): string[][] {
  const runs: string[][] = [];
  let expected: number | undefined;
  for (const name of names) {
    const { number } = parseSegment(name, segmentBytes);
    const open = runs.at(-1);
    if (open !== undefined && number === expected) open.push(name);
    else runs.push([name]);
    expected = number + 1;
  }
  return runs;
}

/** Backups that cannot become consistent, because segments between their start and their end are not there. */
export function incompleteBackups(repository: Repository): { backup: BackupInfo; missing: string[] }[] {
  const { segmentBytes } = repository;
  return repository.backups.flatMap((backup) => {
    const first = Math.min(
      parseSegment(backup.startWal, segmentBytes).number,
      segmentNumberAt(backup.startLsn, segmentBytes),
    );
    const last = parseSegment(backup.stopWal, segmentBytes).number;
    const spans = segmentsNeeded(pathTo(repository, backup.timeline), first, last, segmentBytes);
    const missing = missingOf(repository, spans);
    return missing.length === 0 ? [] : [{ backup, missing }];
  });
}
