/**
 * The log of acknowledged writes: one JSON line for each attempt, one file a service and day (UTC, the writer's own clock).
 * It lies outside of the database, so that it can be held against what a recovery brought back.
 */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lsn } from '../../recovery/archive.ts';

/** The database confirmed the commit; from then on the service relies on it. */
export interface Acknowledged {
  number: number;
  /** The database's clock, UTC, microseconds. */
  at: string;
  /** `pg_current_wal_lsn()` read after the commit; absent when the connection broke just then. */
  lsn?: Lsn;
  timeline?: number;
}

/** Not acknowledged. `unknown`: the connection broke after it was sent, it may have been committed. */
interface Failed {
  failed: true;
  /** The writer's own clock: the database's could not be asked. */
  at: string;
  clock: 'own';
  error: string;
  number?: number;
  unknown?: true;
}

/** Rows before this moment are deleted from the table from now on; written before the first of them goes. */
interface Forgotten {
  forgotten: string;
}

export type Entry = Acknowledged | Failed | Forgotten;

export interface LogFile {
  path: string;
  service: string;
  /** `2026-11-21` */
  day: string;
}

export function logFileName(service: string, at: Date): string {
  return `${service}-${at.toISOString().slice(0, 10)}.jsonl`;
}

/** Oldest first. @throws ENOENT the directory is not there */
export async function logFiles(directory: string): Promise<LogFile[]> {
  const names = await readdir(directory);
  return names
    .map((name) => ({ name, parts: /^([a-z][a-z0-9-]*)-(\d{4}-\d{2}-\d{2})\.jsonl$/.exec(name) }))
    .flatMap(({ name, parts }) =>
      parts?.[1] && parts[2] ? [{ path: join(directory, name), service: parts[1], day: parts[2] }] : [],
    )
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
}

/** Line by line, never a whole file in memory. A line that a crash has torn is left out. */
export async function* readLog(file: LogFile): AsyncGenerator<Entry> {
  const lines = createInterface({ input: createReadStream(file.path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    const entry = parseLine(line);
    if (entry !== undefined) yield entry;
  }
}

/** The highest number that was ever used, as far as the log goes; 0 when it is empty. */
export async function highestNumber(directory: string, service: string): Promise<number> {
  const files = (await logFiles(directory)).filter((file) => file.service === service).reverse();
  for (const file of files) {
    let highest = 0;
    for await (const entry of readLog(file))
      if ('number' in entry && entry.number !== undefined) highest = Math.max(highest, entry.number);
    if (highest > 0) return highest;
  }
  return 0;
}

/** The newest acknowledged pulse that the log holds. */
export async function newestAcknowledged(directory: string, service: string): Promise<Acknowledged | undefined> {
  const files = (await logFiles(directory)).filter((file) => file.service === service).reverse();
  for (const file of files) {
    let newest: Acknowledged | undefined;
    for await (const entry of readLog(file)) if (isAcknowledged(entry)) newest = entry;
    if (newest !== undefined) return newest;
  }
  return undefined;
}

export function isAcknowledged(entry: Entry): entry is Acknowledged {
  return !('failed' in entry) && !('forgotten' in entry);
}

function parseLine(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { number, at, failed, forgotten } = value as Record<string, unknown>;
  if (typeof forgotten === 'string') return true;
  return typeof at === 'string' && (failed === true || Number.isSafeInteger(number));
}
