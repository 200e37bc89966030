/** A file of rows, as `COPY .. WITH (FORMAT csv, HEADER)` would write it: every text in quotes, so that NULL and an empty text differ. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { stringify } from 'csv-stringify/sync';
import type { Value } from './rows.ts';

const style = { quoted_string: true, record_delimiter: 'unix', escape_formulas: false } as const;

export class CsvFile {
  readonly path: string;
  readonly #hash = createHash('sha256');
  readonly #out: ReturnType<typeof createWriteStream>;
  bytes = 0;
  lines = 0;

  /** Closed to all others: it holds people's data. */
  constructor(path: string, header: string[]) {
    this.path = path;
    this.#out = createWriteStream(path, { mode: 0o600 });
    // Met where it is awaited: at the next write, or at the end.
    this.#out.on('error', () => undefined);
    this.#put(header);
  }

  /** Waits while the disk is slower. */
  async line(values: Value[]): Promise<void> {
    this.lines += 1;
    if (this.#put(values)) return;
    if (this.#out.errored !== null) throw this.#out.errored;
    await once(this.#out, 'drain');
  }

  #put(values: Value[]): boolean {
    const bytes = Buffer.from(stringify([values], style));
    this.bytes += bytes.length;
    this.#hash.update(bytes);
    return this.#out.write(bytes);
  }

  /** @returns the hash of all of it, hex */
  async end(): Promise<string> {
    this.#out.end();
    await finished(this.#out);
    return this.#hash.digest('hex');
  }

  /** Leaves what is there to whoever removes the directory. */
  abandon(): void {
    this.#out.destroy();
  }
}
