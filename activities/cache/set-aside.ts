/** The files of a Redis server that a restore replaces: moved into a folder beside them by renames, and back. What is half done is told by marks in that folder. */
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { synced, writeDurably } from '../cluster/standby-only.ts';
import { failure } from '../failure.ts';
import type { Layout } from './private-server.ts';

/** In the data directory, so that a rename is enough, and no other right is needed than that of the files. Redis does not look into it. */
export function asideIn(directory: string, aside: string): string {
  if (!/^before-[A-Za-z0-9._-]{1,120}$/.test(aside))
    throw failure('NotPermitted', 'the folder for old files is not named as a run of Lifeboat names it, before-<run>.');
  return join(directory, aside);
}

const namesOf = ({ rdb, appendOnlyDirectory, appendOnlyFile }: Layout): string[] => [
  rdb,
  appendOnlyDirectory,
  appendOnlyFile,
];

const marks = {
  /** Which files are moved. */
  names: 'names.json',
  /** All that were there have been moved: what lies in their place is ours. */
  moved: 'all-moved',
  /** Ours is gone, and the old ones are on their way back. */
  returning: 'returning',
};

/** Safe to repeat: what is moved already stays where it is. @throws Moved they are on their way back */
export async function setAside(directory: string, aside: string, layout: Layout): Promise<void> {
  const place = asideIn(directory, aside);
  await mkdir(place, { recursive: true, mode: 0o700 });
  if (await there(join(place, marks.returning)))
    throw failure(
      'Moved',
      `the old files of ${directory} are on their way back out of ${place}. Take that to its end first: abort the run that does it, or move them by hand.`,
    );
  if (!(await there(join(place, marks.moved)))) {
    await writeDurably(join(place, marks.names), JSON.stringify(namesOf(layout)));
    for (const name of namesOf(layout))
      if (await there(join(directory, name))) await rename(join(directory, name), join(place, name));
    await synced(place);
    await synced(directory);
    await writeDurably(join(place, marks.moved), '');
  }
  await removeOurs(directory, namesOf(layout));
}

/** @returns what came back; undefined when nothing had been set aside */
export async function bringBack(directory: string, aside: string): Promise<string[] | undefined> {
  const place = asideIn(directory, aside);
  const text = await readFile(join(place, marks.names), 'utf8').catch(() => undefined);
  if (text === undefined) {
    await rm(place, { recursive: true, force: true });
    return undefined;
  }
  const names = JSON.parse(text) as string[];
  const [moved, returning] = await Promise.all([marks.moved, marks.returning].map((one) => there(join(place, one))));
  if (moved && !returning) {
    await removeOurs(directory, names);
    await writeDurably(join(place, marks.returning), '');
  }
  const back: string[] = [];
  for (const name of names) {
    if (!(await there(join(place, name)))) continue;
    if (await there(join(directory, name)))
      throw failure(
        'Moved',
        `${name} is in ${directory} again, and the old one in ${place}: somebody has started the server in between. Look which of them is meant, and move the other away.`,
      );
    await rename(join(place, name), join(directory, name));
    back.push(name);
  }
  await synced(directory);
  await rm(place, { recursive: true, force: true });
  await synced(directory);
  return back;
}

async function removeOurs(directory: string, names: string[]): Promise<void> {
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true });
}

function there(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
