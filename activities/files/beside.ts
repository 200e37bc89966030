/**
 * What lies beside a path while its files come back. All of it is on the path's own file system, so that renames are enough:
 *
 *     /etc/nginx                        what serves
 *     /etc/.nginx.lifeboat-<run>/       what was restored, below its own path; and what is known of it
 *     /etc/nginx.before-<run>           what served before, until a person removes it
 */
import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Files } from '../contract-of-files.ts';
import { failure } from '../failure.ts';

export interface Places {
  path: string;
  parent: string;
  /** Ours alone, 0700. */
  folder: string;
  /** Where restic writes. */
  target: string;
  /** What takes the path's place. */
  restored: string;
  setAside: string;
  /** Names of all that differs. */
  list: string;
  /** The same, once the folder is gone. */
  listKept: string;
  marker: string;
}

const run = /^[A-Za-z0-9-]{1,64}$/;

/** @throws NotPermitted the run's name would lead elsewhere */
function placesOf(path: string, name: string): Places {
  if (!run.test(name))
    throw failure('NotPermitted', 'the name of a run has letters, digits and hyphens alone, and this one has others.');
  const [parent, own] = [dirname(path), basename(path)];
  const folder = join(parent, `.${own}.lifeboat-${name}`);
  const target = join(folder, 'restored');
  return {
    path,
    parent,
    folder,
    target,
    restored: join(target, path),
    setAside: join(parent, `${own}.before-${name}`),
    list: join(folder, 'differences.txt'),
    listKept: join(parent, `${own}.before-${name}.differences.txt`),
    marker: join(folder, 'restored.json'),
  };
}

export function allPlaces({ files, run: name }: { files: Files; run: string }): Places[] {
  return files.paths.map((path) => placesOf(path, name));
}

/** Whether a name beside a path is of Lifeboat's making. */
export function isOurs(name: string, of: string): boolean {
  return name.startsWith(`.${of}.lifeboat-`) || name.startsWith(`${of}.before-`);
}

const markerSchema = z.strictObject({ snapshot: z.string(), onto: z.enum(['something', 'nothing']) });

/** What was restored, wholly, and whether something lay in the path then. */
export type Marker = z.output<typeof markerSchema>;

export async function markerOf({ marker }: Places): Promise<Marker | undefined> {
  const text = await readFile(marker, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : markerSchema.parse(JSON.parse(text));
}

/** The last thing that a restore writes. */
export async function mark({ marker, folder }: Places, known: Marker): Promise<void> {
  const unfinished = `${marker}.unfinished`;
  const file = await open(unfinished, 'w', 0o600);
  await file.writeFile(`${JSON.stringify(known)}\n`);
  await file.sync();
  await file.close();
  await rename(unfinished, marker);
  await synced(folder);
}

export async function synced(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

/** An empty folder of ours, whatever an attempt before has left. @throws NotPermitted somebody has put a link there */
export async function emptyFolder({ folder, target }: Places): Promise<void> {
  await removeFolder(folder);
  await mkdir(folder, { mode: 0o700 });
  await mkdir(target, { mode: 0o700 });
}

/** A link in its place is removed itself, and never what it leads to. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

export type State = 'untouched' | 'between' | 'replaced' | 'unknown';

/** Told by the directories themselves, whatever an attempt before has said. */
export async function stateOf(places: Places, marker: Marker | undefined): Promise<State> {
  const [live, restored, aside] = await Promise.all([places.path, places.restored, places.setAside].map(exists));
  if (marker === undefined) return 'unknown';
  if (restored) {
    if (aside) return live ? 'unknown' : 'between';
    return live === (marker.onto === 'something') ? 'untouched' : 'unknown';
  }
  if (!live) return 'unknown';
  return aside === (marker.onto === 'something') ? 'replaced' : 'unknown';
}
