/** One table of the old database, held against the same of the recovered one. */
import type { Client } from 'pg';
import type { LedgerTable } from '../../evidence/ledger.ts';
import { compareKeys } from '../../recovery/ledger/keys.ts';
import { countWholeRows, type Difference, differences } from '../../recovery/ledger/merge.ts';
import { failure } from '../failure.ts';
import { CsvFile } from './csv-file.ts';
import { type RowPlace, rowsByKey, type Value, valuesAt, wholeRows } from './rows.ts';
import { type Column, type Comparison, comparisonOf, tableOf } from './table.ts';

/** The two sessions, each in its snapshot. `old` is absent where the old server has no such database. */
export interface Sessions {
  old: Client | undefined;
  recovered: Client;
}

export interface Progress {
  table: string;
  rows: number;
}

/** What was found, and the file of rows that lies on the host; none when no row is worth writing down. */
export interface Compared {
  result: LedgerTable;
  csv?: CsvFile;
}

export async function compareTable(
  sessions: Sessions,
  wanted: string,
  path: string,
  { progress, onLines }: { progress: Progress; onLines: () => Promise<void> },
): Promise<Compared> {
  const old = sessions.old && (await tableOf(sessions.old, wanted));
  const recovered = await tableOf(sessions.recovered, wanted);
  const comparison = comparisonOf(old, recovered);
  Object.assign(progress, { table: wanted, rows: 0 });
  if (comparison === undefined)
    return {
      result: { table: wanted, by: 'whole rows', missing: 0, changed: 0, new: 0, notes: ['neither of them has it'] },
    };
  const there = { old: old && sessions.old, recovered: recovered && sessions.recovered };
  const onPage = (rows: number) => {
    progress.rows += rows;
  };
  return comparison.key === undefined
    ? compareWhole(there, comparison, onPage)
    : compareKeyed(there, comparison, { path, onPage, onLines });
}

type There = { [K in keyof Sessions]: Client | undefined };

async function compareWhole(
  { old, recovered }: There,
  comparison: Comparison,
  onPage: (rows: number) => void,
): Promise<Compared> {
  const rowsOf = (client: Client | undefined) =>
    client === undefined ? nothing<{ key: string; content: string }>() : wholeRows(client, comparison, onPage);
  const byNumber = (a: string, b: string) => compareKeys([a], [b], ['number']);
  const { missing, added } = await countWholeRows(rowsOf(old), rowsOf(recovered), byNumber);
  const { name: table, notes } = comparison;
  return { result: { table, by: 'whole rows', missing, changed: 0, new: added, notes } };
}

interface Writing {
  path: string;
  onPage: (rows: number) => void;
  /** After each batch of lines: whether the disk has room for more. */
  onLines: () => Promise<void>;
}

async function compareKeyed({ old, recovered }: There, comparison: Comparison, writing: Writing): Promise<Compared> {
  const orders = comparison.key?.columns.map(({ order }) => order) ?? [];
  const rowsOf = (client: Client | undefined) =>
    client === undefined ? nothing<RowPlace>() : rowsByKey(client, comparison, writing.onPage);
  const counts = { missing: 0, changed: 0, new: 0, equal: 0 };
  const lines = new Lines({ old, recovered }, comparison, writing);
  try {
    const merged = differences(rowsOf(old), rowsOf(recovered), (a: string[], b: string[]) => compareKeys(a, b, orders));
    for await (const difference of merged) {
      counts[difference.what] += 1;
      if (difference.what === 'missing' || difference.what === 'changed') await lines.add(difference);
    }
    const csv = await lines.end();
    const { missing, changed, new: added } = counts;
    const { name: table, key, notes } = comparison;
    return {
      result: { table, by: 'primary key', ...(key && { key: key.names }), missing, changed, new: added, notes },
      ...(csv && { csv }),
    };
  } catch (error) {
    lines.abandon();
    throw error;
  }
}

async function* nothing<R>(): AsyncGenerator<R> {}

type Written = Exclude<Difference<RowPlace>, { what: 'new' | 'equal' }>;

/** Rows are long: as many are asked for at once as fit into a few megabytes. */
const mostRows = 500;
const mostBytes = 8 * 1024 * 1024;

/** Writes the rows that differ, once their values are read. */
class Lines {
  #csv: CsvFile | undefined;
  #waiting: Written[] = [];
  #bytes = 0;
  readonly #there: There;
  readonly #writing: Writing;
  /** All columns of the old one: a missing row is lost with all of them. */
  readonly #columns: Column[];
  readonly #shared: Column[];

  constructor(there: There, { shared, gone }: Comparison, writing: Writing) {
    this.#there = there;
    this.#writing = writing;
    this.#shared = shared;
    this.#columns = [...shared, ...gone];
  }

  async add(one: Written): Promise<void> {
    this.#waiting.push(one);
    this.#bytes += one.old.bytes + (one.what === 'changed' ? one.recovered.bytes : 0);
    if (this.#waiting.length >= mostRows || this.#bytes >= mostBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    const changed = batch.flatMap((one) => (one.what === 'changed' ? [one.recovered.place] : []));
    const { old, recovered } = this.#there;
    const was = old === undefined ? [] : await valuesAt(old, placesOf(batch), this.#columns);
    const is = recovered === undefined ? [] : await valuesAt(recovered, changed, this.#shared);
    this.#csv ??= new CsvFile(this.#writing.path, ['lifeboat', ...this.#columns.map(({ name }) => name)]);
    for (const [at, { what }] of batch.entries()) {
      await this.#csv.line([what === 'missing' ? 'missing' : 'was', ...valuesOf(was[at])]);
      if (what === 'changed') await this.#csv.line(['is', ...this.#padded(valuesOf(is.shift()))]);
    }
    await this.#writing.onLines();
  }

  #padded(values: Value[]): Value[] {
    return this.#columns.map((_column, at) => values[at] ?? null);
  }

  async end(): Promise<CsvFile | undefined> {
    if (this.#waiting.length > 0) await this.#flush();
    return this.#csv;
  }

  abandon(): void {
    this.#csv?.abandon();
  }
}

function placesOf(batch: Written[]): string[] {
  return batch.map(({ old }) => old.place);
}

function valuesOf(values: Value[] | undefined): Value[] {
  if (values === undefined) throw failure('Bug', 'a row of the snapshot was not found again at its place');
  return values;
}
