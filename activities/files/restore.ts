/** Snapshots are restored beside, into empty directories: restic never deletes what it finds in its way, and fails on links. */
import { chmod } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes, formatDuration, formatNumberOf } from '../../evidence/format.ts';
import { shortId } from '../../recovery/snapshots.ts';
import { runLong } from '../child.ts';
import type { Beside } from '../contract-of-files.ts';
import { freeAt } from '../disk.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import { lastLines, readFrom } from '../tail.ts';
import {
  allPlaces,
  emptyFolder,
  exists,
  mark,
  markerOf,
  type Places,
  removeFolder,
  stateOf,
  synced,
} from './beside.ts';
import { treeOf } from './look.ts';
import { environmentOf, orSayHowToInstall, program, throwFor, usualWords } from './restic.ts';
import { treesOf } from './snapshots.ts';
import { bytesOf, differencesBetween, type Tree, treeAt } from './tree.ts';

/**
 * Safe to repeat: what was restored wholly stays, a half of it is thrown away.
 *
 * @throws BackupCorrupt a file does not come back as it was @throws DiskFull @throws Moved something of this run was replaced already
 */
export async function restoreFiles(ask: Beside & { snapshot: string }): Promise<Found & { bytes: number }> {
  const { files, snapshot } = ask;
  await permitFiles(files);
  const trees = await treesOf(files, snapshot);
  const began = Date.now();
  const all = allPlaces(ask);
  for (const places of all) await restoreOne(ask, places, treeOf(trees, places.path, { id: snapshot }));
  const kept = [...trees.values()];
  const bytes = kept.reduce((sum, tree) => sum + bytesOf(tree), 0);
  const entries = kept.reduce((sum, { size }) => sum + size, 0);
  return {
    bytes,
    found: `${formatNumberOf(entries, 'entry', 'entries')} and ${formatBytes(bytes)} of snapshot ${shortId(snapshot)} restored beside, each file read back (${formatDuration(Date.now() - began)})`,
    expected: 'all that the snapshot holds, with its owners and modes',
  };
}

async function restoreOne(ask: Beside & { snapshot: string }, places: Places, then: Tree): Promise<void> {
  const { files, snapshot } = ask;
  const marker = await markerOf(places);
  if (marker?.snapshot === snapshot && (await stateOf(places, marker)) === 'untouched') return;
  if (await exists(places.setAside))
    throw failure(
      'Moved',
      `${places.setAside} is there already on ${files.host}: this run has replaced ${places.path}. Take that back first.`,
    );
  await emptyFolder(places);
  await refuseFull(ask, places, bytesOf(then));
  await restored(ask, places);
  await refuseOther(ask, places, then);
  await openWay(places);
  await mark(places, { snapshot, onto: (await exists(places.path)) ? 'something' : 'nothing' });
  await synced(places.parent);
}

async function refuseFull({ files }: Beside, { parent, path }: Places, needed: number): Promise<void> {
  const free = await freeAt(parent);
  if (free >= needed) return;
  throw failure(
    'DiskFull',
    `${path} needs ${formatBytes(needed)} beside it on ${files.host}, and ${formatBytes(free)} are free there. Make room, then try again.`,
  );
}

async function restored(
  { files, snapshot }: Beside & { snapshot: string },
  { folder, target, path }: Places,
): Promise<void> {
  const log = join(folder, 'restic.log');
  const { env, veiled } = await environmentOf(files);
  // `--verify` reads each file back, once it was written.
  const words = ['restore', snapshot, '--target', target, '--include', path, '--verify', ...usualWords(files, true)];
  const details = (lines: string[]) => ({ line: veiled(lines.at(-1) ?? '') });
  const { code } = await orSayHowToInstall(() => runLong({ file: program, words, env, log, details }));
  if (code === 0) return;
  const said = veiled(await readFrom(log, 0));
  throwFor(files, { stdout: '', stderr: said }, (end) => {
    const damaged =
      /ciphertext verification failed|hash mismatch|invalid data returned|unexpected EOF|not found in (index|repository)|does not exist/i.test(
        said,
      );
    return failure(
      damaged ? 'BackupCorrupt' : 'RestoreFailed',
      `snapshot ${shortId(snapshot)} does not give ${path} back: ${end}. Nothing was replaced. Choose an older snapshot; restic check --read-data tells what is damaged.`,
    );
  });
}

/** restic gives the folders above the path their modes too, and out of a closed one nothing can be renamed. */
async function openWay({ target, restored: place }: Places): Promise<void> {
  for (let folder = dirname(place); folder !== target; folder = dirname(folder)) await chmod(folder, 0o700);
}

/** Not everything that goes wrong does restic say by its exit code. */
async function refuseOther(
  { files, snapshot }: Beside & { snapshot: string },
  { restored: place, path, folder }: Places,
  then: Tree,
): Promise<void> {
  const [first, ...others] = differencesBetween(await treeAt(place), then);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  throw failure(
    'RestoreFailed',
    `what was restored of ${path} on ${files.host} is not what snapshot ${shortId(snapshot)} lists: ${path}${first.way}${more}. Nothing was replaced. restic said: ${(await lastLines(join(folder, 'restic.log'), 2)).join('; ') || 'nothing'}.`,
  );
}

/** Undo. Refuses while what was restored is in use. */
export async function removeRestored(ask: Beside): Promise<Found> {
  await permitFiles(ask.files);
  for (const places of allPlaces(ask)) {
    if (await exists(places.setAside))
      throw failure(
        'Moved',
        `${places.path} on ${ask.files.host} was replaced by this run (${places.setAside} is there). Take that back first, then remove ${places.folder}.`,
      );
    await removeFolder(places.folder);
  }
  return { found: `nothing of it lies beside ${ask.files.paths.join(', ')} any more`, expected: 'as before' };
}
