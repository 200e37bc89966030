/** Whether a rename can put one data directory in the place of another. */
import { constants } from 'node:fs';
import { access, lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../../evidence/format.ts';
import { isServersOwn } from '../../recovery/server-configuration.ts';
import { runTool } from '../child.ts';
import type { Replacement, ReplacementState } from '../contract-of-recovery.ts';
import { freeAt } from '../disk.ts';
import { failure } from '../failure.ts';
import { exists, type Places } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { parentOf, permittedReplacement, stateOf, whereLiveIs } from './replacement.ts';

/**
 * Reads only: before anything is restored, and again before anything is moved.
 *
 * @throws NotReplaceable the directories lie on several file systems, or are not of one piece @throws NotPermitted
 * @throws LitterFound something is set aside already that is not this run's @throws Moved
 */
export async function canReplace(
  ask: Replacement,
): Promise<Found & { state: ReplacementState; liveBytes: number; freeBytes: number }> {
  const { places } = await permittedReplacement(ask);
  const state = await stateOf(ask, places);
  const live = await whereLiveIs(ask);
  await refuseUnfit(ask, places, live);
  const [liveBytes, freeBytes] = await Promise.all([allocated(live), freeAt(parentOf(ask))]);
  return {
    state,
    liveBytes,
    freeBytes,
    found:
      ask.onto === 'nothing'
        ? `nothing lies in ${ask.member.dataDirectory} on ${ask.member.host}, and ${formatBytes(freeBytes)} are free there`
        : `${live} on ${ask.member.host} holds ${formatBytes(liveBytes)}, ${formatBytes(freeBytes)} are free beside it; ${described[state]}`,
    expected: 'one file system, directories of one piece, the right to rename them',
  };
}

const described: Record<ReplacementState, string> = {
  untouched: `it can be set aside by a rename`,
  between: 'it is set aside, and nothing is in its place',
  replaced: 'it is set aside, and the restored one is in its place',
};

/** @throws NotReplaceable @throws NotPermitted */
export async function refuseUnfit(ask: Replacement, places: Places, live: string): Promise<void> {
  const { host, dataDirectory } = ask.member;
  if (`${places.directory}/`.startsWith(`${dataDirectory}/`) || `${dataDirectory}/`.startsWith(`${places.directory}/`))
    throw unfit(host, `${places.directory} and ${dataDirectory} lie in each other`, 'Choose another scratch directory');
  const parent = parentOf(ask);
  const scratch = await deepestThere(places.directory);
  for (const folder of [parent, scratch]) await refuseClosed(folder, host);
  const [of, above, beside] = await Promise.all([
    stat(ask.onto === 'nothing' && !(await exists(live)) ? parent : live),
    stat(parent),
    stat(scratch),
  ]);
  if (of.dev !== above.dev)
    throw unfit(host, `${live} is a mount point`, 'Let the data directory be a directory below it');
  if (of.dev !== beside.dev)
    throw unfit(
      host,
      `${live} and ${scratch} lie on different file systems`,
      `Permit a scratch directory on the one of ${dataDirectory}`,
    );
  if (ask.onto !== 'nothing') await refusePieces(live, host);
  if (await exists(places.data)) await refusePieces(places.data, host);
}

/** A data directory whose WAL or tablespaces lie elsewhere: a restored one would need other places for them. */
async function refusePieces(directory: string, host: string): Promise<void> {
  const { dev } = await stat(directory);
  const own = (await readdir(directory)).filter(isServersOwn).map((name) => join(directory, name));
  const links = join(directory, 'pg_tblspc');
  const tablespaces = (await readdir(links).catch(() => [])).map((name) => join(links, name));
  for (const path of [...own, ...tablespaces]) {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() || (found !== undefined && found.dev !== dev))
      throw unfit(
        host,
        `${path} ${found.isSymbolicLink() ? 'is a link' : 'lies on a file system of its own'}`,
        'Replace this server by hand: restore beside with Lifeboat, then move the parts as they are kept here',
      );
  }
}

async function refuseClosed(folder: string, host: string): Promise<void> {
  if (!(await exists(folder)))
    throw failure(
      'NotReplaceable',
      `there is no folder ${folder} on ${host}. Make it, as the owner of the database, where this host keeps its data.`,
    );
  const may = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!may)
    throw failure(
      'NotPermitted',
      `the user of lifeboat-host may not write ${folder} on ${host}, so nothing can be renamed there. Give that user the right to, as the owner of the database: chown or chmod ${folder}.`,
    );
}

function unfit(host: string, seen: string, next: string): Error {
  return failure('NotReplaceable', `on ${host} ${seen}; expected that a rename moves all of the data. ${next}.`);
}

async function deepestThere(path: string): Promise<string> {
  let place = path;
  while (!(await exists(place))) place = dirname(place);
  return place;
}

/** A large directory takes its time to count. Milliseconds. */
const countWithinMs = 600_000;

async function allocated(directory: string): Promise<number> {
  const words = ['-s', '-x', '--block-size=1', '--', directory];
  const { stdout } = await runTool('du', words, { withinMs: countWithinMs });
  return Number.parseInt(stdout, 10) || 0;
}
