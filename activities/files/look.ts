/** How files stand, and whether they could come back. Nothing is changed, and no content is read. */
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatBytes, formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { type Snapshot, shortId } from '../../recovery/snapshots.ts';
import type { ComparedPlace, Files, LivePlace } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import { isOurs } from './beside.ts';
import { mayWriteIn, unsettableIn } from './rights.ts';
import { snapshotFor, treesOf } from './snapshots.ts';
import { bytesOf, counted, differencesBetween, inWords, type Tree, treeAt } from './tree.ts';

/** @throws NotPermitted */
export async function filesHere({ files }: { files: Files }): Promise<Found & { places: LivePlace[] }> {
  await permitFiles(files);
  const places = await Promise.all(files.paths.map(liveAt));
  return { places, found: places.map(placeInWords).join('; '), expected: 'each path is there, and not empty' };
}

async function liveAt(path: string): Promise<LivePlace> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return { path, state: 'missing' };
  const empty = found.isDirectory() ? (await readdir(path)).length === 0 : found.size === 0;
  return { path, state: empty ? 'empty' : 'there' };
}

function placeInWords({ path, state }: LivePlace): string {
  const words = { there: 'is there', missing: 'is missing', empty: 'is empty', other: 'is of another kind' } as const;
  return `${path} ${words[state]}`;
}

export interface Look extends Found {
  snapshot: Snapshot;
  ageMs: number;
  places: ComparedPlace[];
  /** What other runs have set aside or left beside. */
  lying: string[];
}

/** @throws KeyLost @throws BackupMissing @throws BackupCorrupt @throws NotReplaceable @throws NotPermitted */
export async function filesLook({ files, wanted }: { files: Files; wanted?: string }): Promise<Look> {
  await permitFiles(files);
  const snapshot = await snapshotFor(files, wanted);
  const trees = await treesOf(files, snapshot.id);
  const places: ComparedPlace[] = [];
  for (const path of files.paths) {
    const then = treeOf(trees, path, snapshot);
    await refuseUnfit(files, path, then);
    places.push(await compared(path, then));
  }
  const ageMs = Math.max(0, Date.now() - Date.parse(snapshot.time));
  const entries = places.reduce((sum, one) => sum + one.entries, 0);
  const bytes = places.reduce((sum, one) => sum + one.bytes, 0);
  return {
    snapshot,
    ageMs,
    places,
    lying: (await Promise.all(files.paths.map(lyingBeside))).flat(),
    found: `snapshot ${shortId(snapshot.id)} of ${snapshot.time} (${formatDuration(ageMs)} old): ${formatNumberOf(entries, 'entry', 'entries')}, ${formatBytes(bytes)}. ${places.map(comparedInWords).join('; ')}`,
    expected: `a snapshot of ${files.paths.join(', ')} that opens with its key, no older than ${formatDuration(files.newestWithin)}`,
  };
}

export function treeOf(trees: Map<string, Tree>, path: string, { id }: Pick<Snapshot, 'id'>): Tree {
  const tree = trees.get(path);
  // An unreadable path is in the list of a snapshot's paths all the same.
  if (tree === undefined || !tree.has(''))
    throw failure(
      'BackupMissing',
      `snapshot ${shortId(id)} was to hold ${path}, and does not. Choose another one (restic snapshots).`,
    );
  return tree;
}

async function compared(path: string, then: Tree): Promise<ComparedPlace> {
  const now = await treeAt(path);
  const [here, kept] = [now.get(''), then.get('')];
  const state = here !== undefined && here.kind !== kept?.kind ? 'other' : stateOf(await liveAt(path), then);
  return { path, state, ...counted(differencesBetween(now, then)), entries: then.size, bytes: bytesOf(then) };
}

/** What is empty in the snapshot too is as it should be. */
function stateOf({ state }: LivePlace, then: Tree): LivePlace['state'] {
  if (state !== 'empty') return state;
  return then.size === 1 && bytesOf(then) === 0 ? 'there' : 'empty';
}

function comparedInWords(place: ComparedPlace): string {
  if (place.state !== 'there') return placeInWords(place);
  return `${place.path}: ${inWords(place)}`;
}

/** A rename needs one file system, and the right to it; what comes back needs its owners. Known before anybody counts on it. */
async function refuseUnfit({ host }: Files, path: string, then: Tree): Promise<void> {
  const parent = dirname(path);
  const [here, above] = await Promise.all([lstat(path).catch(() => undefined), lstat(parent).catch(() => undefined)]);
  if (above === undefined || !above.isDirectory())
    throw failure(
      'NotReplaceable',
      `${parent} is no directory on ${host}, expected the place where ${basename(path)} lies. Make it, as it was, then start again.`,
    );
  if (here !== undefined && here.dev !== above.dev)
    throw failure(
      'NotReplaceable',
      `${path} on ${host} is a file system of its own, which no rename can replace. Name the directories in it in the plan instead.`,
    );
  if (!(await mayWriteIn(parent)))
    throw failure(
      'NotReplaceable',
      `the host worker on ${host} may not write ${parent}, where ${basename(path)} would be replaced. Give its user that right (docs/files.md).`,
    );
  const unsettable = await unsettableIn(then);
  if (unsettable !== undefined)
    throw failure(
      'NotReplaceable',
      `the host worker on ${host} may not give back what lies in ${path}: ${unsettable}. Give it CAP_CHOWN and CAP_FOWNER there (docs/files.md).`,
    );
}

/** Beside a path, of whatever run. */
async function lyingBeside(path: string): Promise<string[]> {
  const [parent, name] = [dirname(path), basename(path)];
  const names = await readdir(parent).catch(() => []);
  return names.filter((one) => isOurs(one, name)).map((one) => join(parent, one));
}
