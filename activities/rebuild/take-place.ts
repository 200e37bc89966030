/** Another directory in the standby's place, by renames: at every moment the one or the other is there, or none, and never half of one. */
import { constants } from 'node:fs';
import { access, lstat, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { besideOf, type Place } from '../../recovery/rebuild.ts';
import { makeFollower } from '../cluster/follower.ts';
import { signalOf, synced, writeDurably } from '../cluster/standby-only.ts';
import type { Exchange, Following, Replacement, StoppedAt } from '../contract.ts';
import { freeAt } from '../disk.ts';
import { failure } from '../failure.ts';
import { loadPermit, permitScratch } from '../permit.ts';
import { permitServerControl } from '../permit-control.ts';
import { readyWithin } from '../postgres/live-server.ts';
import { exists, permittedPlaces, placesOf, refuseLongSocket } from '../postgres/scratch.ts';
import { startLive } from '../postgres/server-control.ts';
import { bringConfiguration } from '../replace/production-configuration.ts';
import { replaceBack, replaceDirectory } from '../replace/replace-directory.ts';
import type { Found, Scratch } from '../shapes.ts';
import { configureAs } from './configuration.ts';
import { stopped } from './stopped.ts';

/** Reads only. */
export async function canTakePlace({ member, scratch }: { member: Member; scratch: Scratch }): Promise<Found & Place> {
  await permitServerControl(member);
  const fixed = await whyFixed(member);
  const elsewhere = await whyNotIn(scratch, member);
  const freeBytes = elsewhere === undefined ? await freeAt(scratch.directory) : 0;
  const problems = [fixed, elsewhere].filter((why) => why !== undefined);
  return {
    ...(fixed === undefined ? {} : { fixed }),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    freeBytes,
    found:
      problems.length === 0
        ? `a directory restored in ${dirname(scratch.directory)} could take its place`
        : problems.join('; '),
  };
}

async function whyFixed({ host, dataDirectory }: Member): Promise<string | undefined> {
  const isLink = (path: string) =>
    lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
  if (await isLink(dataDirectory)) return `${dataDirectory} on ${host} is a link: a rename would move the link alone`;
  for (const name of [
    'pg_wal',
    ...(await readdir(join(dataDirectory, 'pg_tblspc')).catch(() => [])).map((one) => `pg_tblspc/${one}`),
  ])
    if (await isLink(join(dataDirectory, name)))
      return `${name} of ${host} lies outside of its data directory: the new one would not have it there`;
  const parent = dirname(dataDirectory);
  return access(parent, constants.W_OK).then(
    () => undefined,
    () => `the database's user may not write in ${parent} on ${host}, where the old directory is set aside`,
  );
}

async function whyNotIn(scratch: Scratch, member: Member): Promise<string | undefined> {
  const root = dirname(scratch.directory);
  try {
    await permitScratch(await loadPermit(), scratch.directory);
    refuseLongSocket(placesOf(scratch.directory));
  } catch {
    return `${root} is no scratch root that the permit file of ${member.host} allows (plan: beside of its member)`;
  }
  const [one, other] = await Promise.all(
    [root, dirname(member.dataDirectory)].map((path) => stat(path).catch(() => undefined)),
  );
  if (one === undefined) return `${root} is not there on ${member.host}`;
  return one.dev === other?.dev
    ? undefined
    : `${root} on ${member.host} is another file system than the data directory`;
}

interface Ways {
  /** What takes the place. */
  made: string;
  place: string;
  aside: string;
}

async function waysOf({ member, run, restored }: Exchange): Promise<Ways> {
  const { dataDirectory } = member;
  const made =
    restored === undefined
      ? besideOf(dataDirectory, 'coming', run)
      : (await permittedPlaces(restored.scratch)).places.data;
  return { made, place: dataDirectory, aside: besideOf(dataDirectory, 'before', run) };
}

/** Safe to repeat, also after a crash between the two renames. */
export async function takePlace(ask: Following & Exchange): Promise<Found> {
  const { member, primary } = ask;
  await stopped(member, primary.host);
  const ways = await waysOf(ask);
  const replacement = await replacementOf(ask, ways);
  if (replacement !== undefined) return replaceDirectory({ ...replacement, follow: ask });
  const { made, place, aside } = ways;
  if (await exists(made)) {
    await withoutEmpty(place);
    const inPlace = await exists(place);
    if (inPlace && (await exists(aside)))
      throw failure(
        'Moved',
        `${place} on ${member.host} is there again, though it was set aside as ${aside}: somebody has made another one. Find out who, and move one of them away.`,
      );
    await madeReady(ask, made, inPlace ? place : aside);
    if (inPlace) await rename(place, aside);
    await rename(made, place);
    await synced(dirname(place));
    await synced(dirname(made));
  } else if (!(await exists(signalOf(member))))
    throw failure(
      'Moved',
      `neither ${made} nor a standby in ${place} is on ${member.host} any more: somebody has removed it. Start again.`,
    );
  const { found } = await makeFollower(ask);
  const kept = (await exists(aside)) ? `; the old directory is kept as ${aside}` : '';
  return {
    found: `${place} is the new directory${kept}. ${found}`,
    expected: 'a directory that can only start as a standby',
  };
}

/** A restored directory replaces that of a server that has run there; where none has, there is nothing to be brought along. */
async function replacementOf(
  { member, run, restored, backups }: Exchange & Pick<Following, 'backups'>,
  { made, place, aside }: Ways,
): Promise<(Replacement & { left: StoppedAt }) | undefined> {
  const ran = (directory: string) => exists(join(directory, 'postmaster.opts'));
  if (restored === undefined || !((await ran(aside)) || ((await exists(made)) && (await ran(place))))) return undefined;
  const setAside = besideOf(member.dataDirectory, 'before', run);
  return { member, scratch: restored.scratch, setAside, backups, left: restored.left };
}

/** A directory without anything in it, such as a mount point's, is none. */
async function withoutEmpty(place: string): Promise<void> {
  if ((await readdir(place).catch(() => ['?'])).length === 0) await rmdir(place);
}

/** Before it gets its name: from then on anybody may start it. */
async function madeReady(follow: Following, made: string, old: string): Promise<void> {
  const { member } = follow;
  await writeDurably(join(made, 'standby.signal'), '');
  for (const name of ['recovery.signal', 'postmaster.pid']) await rm(join(made, name), { force: true });
  if (await exists(join(old, 'postmaster.opts'))) {
    const { host, dataDirectory } = member;
    await bringConfiguration({ host, dataDirectory, live: old, restored: made, follow });
  } else await configureAs(member, made);
}

const startsWithinMs = 120_000;

/** Safe to repeat. What was made goes back to where it was made, and is removed by the undo of that. */
export async function giveBack(
  ask: Exchange & Pick<Following, 'backups'> & { primary: string; ran: boolean },
): Promise<Found> {
  const { member, primary, ran } = ask;
  const controlled = await permitServerControl(member);
  const ways = await waysOf(ask);
  const { made, place, aside } = ways;
  const moved = (await exists(aside)) || !(await exists(made));
  if (moved) {
    await stopped(member, primary);
    const replacement = await replacementOf(ask, ways);
    if (replacement !== undefined) await replaceBack(replacement);
    else {
      if (!(await exists(made)) && (await exists(place))) await rename(place, made);
      if (await exists(aside)) await rename(aside, place);
      await synced(dirname(place));
    }
  }
  if (!(await exists(place))) return { found: `${member.host} has no data directory again, as before` };
  if (!ran) return { found: `${place} is the old directory again; its server is stopped, as before` };
  await startLive(member, controlled, startsWithinMs);
  await readyWithin(member, startsWithinMs);
  return { found: `${place} is the old directory again, and its server runs` };
}
