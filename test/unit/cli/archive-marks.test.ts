/** Each kind of damage: it stands in the tree beside the timeline that has it, and below with what it means and what to do. */
import { expect, test } from 'vitest';
import { archiveInWords } from '../../../cli/archive/words.ts';
import type { Repository } from '../../../recovery/archive.ts';
import type { ContentFault } from '../../../recovery/content.ts';
import { diagnose, type FindingKind } from '../../../recovery/diagnosis.ts';
import { recoveryWindow } from '../../../recovery/window.ts';
import type { ArchiveResult } from '../../../workflows/archive.ts';
import { backupAt, fileOf, historiesOf, lsnAt, type MadeUp, repositoryOf, segmentsOf } from '../recovery/made-up.ts';

/** Timelines 1, 2 and 3, one after the other; the service writes on 3. */
const service: MadeUp = { first: 3, forks: [10, 20], last: 25 };
const segment = (timeline: number, number: number) =>
  `${String(timeline).padStart(8, '0')}00000000${number.toString(16).toUpperCase().padStart(8, '0')}`;

function archiveOf(damage: Damage): string {
  const files = segmentsOf(service)
    .map(([timeline, number]) => fileOf(timeline, number))
    .filter(({ name }) => !damage.without?.some((one) => name.includes(one)));
  const histories = { ...historiesOf(service.forks), ...damage.histories };
  for (const name of damage.without ?? []) delete histories[name];
  const repository: Repository = repositoryOf([...files, ...(damage.files ?? [])], histories, [backupAt(4)]);
  const faults = damage.faults ?? [];
  const { timelines, backups, segmentBytes, systemIdentifier } = repository;
  const archive: ArchiveResult = {
    service: 'orders',
    stanza: 'orders',
    config: '/etc/pgbackrest/pgbackrest.conf',
    systemIdentifier,
    segmentBytes,
    timeline: 3,
    lsn: lsnAt(26),
    branches: timelines.map((info) => {
      const { from, to, gaps } = recoveryWindow(repository, [], info.id);
      return { ...info, window: { ...(from && { from }), ...(to && { to }), gaps } };
    }),
    backups,
    anchors: [],
    read: { segments: 12, of: 40, wholly: false },
    findings: diagnose(repository, 3, { anchors: [], faults }),
    notes: [],
  };
  return archiveInWords(archive, (text) => text);
}

interface Damage {
  kind: FindingKind;
  /** In the tree. */
  mark: string;
  /** Of which timeline. */
  at: number;
  without?: string[];
  histories?: Record<string, string>;
  files?: ReturnType<typeof fileOf>[];
  faults?: ContentFault[];
}

const fault = (kind: ContentFault['kind'], timeline: number, number: number): ContentFault[] => [
  { kind, segment: segment(timeline, number), seen: `${segment(timeline, number)} is what it should not be` },
];
const history = (...lines: [timeline: number, number: number][]) =>
  lines.map(([timeline, number]) => `${timeline}\t${lsnAt(number)}\tno recovery target\n`).join('');

