/** Evidence that went to the directory while the store was down: it reaches the store later, by itself. */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Evidence } from '../../evidence/evidence.ts';
import type { EvidenceStore } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { filesOf, sha256Of } from './files.ts';
import { stableJson } from './json.ts';
import { evidenceFile, executionFolder, indexFolder } from './layout.ts';
import { type ObjectStore, withStore } from './object-store.ts';
import { evidenceIn } from './store.ts';
import { listsOf, storedRun } from './stored-run.ts';

export interface Brought {
  /** Runs whose evidence is in the store now, and no longer here. */
  uploaded: string[];
  /** One sentence for each that stays here. */
  kept: string[];
}

/** Milliseconds after which the rest is left for the next time. */
const withinMs = 60_000;

/**
 * Uploads what waits, reads it back, and removes it here. Nothing in the store is ever overwritten with something else.
 *
 * Safe to repeat, and beside others who do the same: all of them write the same bytes under the same names.
 * @throws StoreUnreachable @throws StoreRefused
 */
export async function uploadWaiting(store: EvidenceStore, service: string): Promise<Brought> {
  const brought: Brought = { uploaded: [], kept: [] };
  const lines = await waitingLines(store, service);
  if (lines.length === 0) return brought;
  const deadline = Date.now() + withinMs;
  await withStore(store, async (opened) => {
    for (const line of lines) {
      if (Date.now() > deadline) return;
      const waiting = await evidenceBehind(store, service, line);
      // Another worker may have brought it there meanwhile.
      if (waiting === undefined) continue;
      const why = typeof waiting === 'string' ? waiting : await bring(opened, store, line, waiting);
      if (why !== undefined) brought.kept.push(why);
      else if (typeof waiting === 'object') brought.uploaded.push(waiting.evidence.run);
    }
  });
  return brought;
}

/** The line in the list of runs is written last: what has one is whole. */
async function waitingLines(store: EvidenceStore, service: string): Promise<string[]> {
  const folder = join(store.directory, indexFolder(service));
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
}

interface Waiting {
  folder: string;
  bytes: Uint8Array;
  evidence: Evidence;
}

/** Why it cannot be used, as a sentence; nothing, when it is gone. */
async function evidenceBehind(
  store: EvidenceStore,
  service: string,
  line: string,
): Promise<Waiting | string | undefined> {
  try {
    const { run, runId } = JSON.parse(await readFile(line, 'utf8')) as { run: string; runId: string };
    const folder = executionFolder(service, run, runId);
    const bytes = await readFile(join(store.directory, folder, evidenceFile));
    return { folder, bytes, evidence: evidenceIn(bytes, run) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    return `${line} cannot be uploaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** In the order of `writeEvidence`: last the line in the list. Why it stays here, or nothing. */
async function bring(
  opened: ObjectStore,
  store: EvidenceStore,
  line: string,
  { folder, bytes, evidence }: Waiting,
): Promise<string | undefined> {
  const location = opened.location(folder + evidenceFile);
  const here = join(store.directory, folder);
  for (const { name, bytes: content, contentType } of filesOf(evidence, bytes, sha256Of(bytes))) {
    const there = await putOnce(opened, folder + name, content, contentType);
    if (!there && name === evidenceFile)
      return `${location} holds other evidence of ${evidence.run} than ${here} on this worker: compare them, and remove one`;
  }
  const listed = stableJson(storedRun(evidence, location));
  for (const list of listsOf(evidence)) await putOnce(opened, list + basename(line), listed, 'application/json');
  await rm(line, { force: true });
  await rm(here, { recursive: true, force: true });
  // That of the run, unless another execution of it waits too.
  await rmdir(dirname(here)).catch(() => undefined);
  return undefined;
}

/** Whether the object holds these bytes now; one that holds others is left alone. */
async function putOnce(opened: ObjectStore, key: string, bytes: Uint8Array, contentType: string): Promise<boolean> {
  const sha256 = sha256Of(bytes);
  const before = await opened.get(key);
  if (before !== undefined) return sha256Of(before) === sha256;
  await opened.put(key, bytes, contentType);
  const back = await opened.get(key);
  if (back === undefined || sha256Of(back) !== sha256)
    throw failure('StoreUnreachable', `${opened.location(key)} reads back other than it was written`);
  return true;
}
