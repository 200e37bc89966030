/** Reads back what runs have left: from the object store, and from the directory that stood in for it while it was down. */
import pMap from 'p-map';
import { type Evidence, evidenceSchema } from '../../evidence/evidence.ts';
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { filesBelow } from './directory.ts';
import { evidenceFile, indexFolder, kindFolder, runFolder, timeIn } from './layout.ts';
import { type ObjectStore, withStore } from './object-store.ts';
import type { StoredRun } from './stored-run.ts';

export type { StoredRun } from './stored-run.ts';

/** Requests at once; the store is asked for small objects only. */
const concurrency = 8;

/**
 * The evidence of a run; where a name was used more than once, that of the newest execution. `undefined` when there is none.
 *
 * @param run workflow id
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function readEvidence(store: EvidenceStore, service: string, run: string): Promise<Evidence | undefined> {
  const local = await filesBelow(store.directory, runFolder(service, run), evidenceFile);
  const stored = await withStore(store, (opened) => storedBytes(opened, runFolder(service, run))).catch((error) => {
    // What was written here while the store was down is read while it is still down.
    if (local.length > 0) return [];
    throw error;
  });
  return [...stored, ...local]
    .map((bytes) => evidenceIn(bytes, run))
    .filter((one) => one.run === run)
    .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt))[0];
}

async function storedBytes(opened: ObjectStore, folder: string): Promise<Uint8Array[]> {
  const keys = (await opened.list(folder)).filter((key) => key.endsWith(`/${evidenceFile}`));
  const found = await pMap(keys, (key) => opened.get(key), { concurrency });
  return found.filter((bytes) => bytes !== undefined);
}

/** @throws InputInvalid it is of another version */
export function evidenceIn(bytes: Uint8Array, run: string): Evidence {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (isEvidence(value)) return value;
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? String(value.schema) : 'none';
  throw failure(
    'InputInvalid',
    `the evidence of ${run} has the schema ${schema}, this Lifeboat reads ${evidenceSchema}. Read it with the version that wrote it, or a newer one.`,
  );
}

function isEvidence(value: unknown): value is Evidence {
  return typeof value === 'object' && value !== null && 'schema' in value && value.schema === evidenceSchema;
}

export interface RunKind {
  runbook: string;
  mode: string;
}

export interface RunsAsk {
  /** At most so many; the store is asked for no more than these. 100 when absent. */
  limit?: number;
  /** Only runs of this runbook in this mode. */
  kind?: RunKind;
  /** None that ended before. */
  since?: Date;
  /** Lines that were read before, by key: a line never changes, so it need not be asked for again. */
  known?: Map<string, StoredRun[]>;
}

/**
 * The runs of a service, newest first.
 *
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function listRuns(
  store: EvidenceStore,
  service: string,
  { limit = 100, kind, since, known = new Map() }: RunsAsk = {},
): Promise<StoredRun[]> {
  const folder = kind === undefined ? indexFolder(service) : kindFolder(service, kind);
  const stored = await withStore(store, async (opened) => {
    const keys = (await opened.list(folder, limit)).filter((key) => !endedBefore(timeIn(key), since));
    const read = async (key: string) => {
      const runs = known.get(key) ?? parseRun(await opened.get(key));
      if (runs.length > 0) known.set(key, runs);
      return runs;
    };
    const runs = await pMap(keys, read, { concurrency });
    for (const key of known.keys()) if (key.startsWith(folder) && !keys.includes(key)) known.delete(key);
    return runs;
  });
  const waiting = await waitingRuns(store, service, kind);
  const runs = [...stored.flat(), ...waiting].filter(({ endedAt }) => !endedBefore(endedAt, since));
  return newestOfEach(runs).slice(0, limit);
}

function endedBefore(at: string | undefined, since: Date | undefined): boolean {
  return at !== undefined && since !== undefined && Date.parse(at) < since.getTime();
}

/** Runs whose evidence waits in the directory of this machine, because the store did not take it. */
export async function waitingRuns(store: EvidenceStore, service: string, kind?: RunsAsk['kind']): Promise<StoredRun[]> {
  const local = await filesBelow(store.directory, indexFolder(service), '.json');
  const wanted = ({ runbook, mode }: StoredRun) =>
    kind === undefined || (runbook === kind.runbook && mode === kind.mode);
  return newestOfEach(local.flatMap(parseRun).filter(wanted));
}

/** A line that cannot be read hides one run, not all the others. */
function parseRun(bytes: Uint8Array | undefined): StoredRun[] {
  if (bytes === undefined) return [];
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isStoredRun(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isStoredRun(value: unknown): value is StoredRun {
  const needed = ['run', 'runId', 'runbook', 'mode', 'startedAt', 'endedAt', 'outcome', 'location'] as const;
  return (
    typeof value === 'object' &&
    value !== null &&
    needed.every((key) => key in value && typeof (value as Partial<StoredRun>)[key] === 'string') &&
    Array.isArray((value as Partial<StoredRun>).flags)
  );
}

/** A run that was reset ends twice: its later end counts. */
function newestOfEach(runs: StoredRun[]): StoredRun[] {
  const newestFirst = [...runs].sort((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt));
  const seen = new Set<string>();
  return newestFirst.filter(({ run, runId }) => {
    const known = seen.has(`${run} ${runId}`);
    seen.add(`${run} ${runId}`);
    return !known;
  });
}
