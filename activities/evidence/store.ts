/** Reads back what runs have left: from the object store, and from the directory that stood in for it while it was down. */
import pMap from 'p-map';
import { type Evidence, evidenceSchema } from '../../evidence/evidence.ts';
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { filesBelow } from './directory.ts';
import { evidenceFile, indexFolder, runFolder } from './layout.ts';
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
  const stored = await withStore(store, (opened) => evidenceIn(opened, runFolder(service, run))).catch((error) => {
    // What was written here while the store was down is read while it is still down.
    if (local.length > 0) return [];
    throw error;
  });
  return [...stored, ...local]
    .map((bytes) => parseEvidence(bytes, run))
    .filter((one) => one.run === run)
    .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt))[0];
}

async function evidenceIn(opened: ObjectStore, folder: string): Promise<Uint8Array[]> {
  const keys = (await opened.list(folder)).filter((key) => key.endsWith(`/${evidenceFile}`));
  const found = await pMap(keys, (key) => opened.get(key), { concurrency });
  return found.filter((bytes) => bytes !== undefined);
}

function parseEvidence(bytes: Uint8Array, run: string): Evidence {
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

/**
 * The runs of a service, newest first.
 *
 * @param limit at most so many; the store is asked for no more than these
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function listRuns(store: EvidenceStore, service: string, limit = 100): Promise<StoredRun[]> {
  const stored = await withStore(store, async (opened) => {
    const keys = await opened.list(indexFolder(service), limit);
    return pMap(keys, (key) => opened.get(key), { concurrency });
  });
  const local = await filesBelow(store.directory, indexFolder(service), '.json');
  const runs = [...stored, ...local].flatMap((bytes) => parseRun(bytes));
  return newestOfEach(runs).slice(0, limit);
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
