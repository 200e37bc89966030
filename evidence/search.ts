/** What a search of the WAL has found, in the words that every rendering shares. */
import { formatBytes, formatCount, formatDate, formatNumberOf } from './format.ts';

/** What a transaction has done to one relation. */
export interface Effect {
  what: 'deleted' | 'updated' | 'truncated' | 'dropped' | 'dropped database' | 'rewritten' | 'replaced';
  relation: string;
  rows?: number;
  /** The number of rows is an estimate. */
  about?: true;
  bytes?: number;
  inserted?: number;
  /** Which catalog knew the name. */
  namedBy: 'live catalog' | 'restored catalog' | 'nobody';
}

export interface Finding {
  /** Number of the transaction, 32 bits. */
  transaction: number;
  /** UTC, microseconds. */
  at: string;
  effects: Effect[];
  /** Rows that are no more what they were; 0: nothing is lost. */
  weight: number;
  /** Just before it: everything up to here, and nothing of it. */
  target: { kind: 'lsn'; lsn: string; inclusive: false; timeline: number };
  prepared?: true;
  /** It had begun before the WAL that was read: at least so much. */
  partly?: true;
}

export interface Search {
  /** UTC. */
  from: string;
  to: string;
  timeline: number;
  segments: { first: string; last: string; read: number };
  /** Committed in that time. */
  transactions: number;
  leastRows: number;
  table?: string;
  order: 'weight' | 'time';
  findings: Finding[];
  /** Not listed: beyond the limit. */
  more: number;
  notes: string[];
}

/** `14:03:07.221Z`; cut, not rounded: what is told must not lie after it. */
function momentOf(at: string): string {
  return `${at.slice(11, 23)}Z`;
}

/** `transaction 4711 at 14:03:07.221Z deleted 81,204 rows of public.orders` */
export function findingSentence({ transaction, at, effects, prepared, partly }: Finding): string {
  const who = `${prepared ? 'prepared ' : ''}transaction ${transaction} at ${momentOf(at)}`;
  const shown = effects.slice(0, mostEffects).map((effect) => effectWords(effect, partly === true));
  const rest = effects.length - shown.length;
  return `${who} ${[...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(', ')}`;
}

const mostEffects = 6;

function effectWords(effect: Effect, partly: boolean): string {
  const { what, relation, rows = 0, inserted } = effect;
  const atLeast = partly ? 'at least ' : '';
  const then = inserted === undefined ? '' : `, and inserted ${formatNumberOf(inserted, 'row')}`;
  switch (what) {
    case 'deleted':
    case 'updated':
      return `${what} ${atLeast}${formatNumberOf(rows, 'row')} of ${relation}${then}`;
    case 'truncated':
    case 'dropped':
      return `${what} ${relation}${sizeWords(effect)}${then}`;
    case 'dropped database':
      return `dropped database ${relation}`;
    case 'rewritten':
      return `rewrote ${relation} (no row is lost by that)`;
    case 'replaced':
      return `dropped, emptied or rewrote ${relation}${sizeWords(effect)}`;
  }
}

function sizeWords({ rows, bytes }: Effect): string {
  if (rows !== undefined) return ` (about ${formatNumberOf(rows, 'row')})`;
  return bytes === undefined ? '' : ` (${formatBytes(bytes)})`;
}

/** What follows the position: `on timeline 1, not included`. */
export function targetWords({ target: { timeline } }: Finding): string {
  return `on timeline ${timeline}, not included`;
}

/** Whose names these are: `live catalog`, or several. */
export function namesOf({ effects }: Finding): string {
  return [...new Set(effects.map(({ namedBy }) => namedBy))].join(', ');
}

/** What was searched, in one sentence. */
export function searchSentence({ from, to, segments, transactions, leastRows, table }: Search): string {
  const read = `${formatNumberOf(segments.read, 'segment')} read, ${segments.first} to ${segments.last}`;
  const whose = table === undefined ? '' : `, only ${table}`;
  return `From ${from} to ${to}: ${read}; ${formatNumberOf(transactions, 'transaction')}; told from ${formatCount(leastRows)} rows of a table on${whose}.`;
}

export function countSentence({ findings, more }: Search): string {
  if (findings.length === 0) return 'Nothing in it looks like a disaster.';
  const days = [...new Set(findings.map(({ at }) => formatDate(at)))];
  const rest = more === 0 ? '' : `, and ${formatCount(more)} more that are not listed`;
  return `${formatNumberOf(findings.length, 'transaction')}${rest}, ${days.join(' and ')}, UTC`;
}