const damages: Damage[] = [
  { kind: 'no-history', mark: '✗ 00000003.history is missing', at: 3, without: ['00000003.history'] },
  { kind: 'no-history', mark: '✗ 00000002.history is missing', at: 2, without: ['00000002.history'] },
  {
    kind: 'history-corrupt',
    mark: '✗ 00000003.history cannot be read',
    at: 3,
    histories: { '00000003.history': '1\t0' },
  },
  {
    kind: 'impossible-fork',
    mark: '✗ cannot have begun there',
    at: 3,
    histories: { '00000003.history': history([1, 10], [2, 9]) },
  },
  { kind: 'number-used-twice', mark: '✗ its number was used twice', at: 2, files: [fileOf(2, 7)] },
  {
    kind: 'histories-contradict',
    mark: '✗ its history contradicts that of its parent',
    at: 3,
    histories: { '00000003.history': history([1, 12], [2, 20]) },
  },
  { kind: 'fork-segment-missing', mark: '✗ its first segment is missing', at: 3, without: [segment(3, 20)] },
  { kind: 'stored-twice', mark: `✗ ${segment(2, 12)} is stored twice`, at: 2, files: [fileOf(2, 12, 'b'.repeat(40))] },
  {
    kind: 'stray-partial',
    mark: `! ${segment(2, 12)}.partial belongs nowhere`,
    at: 2,
    files: [{ ...fileOf(2, 12), name: fileOf(2, 12).name.replace(`${segment(2, 12)}-`, `${segment(2, 12)}.partial-`) }],
  },
  { kind: 'gap', mark: `gap: 1 segment ${segment(2, 12)}`, at: 2, without: [segment(2, 12)] },
  {
    kind: 'orphan',
    mark: 'cannot be recovered',
    at: 7,
    histories: { '00000007.history': history([6, 11]) },
    files: [fileOf(7, 11)],
  },
  {
    kind: 'foreign-segment',
    mark: `✗ ${segment(2, 12)} is of another cluster`,
    at: 2,
    faults: fault('foreign-segment', 2, 12),
  },
  {
    kind: 'foreign-segment',
    mark: `! ${segment(1, 3)} is of another cluster`,
    at: 1,
    faults: fault('foreign-segment', 1, 3),
  },
  {
    kind: 'misplaced-segment',
    mark: `✗ ${segment(3, 22)} is another one`,
    at: 3,
    faults: fault('misplaced-segment', 3, 22),
  },
  { kind: 'damaged-segment', mark: `✗ ${segment(3, 22)} is damaged`, at: 3, faults: fault('damaged-segment', 3, 22) },
  {
    kind: 'other-branch',
    mark: `✗ ${segment(3, 22)} is of another branch`,
    at: 3,
    faults: fault('other-branch', 3, 22),
  },
  {
    kind: 'fork-differs',
    mark: `✗ ${segment(3, 20)} is of another promotion`,
    at: 3,
    faults: fault('fork-differs', 3, 20),
  },
];

/** The lines of a timeline in the tree, from its head to that of the next one. */
function linesOf(tree: string, timeline: number): string {
  const lines = tree.slice(tree.indexOf('\n\n')).split('\n');
  const heads = lines.flatMap((line, index) => (/[●○◆] timeline \d/.test(line) ? [index] : []));
  const head = heads.find((index) => new RegExp(`timeline ${timeline}(,|$)`).test(lines[index] ?? ''));
  if (head === undefined) throw new Error(`timeline ${timeline} is not in\n${tree}`);
  return lines
    .slice(
      head,
      heads.find((index) => index > head),
    )
    .join('\n');
}

test.each(damages)(
  '$kind of timeline $at stands at its timeline, with what it means and what to do below',
  (damage) => {
    const [tree = '', findings = ''] = archiveOf(damage).split(/^Of \d+ segments the names/m);
    expect(linesOf(tree, damage.at)).toContain(damage.mark);
    for (const other of [1, 2, 3].filter((one) => one !== damage.at))
      expect(linesOf(tree, other)).not.toContain(damage.mark);
    const told = findings.slice(findings.indexOf('Findings: '));
    expect(told).toMatch(/^[✗!] /m);
    // What it means, indented; then what to do.
    expect(told).toMatch(/^ {4}\S/m);
  },
);

test('of a hundred damaged segments the first few are marked, and the rest are counted', () => {
  const faults = Array.from({ length: 6 }, (_, index) => fault('damaged-segment', 3, 20 + index)).flat();
  const tree = archiveOf({ kind: 'damaged-segment', mark: '', at: 3, faults });
  expect(linesOf(tree, 3).match(/✗ 0{7}3\w+ is damaged/g)).toHaveLength(4);
  expect(linesOf(tree, 3)).toContain('… and 2 more findings …');
});

test('an archive that nobody has damaged has no marks', () => {
  expect(archiveOf({ kind: 'gap', mark: '', at: 1 })).not.toMatch(/[✗!] /);
});
