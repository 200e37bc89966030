/** What was found of a timeline, as short marks in the tree; the sentences, and what to do, come below it. */
import { formatNumberOf } from '../../evidence/format.ts';
import { oneLine } from '../../evidence/render/text.ts';
import type { Finding, FindingKind } from '../../recovery/diagnosis.ts';
import { timelineOf } from '../../recovery/segments.ts';
import type { Ink } from './ink.ts';

/** Of a timeline, or of a file of it. The tree itself shows gaps, branches that cannot be recovered, and backups. */
const marks: Partial<Record<FindingKind, (subject: string) => string>> = {
  'no-history': (file) => `${file} is missing`,
  'history-corrupt': (file) => `${file} cannot be read`,
  'impossible-fork': () => 'cannot have begun there',
  'number-used-twice': () => 'its number was used twice',
  'histories-contradict': () => 'its history contradicts that of its parent',
  'fork-segment-missing': () => 'its first segment is missing',
  'fork-differs': (segment) => `${segment} is of another promotion`,
  'other-branch': (segment) => `${segment} is of another branch`,
  'archive-ahead': (segment) => `${segment} is ahead of the service`,
  'archiving-fails': (segment) => `${segment} cannot be archived`,
  'stored-twice': (segment) => `${segment} is stored twice`,
  'stray-partial': (segment) => `${segment}.partial belongs nowhere`,
  'foreign-segment': (segment) => `${segment} is of another cluster`,
  'segment-size': (segment) => `${segment} has another size`,
  'misplaced-segment': (segment) => `${segment} is another one`,
  'damaged-segment': (segment) => `${segment} is damaged`,
};

/** More of them say nothing new here. */
const most = 4;

export function marksOf(findings: readonly Finding[], timeline: number, ink: Ink): string[] {
  const lines = findings.flatMap(({ kind, threatens, subjects: [subject] }) => {
    const words = marks[kind];
    if (words === undefined || subject === undefined || timelineIn(subject) !== timeline) return [];
    const mark = `${threatens ? '✗' : '!'} ${words(oneLine(fileName(subject)))}`;
    return [ink(mark, threatens ? 'red' : 'yellow')];
  });
  const more = lines.length - most;
  return more > 0 ? [...lines.slice(0, most), `… and ${formatNumberOf(more, 'more finding')} …`] : lines;
}

/** Of `timeline 2`, `00000002.history`, or the name of a segment. */
function timelineIn(subject: string): number | undefined {
  const [, named] = /^timeline (\d+)$/.exec(subject) ?? [];
  if (named !== undefined) return Number(named);
  const file = fileName(subject);
  return /^[0-9A-F]{8}(\.history$|[0-9A-F]{16})/.test(file) ? timelineOf(file) : undefined;
}

function fileName(subject: string): string {
  return subject.slice(subject.lastIndexOf('/') + 1);
}
