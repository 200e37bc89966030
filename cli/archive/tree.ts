/** The tree of timelines, drawn for a terminal of 80 columns. */
import { formatNumberOf } from '../../evidence/format.ts';
import { gapsOf } from '../../recovery/gaps.ts';
import { segmentAt, timelineOf } from '../../recovery/segments.ts';
import type { ArchiveResult, Branch } from '../../workflows/archive.ts';
import type { Ink } from './ink.ts';
import { marksOf } from './marks.ts';

/** Of what there is much, the newest are shown; `--json` has all. */
const mostBackups = 4;
const mostRuns = 7;

export function treeOf(archive: ArchiveResult, ink: Ink): string[] {
  const known = new Set(archive.branches.map(({ id }) => id));
  const way = new Set([archive.timeline, ...(branchOf(archive, archive.timeline)?.ancestors ?? []).map(idOf)]);
  const childrenOf = (id: number) => archive.branches.filter(({ parent }) => parent === id);
  const draw = (branch: Branch, prefix: string): string[] => {
    const children = childrenOf(branch.id).sort((a, b) => a.id - b.id);
    const next = children.find(({ id }) => way.has(id)) ?? children.at(-1);
    const sides = children.filter((one) => one !== next);
    const [head = '', ...more] = wordsOf(archive, branch, ink);
    const bar = children.length > 0 ? '│' : ' ';
    return [
      `${prefix}${glyphOf(archive, branch, way.has(branch.id), ink)} ${head}`,
      ...more.map((line) => `${prefix}${bar}   ${line}`.trimEnd()),
      ...sides.flatMap((side) => {
        const [first = '', ...rest] = draw(side, '');
        return [`${prefix}├─${first}`, ...rest.map((line) => `${prefix}│ ${line}`)];
      }),
      ...(next === undefined ? [] : draw(next, prefix)),
    ];
  };
  return archive.branches
    .filter(({ parent }) => parent === undefined || !known.has(parent))
    .flatMap((root) => draw(root, ''));
}

function idOf({ timeline }: { timeline: number }): number {
  return timeline;
}

function branchOf({ branches }: ArchiveResult, timeline: number): Branch | undefined {
  return branches.find(({ id }) => id === timeline);
}

function glyphOf({ timeline }: ArchiveResult, { id }: Branch, onWay: boolean, ink: Ink): string {
  if (id === timeline) return ink('◆', 'green');
  return onWay ? ink('●', 'green') : '○';
}

function wordsOf(archive: ArchiveResult, branch: Branch, ink: Ink): string[] {
  const { id, promotedAt } = branch;
  const here = archive.silent === undefined ? `the service writes here, at ${archive.lsn}` : 'the newest';
  return [
    `${ink(`timeline ${id}`, 'bold')}${originOf(archive, branch)}`,
    ...(id === archive.timeline ? [ink(here, 'green')] : []),
    ...(promotedAt === undefined ? [] : [`promoted ${toSeconds(promotedAt)}`]),
    ...marksOf(archive.findings, id, ink),
    ...runsOf(archive, branch, ink),
    ...backupsOf(archive, id),
    ...anchorsOf(archive, id),
    ...windowOf(archive, branch, ink),
  ];
}

function originOf(archive: ArchiveResult, { id, parent, forkLsn, hasHistory }: Branch): string {
  if (parent !== undefined && forkLsn !== undefined)
    return `, left ${parent} at ${forkLsn}, in ${segmentAt(forkLsn, id, archive.segmentBytes)}`;
  return id === 1 || hasHistory ? '' : ', of unknown origin';
}

/** Segments and what is missing between them, in order. */
function runsOf(archive: ArchiveResult, { id, ranges }: Branch, ink: Ink): string[] {
  const missing = archive.branches.flatMap(({ window }) => window.gaps).filter((name) => timelineOf(name) === id);
  const gaps = gapsOf([...new Set(missing)].sort(), archive.segmentBytes);
  const runs = [
    ...ranges.map((run) => ({ ...run, words: `${spanIn(run)}  ${formatNumberOf(run.count, 'segment')}` })),
    ...gaps.map((run) => ({
      ...run,
      words: ink(`gap: ${formatNumberOf(run.count, 'segment')} ${spanIn(run)}`, 'red'),
    })),
  ].sort((a, b) => (a.first < b.first ? -1 : 1));
  if (runs.length === 0) return ['no segment'];
  const words = runs.map((run) => run.words);
  if (words.length <= mostRuns) return words;
  const ends = Math.floor(mostRuns / 2);
  return [...words.slice(0, ends), `… ${words.length - 2 * ends} more runs and gaps …`, ...words.slice(-ends)];
}

function spanIn({ first, last }: { first: string; last: string }): string {
  return first === last ? first : `${first} … ${last}`;
}

function backupsOf({ backups }: ArchiveResult, timeline: number): string[] {
  const here = backups.filter((one) => one.timeline === timeline);
  const shown = here.slice(-mostBackups);
  const older = here.length - shown.length;
  return [
    ...(older > 0 ? [`… ${formatNumberOf(older, 'older backup')} …`] : []),
    ...shown.map(
      ({ label, type, stoppedAt, error }) =>
        `backup ${label}${label.includes('_') ? '' : `, ${type}`}, ended ${toSeconds(stoppedAt)}${error ? ', damaged' : ''}`,
    ),
  ];
}

function anchorsOf({ anchors }: ArchiveResult, timeline: number): string[] {
  const here = anchors.filter((one) => one.timeline === timeline).sort((a, b) => (a.at < b.at ? 1 : -1));
  const newest = here[0];
  if (newest === undefined) return [];
  const older = here.length === 1 ? '' : `, and ${formatNumberOf(here.length - 1, 'older one')}`;
  return [`anchor at ${newest.lsn}, ${toSeconds(newest.at)}${older}`];
}

/** Told where a branch ends: of the timelines before, a part of it. */
function windowOf({ branches, timeline }: ArchiveResult, { id, window }: Branch, ink: Ink): string[] {
  if (id !== timeline && branches.some(({ parent }) => parent === id)) return [];
  if (window.from === undefined || window.to === undefined) return [ink('cannot be recovered', 'red')];
  return [
    `can be recovered from ${toSeconds(window.from.at)} to the end`,
    `of ${window.to.segment}, at ${window.to.lsn}`,
  ];
}

function toSeconds(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z');
}
