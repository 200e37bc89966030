/** What was restored and what is live change places, by renames: nothing is copied, and what was live is changed in nothing but its name. */
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Beside } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import {
  allPlaces,
  exists,
  type Marker,
  markerOf,
  type Places,
  removeFolder,
  type State,
  stateOf,
  synced,
} from './beside.ts';
import { seenNow } from './differences.ts';
import { takenUpAgain } from './take-up.ts';

interface Standing {
  places: Places;
  marker: Marker | undefined;
  state: State;
}

async function standing(ask: Beside): Promise<Standing[]> {
  return Promise.all(
    allPlaces(ask).map(async (places) => {
      const marker = await markerOf(places);
      return { places, marker, state: await stateOf(places, marker) };
    }),
  );
}

/**
 * Safe to repeat, also after a crash between two renames. Between them there is nothing in the path for a moment: what has the files open
 * goes on with the old ones.
 *
 * @param ask.seen as people have seen it @throws Moved @throws NotReplaceable
 */
export async function replaceFiles(ask: Beside & { seen: string }): Promise<Found> {
  await permitFiles(ask.files);
  const all = await standing(ask);
  for (const one of all) if (one.state === 'unknown') throw strange(ask, one);
  if (all.every(({ state }) => state === 'untouched') && (await seenNow(ask)) !== ask.seen)
    throw failure(
      'Moved',
      `${ask.files.paths.join(', ')} on ${ask.files.host} was changed since the differences were shown. Nothing was replaced. Look at them again, then approve what there is now.`,
    );
  for (const one of all) await putInPlace(ask, one);
  for (const one of await standing(ask)) if (one.state !== 'replaced') throw strange(ask, one);
  const aside = all.filter(({ marker }) => marker?.onto === 'something').map(({ places }) => places.setAside);
  return {
    found: `${ask.files.paths.join(', ')} on ${ask.files.host} is what was restored; ${aside.length === 0 ? 'nothing lay there before' : `what lay there before is ${aside.join(', ')}`}`,
    expected: 'what was restored in its place, and what was there beside it, unchanged',
  };
}

async function putInPlace({ files }: Beside, { places, marker, state }: Standing): Promise<void> {
  const { path, setAside, restored, parent } = places;
  if (state === 'untouched' && marker?.onto === 'something') await move(path, setAside, files.host);
  if (state !== 'replaced') {
    if (await exists(path))
      throw failure(
        'Moved',
        `${path} on ${files.host} is there again, right after it was set aside. Find out who writes there; what was set aside is ${setAside}.`,
      );
    await move(restored, path, files.host);
  }
  // A crash may have come before this.
  await synced(parent);
}

function strange({ files }: Beside, { places, marker, state }: Standing): Error {
  const what =
    marker === undefined
      ? `nothing was restored for it in ${places.folder}`
      : `it, ${places.restored} and ${places.setAside} do not belong together (${state})`;
  return failure(
    'Moved',
    `${places.path} on ${files.host} is not as this run has left it: ${what}. Find out who moves it, and bring it by hand to where it should be.`,
  );
}

/**
 * Undo: the paths bit for bit as they were, and what runs on them told so.
 *
 * Safe to repeat; copes with what was moved half, and with what was never moved.
 */
export async function giveFilesBack(ask: Beside): Promise<Found> {
  await permitFiles(ask.files);
  const { files } = ask;
  let moved = 0;
  for (const one of (await standing(ask)).toReversed()) if (await giveBack(ask, one)) moved += 1;
  const again = moved === 0 || files.inUse === undefined ? '' : `; ${await takenUpAgain(files)}`;
  return {
    found: `${files.paths.join(', ')} on ${files.host} ${moved === 0 ? 'was never replaced, or is back already' : 'is what it was before'}${again}`,
    expected: 'the files as they were',
  };
}

/** @returns whether something was moved */
async function giveBack({ files }: Beside, { places, marker, state }: Standing): Promise<boolean> {
  const { path, setAside, restored, parent, folder } = places;
  const aside = await exists(setAside);
  // Once all was over its folder has gone; what was set aside tells enough.
  const replaced = state === 'replaced' || (marker === undefined && aside && (await exists(path)));
  if (!replaced && !aside) return false;
  if (replaced) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    await mkdir(dirname(restored), { recursive: true });
    if (await exists(restored))
      throw failure(
        'Moved',
        `${restored} is there again on ${files.host}, expected nothing. Move it away, then try again.`,
      );
    await move(path, restored, files.host);
  }
  if (aside) await move(setAside, path, files.host);
  await synced(parent);
  return true;
}

/** What was set aside stays: people remove it once they are content. */
export async function tidyFiles(ask: Beside): Promise<Found> {
  await permitFiles(ask.files);
  const kept: string[] = [];
  for (const { places, state } of await standing(ask)) {
    const { restored, setAside, list, listKept, folder, parent } = places;
    if (state === 'untouched' || state === 'between' || (await exists(restored)))
      throw failure(
        'Moved',
        `${restored} was to have its place on ${ask.files.host}, and is still beside. Find out who has moved it back.`,
      );
    if (await exists(list)) await rename(list, listKept);
    await removeFolder(folder);
    await synced(parent);
    if (await exists(setAside)) kept.push(setAside);
    if (await exists(listKept)) kept.push(listKept);
  }
  return {
    found: kept.length === 0 ? 'nothing is left beside' : `kept beside, until somebody removes it: ${kept.join(', ')}`,
    expected: 'nothing beside but what was set aside',
  };
}

async function move(from: string, to: string, host: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    throw failure(
      'NotReplaceable',
      `${from} cannot be renamed to ${to} on ${host} (${error.code ?? error.message}); expected both on one file system, and the right to rename. Mend that, then try again.`,
      error,
    );
  });
}
