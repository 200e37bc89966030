import { join } from 'node:path';
import type { Evidence } from '../../evidence/evidence.ts';
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';
import type { Found } from '../shapes.ts';
import { writeDurably } from './directory.ts';
import { type File, filesOf, sha256Of } from './files.ts';
import { stableJson } from './json.ts';
import { evidenceFile, executionFolder, indexFolder, newestFirst } from './layout.ts';
import { withStore } from './object-store.ts';
import { withoutSecrets } from './secrets-removed.ts';
import { endOf, listsOf, storedRun } from './stored-run.ts';
import { uploadWaiting } from './waiting.ts';

type Written = Found & { location: string; sha256: string };

/**
 * Writes evidence, report and a line in the list of runs, and reads the evidence back.
 *
 * Safe to repeat: the same evidence gives the same names and bytes. When the store does not take it, it goes to the plan's
 * directory and the result says so: a store that is down never stops the end of a run.
 * @throws StoreUnreachable neither the store nor the directory takes it
 */
export async function writeEvidence(ask: { store: EvidenceStore; evidence: Evidence }): Promise<Written> {
  const { clean: evidence, found } = withoutSecrets(ask.evidence, await storeSecrets(ask.store));
  const bytes = stableJson(evidence);
  const sha256 = sha256Of(bytes);
  const files = filesOf(evidence, bytes, sha256);
  const note = found === 0 ? '' : `; secrets were found in ${found} of its texts and removed: say where they came from`;
  try {
    const location = await inTime(toStore(ask.store, evidence, files, sha256));
    const later = await whatWaited(ask.store, evidence.service);
    return {
      location,
      sha256,
      found: `${location}, read back and equal${note}${later}`,
      expected: 'evidence in the store',
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const location = await toDirectory(ask.store, evidence, files, why);
    return {
      location,
      sha256,
      found: `${location} on this worker, not in the store: ${why}${note}`,
      expected: 'evidence in the store',
    };
  }
}

/** A store that takes minutes for each request must not keep a run from ending, milliseconds. */
const storeWithinMs = 60_000;

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the evidence store did not take it within ${storeWithinMs / 1000} s`)),
      storeWithinMs,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Now that the store takes something, what waits for it goes there too; that it cannot is no reason to fail. */
async function whatWaited(store: EvidenceStore, service: string): Promise<string> {
  const { uploaded, kept } = await uploadWaiting(store, service).catch(() => ({ uploaded: [], kept: [] }));
  const came = uploaded.length === 0 ? '' : `; uploaded too, having waited on this worker: ${uploaded.join(', ')}`;
  return `${came}${kept.map((one) => `; ${one}`).join('')}`;
}

/** Those that cannot be resolved cannot be in the evidence either; the store will say what is wrong with them. */
async function storeSecrets(store: EvidenceStore): Promise<string[]> {
  const resolved = await Promise.allSettled([resolveSecret(store.accessKeyId), resolveSecret(store.secretAccessKey)]);
  return resolved.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Last the line in the list: what is listed is whole. */
async function toStore(store: EvidenceStore, evidence: Evidence, files: File[], sha256: string): Promise<string> {
  const { service, run, runId } = evidence;
  const folder = executionFolder(service, run, runId);
  return withStore(store, async (opened) => {
    for (const { name, bytes, contentType } of files) await opened.put(folder + name, bytes, contentType);
    const back = await opened.get(folder + evidenceFile);
    if (back === undefined || sha256Of(back) !== sha256)
      throw failure(
        'StoreUnreachable',
        `${opened.location(folder + evidenceFile)} reads back other than it was written`,
      );
    const location = opened.location(folder + evidenceFile);
    const line = stableJson(storedRun(evidence, location));
    const name = newestFirst(endOf(evidence), `${run}-${runId}`);
    for (const list of listsOf(evidence)) await opened.put(list + name, line, 'application/json');
    return location;
  });
}

async function toDirectory(store: EvidenceStore, evidence: Evidence, files: File[], why: string): Promise<string> {
  const { service, run, runId } = evidence;
  const folder = join(store.directory, executionFolder(service, run, runId));
  const location = join(folder, evidenceFile);
  try {
    for (const { name, bytes } of files) await writeDurably(join(folder, name), bytes);
    const name = newestFirst(endOf(evidence), `${run}-${runId}`);
    await writeDurably(join(store.directory, indexFolder(service), name), stableJson(storedRun(evidence, location)));
    return location;
  } catch (error) {
    throw failure(
      'StoreUnreachable',
      `the evidence can be written nowhere. Store: ${why} Directory ${store.directory}: ${error instanceof Error ? error.message : String(error)}. Make one of them writable for the control worker.`,
      error,
    );
  }
}
