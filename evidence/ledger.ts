/** What the database that was set aside holds and the recovered one does not, in the words that every rendering shares. */
import { formatBytes, formatCount, formatMoment, formatNumberOf } from './format.ts';

/** A file with rows of people's data: it lies in the evidence store, and nowhere in a history, a log or a message. */
export interface LedgerFile {
  /** `public.orders.csv` */
  name: string;
  /** `s3://bucket/key`; a path on the host where the store did not take it. */
  location: string;
  /** Hex. */
  sha256: string;
  bytes: number;
}

export interface LedgerTable {
  /** As PostgreSQL writes its name. */
  table: string;
  /** How rows are told apart. Without a primary key whole rows are counted, and none can be called changed. */
  by: 'primary key' | 'whole rows';
  /** Columns of the primary key. */
  key?: string[];
  /** In the old database, not in the recovered one. */
  missing: number;
  /** In both, with another content. */
  changed: number;
  /** Only in the recovered database. */
  new: number;
  /** What has to be known to read the numbers. */
  notes: string[];
  file?: LedgerFile;
}

/** What a transaction did that the recovered database does not have, by WAL alone. */
export interface LedgerCounts {
  table: string;
  inserted: number;
  updated: number;
  deleted: number;
}

export interface Ledger {
  /** `WAL`: there was no room for a copy, so no row was read. */
  source: 'copy' | 'WAL';
  host: string;
  /** Of the directory that was set aside. */
  directory: string;
  /** When the recovered database was looked at, UTC: it may have been written to again by then. */
  at: string;
  /** How the copy was made: `a reflink, which takes no room`. */
  how: string;
  tables: LedgerTable[];
  /** From WAL: committed after the target. */
  transactions?: number;
  counts?: LedgerCounts[];
  notes: string[];
}

/** `public.orders: 3 missing, 1 changed, 12 new` */
export function tableSentence({ table, by, missing, changed, new: added }: LedgerTable): string {
  const how = by === 'whole rows' ? 'whole rows, ' : '';
  const other = by === 'whole rows' ? '' : `${formatCount(changed)} changed, `;
  return `${table}: ${how}${formatCount(missing)} missing, ${other}${formatCount(added)} new`;
}

/** `public.orders: 3 rows inserted, 1 updated, 0 deleted` */
export function countsSentence({ table, inserted, updated, deleted }: LedgerCounts): string {
  return `${table}: ${formatNumberOf(inserted, 'row')} inserted, ${formatCount(updated)} updated, ${formatCount(deleted)} deleted`;
}

/** The ledger in one sentence. */
export function ledgerSentence(ledger: Ledger): string {
  if (ledger.source === 'WAL')
    return `${formatNumberOf(ledger.transactions ?? 0, 'transaction')} after the target ${(ledger.transactions ?? 0) === 1 ? 'is' : 'are'} not in the recovered database; which rows is not known, because there was no room for a copy.`;
  const sum = (of: (table: LedgerTable) => number) => ledger.tables.reduce((total, table) => total + of(table), 0);
  const [missing, changed] = [sum((one) => one.missing), sum((one) => one.changed)];
  if (missing + changed === 0) return 'The recovered database holds every row of the old one, as it was there.';
  return `${formatNumberOf(missing, 'row')} of the old database ${missing === 1 ? 'is' : 'are'} missing in the recovered one, ${formatCount(changed)} ${changed === 1 ? 'has' : 'have'} another content there.`;
}

/** Where it comes from. */
export function ledgerSource({ source, host, directory, at, how }: Ledger): string {
  const by =
    source === 'copy'
      ? `Compared on ${host} with a copy of ${directory} (${how}), as the recovered database was at ${formatMoment(at)}`
      : `Counted in the archived WAL, by ${host}; ${directory} was not read (${how})`;
  return `${by}. New are rows that only the recovered database has, among them all that was written since it is back.`;
}

/** `public.orders.csv, 12 kB` */
export function fileWords({ name, bytes }: LedgerFile): string {
  return `${name}, ${formatBytes(bytes)}`;
}

/** Of what follows first in a CSV file; a column that says what the line is. */
export const csvMeaning =
  'Lines say missing (as it was in the old database), was (of a changed row, in the old one) or is (in the recovered one). An empty field is NULL, "" an empty text: COPY .. WITH (FORMAT csv) reads it.';
