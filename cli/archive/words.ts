/** An archive in words: whose it is, the tree, what was found. */
import { formatBytes, formatCount, formatNumberOf } from '../../evidence/format.ts';
import { oneLine } from '../../evidence/render/text.ts';
import type { Finding } from '../../recovery/diagnosis.ts';
import type { ArchiveResult } from '../../workflows/archive.ts';
import type { Ink } from './ink.ts';
import { remedyOf } from './remedies.ts';
import { treeOf } from './tree.ts';

const width = 80;

export function archiveInWords(archive: ArchiveResult, ink: Ink): string {
  return [
    ...headingOf(archive, ink),
    '',
    ...(archive.branches.length === 0 ? ['No timeline: the archive is empty.'] : treeOf(archive, ink)),
    '',
    ...readOf(archive),
    ...archive.notes.flatMap((note) => wrapped(oneLine(note), '')),
    '',
    ...findingsOf(archive, ink),
  ].join('\n');
}

function headingOf(archive: ArchiveResult, ink: Ink): string[] {
  const { service, stanza, systemIdentifier, segmentBytes, timeline, lsn, silent } = archive;
  const megabytes = segmentBytes / 1024 ** 2;
  const now =
    silent === undefined
      ? `The service writes on timeline ${timeline}, at ${lsn}.`
      : `The service does not answer (${oneLine(silent)}). What follows is what the archive alone tells: timeline ${timeline} is the newest in it.`;
  return [
    ink(`${service}: WAL archive of stanza ${stanza}`, 'bold'),
    `cluster ${systemIdentifier}, segments of ${megabytes} MB`,
    ...wrapped(now, ''),
  ];
}

function readOf({ read, segmentBytes }: ArchiveResult): string[] {
  const how = read.wholly
    ? `${formatNumberOf(read.segments, 'segment')} of ${formatCount(read.of)} were read whole (${formatBytes(read.segments * segmentBytes)}).`
    : `Of ${formatNumberOf(read.of, 'segment')} the names were read, of ${formatCount(read.segments)} at edges and forks the content; --deep reads all that a recovery needs.`;
  return wrapped(how, '');
}

function findingsOf(archive: ArchiveResult, ink: Ink): string[] {
  const { findings } = archive;
  const threats = findings.filter(({ threatens }) => threatens).length;
  if (findings.length === 0) return [ink('Sound: nothing was found that a recovery would meet.', 'green')];
  const others = findings.length - threats;
  const heading = [
    threats === 0
      ? 'nothing threatens a recovery'
      : `${threats} ${threats === 1 ? 'threatens' : 'threaten'} a recovery`,
    ...(others === 0 ? [] : [`${others} to know of`]),
  ];
  return [
    ink(`Findings: ${heading.join(', ')}`, threats > 0 ? 'red' : 'yellow'),
    ...findings.flatMap((finding) => ['', ...findingInWords(finding, archive, ink)]),
  ];
}

function findingInWords(finding: Finding, archive: ArchiveResult, ink: Ink): string[] {
  const { means, todo } = remedyOf(finding, archive);
  const [first = '', ...rest] = wrapped(oneLine(finding.seen), '  ');
  const mark = finding.threatens ? ink('✗', 'red') : ink('!', 'yellow');
  return [
    `${mark}${first.slice(1)}`,
    ...rest,
    ...wrapped(means, '    '),
    ...todo.flatMap((line) => (line.startsWith('$ ') ? [`      ${line}`] : wrapped(line, '    '))),
  ];
}

/** Breaks between words; a word that is longer than a line stays whole, so that it can be copied. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + longer.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = longer;
  }
  return [...lines, indent + line];
}
