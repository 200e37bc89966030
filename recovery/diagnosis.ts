/** Everything that can be said of an archive: what threatens a recovery of the service, and what only should be known. */
import type { Anchor, BackupInfo, Lsn, Oddity, Repository } from './archive.ts';
import type { ContentFault } from './content.ts';
import { heldOf, type Span } from './continuity.ts';
import { gapsOf, incompleteBackups } from './gaps.ts';
import { historyName } from './listing.ts';
import { compareLsn } from './lsn.ts';
import { contains, neededNow } from './needed.ts';
import { parseSegment, segmentNumberAt } from './segments.ts';
import { type Flaw, flaws } from './soundness.ts';
import { liesOn, pathTo } from './timelines.ts';
import { type RecoveryWindow, recoveryWindow } from './window.ts';

export type FindingKind =
  | Flaw['kind']
  | Exclude<Oddity['kind'], 'history-corrupt'>
  | ContentFault['kind']
  | 'empty-archive'
  | 'no-backup'
  | 'no-way'
  | 'orphan'
  | 'gap'
  | 'backup-incomplete'
  | 'backup-damaged'
  | 'backup-aside'
  | 'newer-branch'
  | 'other-cluster'
  | 'archive-ahead'
  | 'archiving-fails';

export interface Finding {
  kind: FindingKind;
  /** Whether a recovery of the service to its newest point meets it. */
  threatens: boolean;
  /** One sentence. */
  seen: string;
  /** Names of files, segments, backups or timelines. */
  subjects: string[];
}

/** What the service says of itself, asked after the archive was listed. */
export interface Writer {
  timeline: number;
  lsn: Lsn;
  systemIdentifier: string;
  archiver?: { last?: string; failing?: string };
}

export interface Known {
  anchors: Anchor[];
  faults: ContentFault[];
  /** Absent when the service does not answer. */
  writer?: Writer;
}

/** Those that threaten a recovery come first. */
export function diagnose(repository: Repository, timeline: number, { anchors, faults, writer }: Known): Finding[] {
  const window = recoveryWindow(repository, anchors, timeline);
  const needed = neededNow(repository, timeline);
  const found = [
    ...emptiness(repository),
    ...(writer === undefined ? [] : contradictions(repository, writer)),
    ...flaws(repository, timeline).map(ofFlaw),
    ...oddities(repository, needed),
    ...contents(repository, needed, faults),
    ...gapFindings(repository, window, needed),
    ...backups(repository, window),
    ...branches(repository, timeline, window, writer !== undefined),
  ];
  return [...found.filter(({ threatens }) => threatens), ...found.filter(({ threatens }) => !threatens)];
}

function emptiness({ timelines, backups: listed }: Repository): Finding[] {
  const found: Finding[] = [];
  if (timelines.every(({ ranges }) => ranges.length === 0))
    found.push({ kind: 'empty-archive', threatens: true, seen: 'the archive holds no WAL segment', subjects: [] });
  if (listed.length === 0)
    found.push({ kind: 'no-backup', threatens: true, seen: 'the repository holds no backup', subjects: [] });
  return found;
}

/** What the archive holds cannot be the service's own. */
export function contradictions(repository: Repository, writer: Writer): Finding[] {
  const found: Finding[] = [];
  const { segmentBytes, systemIdentifier } = repository;
  if (writer.systemIdentifier !== systemIdentifier)
    found.push({
      kind: 'other-cluster',
      threatens: true,
      seen: `the repository is of another cluster: its system identifier is ${systemIdentifier}, the service's is ${writer.systemIdentifier}`,
      subjects: [],
    });
  const newest = repository.timelines.find(({ id }) => id === writer.timeline)?.ranges.at(-1)?.last;
  if (newest !== undefined && parseSegment(newest, segmentBytes).number > segmentNumberAt(writer.lsn, segmentBytes))
    found.push({
      kind: 'archive-ahead',
      threatens: true,
      seen: `the archive holds ${newest}, but the service has written timeline ${writer.timeline} only up to ${writer.lsn}: another server archives on the same timeline`,
      subjects: [newest],
    });
  const failing = writer.archiver?.failing;
  if (failing !== undefined) {
    const twin = contains(
      repository.timelines.flatMap(({ id }) => heldOf(repository, id)),
      failing,
      segmentBytes,
    )
      ? ", of which the archive holds one already: it may be another server's"
      : '';
    found.push({
      kind: 'archiving-fails',
      threatens: true,
      seen: `the service cannot archive ${failing}${twin}`,
      subjects: [failing],
    });
  }
  return found;
}

