/** What would change, told by names and counts: no content leaves the host. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Beside, Differing } from '../contract-of-files.ts';
import { failure } from '../failure.ts';
import { permitFiles } from '../permit-files.ts';
import type { Found } from '../shapes.ts';
import { allPlaces, type Places } from './beside.ts';
import { counted, type Difference, differencesBetween, inWords, type Tree, treeAt } from './tree.ts';

/** Names that go into the history and to people; the rest is in the list. */
const mostNames = 10;

/** @throws BesideLost what was restored is gone */
export async function filesDifferences(
  ask: Beside,
): Promise<Found & { places: (Differing & { path: string })[]; first: string[]; list: string; seen: string }> {
  await permitFiles(ask.files);
  const places: (Differing & { path: string })[] = [];
  const names: string[] = [];
  let list = '';
  for (const where of allPlaces(ask)) {
    const differences = await differencesOf(ask, where);
    places.push({ path: where.path, ...counted(differences) });
    const lines = differences.map(({ how, way }) => `${how} ${where.path}${way}`);
    names.push(...lines);
    await writeFile(where.list, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    list ||= where.list;
  }
  return {
    places,
    first: names.slice(0, mostNames).map(inOneLine),
    list,
    seen: await seenNow(ask),
    found: `${places.map((one) => `${one.path}: ${inWords(one)}`).join('; ')}; all names: ${list}`,
    expected: 'people see what would change',
  };
}

/** A name may hold anything but a slash and a zero. */
function inOneLine(name: string): string {
  return JSON.stringify(name.slice(0, 200)).slice(1, -1);
}

async function differencesOf({ files }: Beside, { path, restored, folder }: Places): Promise<Difference[]> {
  const [now, then] = [await treeAt(path), await treeAt(restored)];
  if (then.size === 0)
    throw failure(
      'BesideLost',
      `${folder} on ${files.host} no longer holds what was restored. Find out who removed it, then restore it again.`,
    );
  const differences: Difference[] = [];
  const known = new Map(differencesBetween(now, then).map((one) => [one.way, one]));
  for (const [way, one] of known)
    if (one.how !== 'changed' || (await reallyDiffer(join(path, way), join(restored, way), now, then, way)))
      differences.push(one);
  for (const [way, entry] of then)
    if (
      entry.kind === 'symlink' &&
      now.get(way)?.kind === 'symlink' &&
      !known.has(way) &&
      (await readlink(join(path, way))) !== (await readlink(join(restored, way)))
    )
      differences.push({ way, how: 'changed' });
  return differences.sort((one, other) => (one.way < other.way ? -1 : 1));
}

/** A file that was only touched is none that changes. */
async function reallyDiffer(live: string, restored: string, now: Tree, then: Tree, way: string): Promise<boolean> {
  const [before, after] = [now.get(way), then.get(way)];
  if (before?.kind !== 'file' || after?.kind !== 'file') return true;
  const alike =
    before.size === after.size && before.mode === after.mode && before.uid === after.uid && before.gid === after.gid;
  return !alike || (await digest(live)) !== (await digest(restored));
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** Stands for what lies in the paths at this moment: names, kinds, sizes, times, owners, modes. */
export async function seenNow(ask: Beside): Promise<string> {
  const hash = createHash('sha256');
  for (const { path } of allPlaces(ask)) {
    hash.update(`${path}\0`);
    for (const [way, entry] of [...(await treeAt(path))].sort(([one], [other]) => (one < other ? -1 : 1)))
      hash.update(`${way}\0${JSON.stringify(entry)}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}
