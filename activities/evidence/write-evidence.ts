import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Evidence } from '../../evidence/evidence.ts';
import { renderHtml } from '../../evidence/render/html.ts';
import { renderMarkdown } from '../../evidence/render/markdown.ts';
import type { EvidenceStore } from '../../plan/schema.ts';
import type { Found } from '../contract.ts';
import { failure } from '../failure.ts';
import { resolveSecret } from '../secrets.ts';
import { writeDurably } from './directory.ts';
import { stableJson } from './json.ts';
import { evidenceFile, executionFolder, indexFolder, kindFolder, newestFirst, provenFolder } from './layout.ts';
import { withStore } from './object-store.ts';
import { withoutSecrets } from './secrets-removed.ts';
import { endOf, exercised, storedRun } from './stored-run.ts';

type Written = Found & { location: string; sha256: string };

interface File {
  name: string;
  bytes: Uint8Array;
  contentType: string;
}

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
    const location = await toStore(ask.store, evidence, files, sha256);
    return { location, sha256, found: `${location}, read back and equal${note}`, expected: 'evidence in the store' };
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

/** Those that cannot be resolved cannot be in the evidence either; the store will say what is wrong with them. */
async function storeSecrets(store: EvidenceStore): Promise<string[]> {
  const resolved = await Promise.allSettled([resolveSecret(store.accessKeyId), resolveSecret(store.secretAccessKey)]);
  return resolved.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** The page shows the hash of the evidence that it was drawn from: whoever holds both can tell that they belong together. */
function filesOf(evidence: Evidence, bytes: Uint8Array, sha256: string): File[] {
  const encode = (text: string) => new TextEncoder().encode(text);
  return [
    { name: evidenceFile, bytes, contentType: 'application/json' },
    {
      name: 'report.md',
      bytes: encode(drawn(() => renderMarkdown(evidence))),
      contentType: 'text/markdown; charset=utf-8',
    },
    {
      name: 'report.html',
      bytes: encode(drawn(() => renderHtml(evidence, { sha256 }))),
      contentType: 'text/html; charset=utf-8',
    },
  ];
}

/** A report can be drawn again from the evidence at any time; evidence that was not written is lost. */
function drawn(draw: () => string): string {
  try {
    return draw();
  } catch (error) {
    return `The report could not be drawn (${error instanceof Error ? error.message : String(error)}). The evidence beside it is whole. Please report this.\n`;
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
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
    await opened.put(kindFolder(service, evidence) + name, line, 'application/json');
    await opened.put(indexFolder(service) + name, line, 'application/json');
    for (const what of exercised(evidence))
      await opened.put(provenFolder(service, what) + name, line, 'application/json');
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