function ofFlaw({ kind, touches, seen, timeline }: Flaw): Finding {
  const file = kind === 'no-history' || kind === 'history-corrupt' ? historyName(timeline) : `timeline ${timeline}`;
  return { kind, threatens: touches === 'way', seen, subjects: [file] };
}

function oddities({ oddities: all, segmentBytes }: Repository, needed: Span[]): Finding[] {
  return all.flatMap(({ kind, name, why }): Finding[] => {
    // That of a timeline is told with what it means for the timeline; the first one has no history.
    if (kind === 'history-corrupt')
      return name === historyName(1) ? [{ kind: 'stranger', threatens: false, seen: why, subjects: [name] }] : [];
    const threatens = kind === 'stored-twice' && contains(needed, name, segmentBytes);
    return [{ kind, threatens, seen: why, subjects: name === '' ? [] : [name] }];
  });
}

function contents({ segmentBytes }: Repository, needed: Span[], faults: ContentFault[]): Finding[] {
  return faults.map(({ kind, segment, seen }) => ({
    kind,
    threatens: contains(needed, segment, segmentBytes),
    seen,
    subjects: [segment],
  }));
}

function gapFindings(repository: Repository, window: RecoveryWindow, needed: Span[]): Finding[] {
  return gapsOf(window.gaps, repository.segmentBytes).map(({ first, last, count }) => ({
    kind: 'gap',
    threatens: contains(needed, last, repository.segmentBytes),
    seen: `${count === 1 ? `segment ${first} is` : `${count} segments from ${first} to ${last} are`} not in the archive`,
    subjects: count === 1 ? [first] : [first, last],
  }));
}

function backups(repository: Repository, { reaches, timeline }: RecoveryWindow): Finding[] {
  const way = pathTo(repository, timeline);
  const onWay = repository.backups.filter((one) => liesOn(way, { timeline: one.timeline, lsn: one.stopLsn }));
  const newest = onWay.sort((a, b) => compareLsn(b.stopLsn, a.stopLsn))[0];
  const usable = reaches.some(({ to }) => to !== undefined);
  const finding = (kind: FindingKind, { label }: BackupInfo, threatens: boolean, seen: string): Finding => ({
    kind,
    threatens,
    seen: `backup ${label} ${seen}`,
    subjects: [label],
  });
  const damaged = repository.backups
    .filter(({ error }) => error)
    .map((one) => finding('backup-damaged', one, one === newest, 'met an error or damaged pages while it was taken'));
  const incomplete = incompleteBackups(repository).map(({ backup, missing }) =>
    finding(
      'backup-incomplete',
      backup,
      backup === newest || !usable,
      `lacks WAL that it needs itself: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', ...' : ''}`,
    ),
  );
  const aside = repository.backups
    .filter((one) => !onWay.includes(one))
    .map((one) =>
      finding(
        'backup-aside',
        one,
        false,
        `ended at ${one.stopLsn} on timeline ${one.timeline}, which does not lead to timeline ${timeline}`,
      ),
    );
  return [...damaged, ...incomplete, ...aside];
}

function branches(repository: Repository, timeline: number, window: RecoveryWindow, known: boolean): Finding[] {
  const way = new Set(pathTo(repository, timeline).map((stretch) => stretch.timeline));
  const aside = repository.timelines.filter(({ id }) => !way.has(id));
  const found: Finding[] = [];
  if (window.to === undefined && repository.backups.length > 0)
    found.push({
      kind: 'no-way',
      threatens: true,
      seen: `no backup leads to timeline ${timeline} with all the WAL that it needs`,
      subjects: [`timeline ${timeline}`],
    });
  for (const { id } of aside)
    if (recoveryWindow(repository, [], id).to === undefined)
      found.push({
        kind: 'orphan',
        threatens: false,
        seen: `timeline ${id} cannot be recovered: no backup leads to it with all the WAL that it needs`,
        subjects: [`timeline ${id}`],
      });
  const newer = aside.map(({ id }) => id).filter((id) => known && id > timeline);
  if (newer.length > 0)
    found.push({
      kind: 'newer-branch',
      threatens: false,
      seen: `timeline ${newer.join(', ')} is newer than ${timeline}, on which the service writes, and no part of its history`,
      subjects: newer.map((id) => `timeline ${id}`),
    });
  return found;
}
