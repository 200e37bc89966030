/** A timeline's history file: the ancestors, and where each was left. */
import type { TimelineInfo } from './archive.ts';
import { formatLsn, parseLsn } from './lsn.ts';

type Ancestors = TimelineInfo['ancestors'];

/** As strict as PostgreSQL: what it would refuse at the start of a recovery is refused here, before a byte is restored. */
const line = /^\s*(\d+)\s+([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})(?:\s.*)?$/;

/**
 * @returns what is wrong with it when PostgreSQL would not read it
 * @see PostgreSQL source, readTimeLineHistory in src/backend/access/transam/timeline.c
 */
export function parseHistory(text: string, timeline: number): { ancestors: Ancestors } | { problem: string } {
  const ancestors: Ancestors = [];
  // PostgreSQL would read half an LSN as a whole one.
  if (text !== '' && !text.endsWith('\n')) return { problem: 'its last line is cut off' };
  for (const [index, content] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(content)) continue;
    const [, id, forkLsn] = line.exec(content) ?? [];
    if (id === undefined || forkLsn === undefined)
      return { problem: `line ${index + 1} has no timeline and LSN: "${content.slice(0, 60)}"` };
    const before = ancestors.at(-1)?.timeline ?? 0;
    if (Number(id) <= before) return { problem: `timeline ${id} does not come after timeline ${before}` };
    ancestors.push({ timeline: Number(id), forkLsn: formatLsn(parseLsn(forkLsn)) });
  }
  const last = ancestors.at(-1);
  if (last === undefined) return { problem: 'it names no ancestor' };
  if (last.timeline >= timeline) return { problem: `it names timeline ${last.timeline} as an ancestor of ${timeline}` };
  return { ancestors };
}
