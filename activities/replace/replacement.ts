/**
 * Which of two data directories lies where. Told by their inodes, which a rename keeps, and which are noted beside before the first rename:
 * a retry after a crash at any line knows what it sees, and a directory that somebody else has put there is nobody's to move.
 */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeDurably } from '../cluster/standby-only.ts';
import type { Replacement, ReplacementState } from '../contract-of-recovery.ts';
import { failure } from '../failure.ts';
import { realOrSame } from '../permit.ts';
import { type Controlled, permitServerControl } from '../permit-control.ts';
import { findLive } from '../postgres/live-server.ts';
import { exists, type Places, permittedPlaces } from '../postgres/scratch.ts';
import { serversIn } from '../processes.ts';

export interface PermittedReplacement {
  places: Places;
  controlled: Controlled;
}

/** @throws NotPermitted @throws PlanInvalid the plan does not say how the live server is stopped and started */
export async function permittedReplacement(ask: Replacement): Promise<PermittedReplacement> {
  const controlled = await permitServerControl(ask.member);
  const { places } = await permittedPlaces(ask.scratch);
  refuseOtherName(ask);
  await refuseLink(ask.member.dataDirectory);
  await refuseLink(ask.setAside);
  return { places, controlled };
}

const besideName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** The permit lists the live directory, and nothing beside it: what is moved there is named after it, and after the run. */
function refuseOtherName({ member, setAside }: Replacement): void {
  const start = `${member.dataDirectory}.before-`;
  if (setAside.startsWith(start) && besideName.test(setAside.slice(start.length))) return;
  throw failure(
    'NotPermitted',
    `${JSON.stringify(setAside)} is not where ${member.dataDirectory} may be set aside; expected ${start}<run>, with a plain name.`,
  );
}

async function refuseLink(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink())
    throw failure(
      'NotReplaceable',
      `${path} is a link: a rename would move the link and not the data. Write the directory that it leads to as dataDirectory in the plan, in the permit file and for the service manager.`,
    );
}

interface Marker {
  dataDirectory: string;
  setAside: string;
  /** Inodes; `nothing` where there was no live directory. */
  live: string;
  restored: string;
  /** Of an empty directory that was there: its mode. */
  emptyMode?: number;
}

const markerOf = ({ directory }: Places) => join(directory, 'replacement.json');

/** On the disk before anything is renamed. */
export async function noteReplacement(ask: Replacement, places: Places): Promise<void> {
  const { member, setAside, onto } = ask;
  const live = onto === 'nothing' ? onto : ((await inodeOf(member.dataDirectory)) ?? (await inodeOf(setAside)));
  const restored = await inodeOf(places.data);
  if (live === undefined || restored === undefined) throw nowhere(ask, places);
  const empty = onto === 'nothing' ? await lstat(member.dataDirectory).catch(() => undefined) : undefined;
  const marker: Marker = {
    ...{ dataDirectory: member.dataDirectory, setAside, live, restored },
    ...(empty === undefined ? {} : { emptyMode: empty.mode & 0o777 }),
  };
  await writeDurably(markerOf(places), `${JSON.stringify(marker, undefined, 2)}\n`);
}

/** Mode of the empty directory that lay in the place. */
export async function emptyBefore(ask: Replacement, places: Places): Promise<number | undefined> {
  return (await readMarker(ask, places))?.emptyMode;
}

async function readMarker(ask: Replacement, places: Places): Promise<Marker | undefined> {
  const text = await readFile(markerOf(places), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const marker = JSON.parse(text) as Marker;
  return marker.dataDirectory === ask.member.dataDirectory && marker.setAside === ask.setAside ? marker : undefined;
}

/**
 * @throws Moved somebody else has put something there, or taken it away
 * @throws LitterFound there is something set aside already that is not this run's
 */
export async function stateOf(ask: Replacement, places: Places): Promise<ReplacementState> {
  const [live, aside, marker] = await Promise.all([
    inodeOf(ask.member.dataDirectory),
    inodeOf(ask.setAside),
    readMarker(ask, places),
  ]);
  if (ask.onto === 'nothing') return ontoNothing(ask, { live, aside, marker });
  if (live === undefined && aside === undefined) throw nowhere(ask, places);
  if (aside === undefined && (marker === undefined || live === marker.live)) return 'untouched';
  if (live === undefined && (marker === undefined || aside === marker.live)) return 'between';
  if (marker !== undefined && live === marker.restored && aside === marker.live) return 'replaced';
  if (marker === undefined) throw leftBySomebody(ask);
  throw failure(
    'Moved',
    `${ask.member.dataDirectory} on ${ask.member.host} is neither the live data directory (inode ${marker.live}) nor the restored one (${marker.restored}), but ${live ?? 'nothing'}, and ${ask.setAside} is ${aside ?? 'nothing'}: somebody has put another directory there, such as a service manager that calls initdb. Look at both, move away what is not yours, then try again. The live data lie in the directory with inode ${marker.live}.`,
  );
}

/** One rename, so there is nothing in between. */
async function ontoNothing(
  ask: Replacement,
  { live, aside, marker }: { live: string | undefined; aside: string | undefined; marker: Marker | undefined },
): Promise<ReplacementState> {
  const { host, dataDirectory } = ask.member;
  if (live !== undefined && live === marker?.restored) return 'replaced';
  if (aside !== undefined) throw leftBySomebody(ask);
  if (live === undefined || (await isEmpty(dataDirectory))) return 'untouched';
  throw failure(
    'Moved',
    `${dataDirectory} on ${host} held nothing when this run looked, and holds something now: somebody has put it there, such as a service manager that calls initdb. It is not touched. Look at it, move it away if it is not wanted, then start again.`,
  );
}

/** What is no directory is not empty. */
async function isEmpty(directory: string): Promise<boolean> {
  return readdir(directory).then(
    (names) => names.length === 0,
    () => false,
  );
}

function leftBySomebody({ setAside, member }: Replacement): Error {
  return failure(
    'LitterFound',
    `${setAside} is there already on ${member.host}, and this run has not set it aside; expected nothing there. Find out which run has left it, and move it away.`,
  );
}

function nowhere({ member, setAside }: Replacement, { data }: Places): Error {
  return failure(
    'Moved',
    `on ${member.host} there is neither a data directory ${member.dataDirectory} nor ${setAside}, or no restored one in ${data}. Find out who has moved them.`,
  );
}

async function inodeOf(path: string): Promise<string | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found?.isDirectory() ? String(found.ino) : found && 'no directory';
}

/** Neither a postmaster nor a child that has outlived one. @throws Moved */
export async function refuseRunning(host: string, directory: string, what: string): Promise<void> {
  const pid = (await findLive(directory))?.pid ?? (await serversIn(await realOrSame(directory)))[0];
  if (pid !== undefined)
    throw failure(
      'Moved',
      `process ${pid} of a server works in ${directory} on ${host}, ${what}; expected it to stand still. Find out who started it (a service manager? then give the member control: { kind: command } in the plan), and stop it in order.`,
    );
}

/** Where the live directory, which is only read, lies now. */
export async function whereLiveIs({ member, setAside }: Replacement): Promise<string> {
  return realOrSame((await exists(setAside)) ? setAside : member.dataDirectory);
}

export function parentOf({ member }: Replacement): string {
  return dirname(member.dataDirectory);
}
