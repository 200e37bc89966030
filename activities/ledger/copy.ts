/** A copy of the directory that was set aside, on which a server is started: the directory itself would be rewritten by being read. */
import { copyFile, mkdir, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../evidence/format.ts';
import { isSegmentName, segmentName, segmentNumberAt } from '../../recovery/segments.ts';
import { runLong, runTool } from '../child.ts';
import type { LedgerHostChanges, LedgerHostReads, SetAsideDirectory } from '../contract-of-ledger.ts';
import { freeAt, keptFree, noRoom } from '../disk.ts';
import { failure } from '../failure.ts';
import { beating, pause } from '../heartbeat.ts';
import { permitScratch } from '../permit.ts';
import { privateSettings, writePrivate } from '../postgres/configuration.ts';
import { type ControlData, controlData } from '../postgres/control-data.ts';
import { claim } from '../postgres/made-by.ts';
import {
  empty,
  exists,
  makePlaces,
  type PermittedPlaces,
  type Places,
  permittedPlaces,
  writeWhole,
} from '../postgres/scratch.ts';
import { findServer, startServer, statusOf, stopServer } from '../postgres/server.ts';
import { lastLines } from '../tail.ts';
import { asItWasLeft, bytesIn, hasDied, permitSetAside } from './set-aside.ts';

/** Not copied: WAL that nobody replays, what would keep WAL, and what says that a server runs there. */
const leftOut = ['pg_wal', 'pg_replslot', 'postmaster.pid', 'postmaster.opts', 'standby.signal', 'recovery.signal'];

/** A few files of its own, and room for sorting. */
const evenOfReflink = 256 * 1024 * 1024;

const readyWithinMs = 120_000;

export async function roomForCopy(
  ask: Parameters<LedgerHostReads['roomForCopy']>[0],
): ReturnType<LedgerHostReads['roomForCopy']> {
  const permit = await permitSetAside(ask);
  await permitScratch(permit, ask.scratch.directory);
  const control = await asItWasLeft(ask, permit);
  const [held, reflink, free] = [
    await (hasDied(control) ? bytesIn(ask.directory) : bytesIn(ask.directory, 'pg_wal')),
    await takesReflinks(ask.directory, ask.scratch.directory),
    await freeAt(ask.scratch.directory),
  ];
  const bytes = (reflink ? 0 : held) + evenOfReflink;
  const fits = free >= bytes + keptFree(ask.keepFree);
  return {
    fits,
    reflink,
    bytes,
    found: `${formatBytes(free)} are free, and a copy ${reflink ? 'by reflink shares its blocks' : `takes ${formatBytes(held)}`}${fits ? '' : `: there is no room for it beside ${formatBytes(keptFree(ask.keepFree))} that stay free. The WAL is counted instead`}`,
    expected: 'room for a copy of what was set aside',
  };
}

/** Tried on one small file: what a file system can do is told by its kernel only. */
async function takesReflinks(directory: string, scratch: string): Promise<boolean> {
  const probe = `${scratch}.reflink`;
  try {
    const words = ['--reflink=always', '--', join(directory, 'PG_VERSION'), probe];
    return (await runTool('cp', words)).code === 0;
  } finally {
    await rm(probe, { force: true });
  }
}

/**
 * Probe: a copy that is whole is left alone, and a server that runs on it. Act: copies, and starts it. Verify: it is a copy of what was set
 * aside, and lets sessions in.
 */
export async function copySetAside(
  ask: Parameters<LedgerHostChanges['copySetAside']>[0],
): ReturnType<LedgerHostChanges['copySetAside']> {
  const permitted = await permittedPlaces(ask.scratch);
  const { places } = permitted;
  await permitSetAside(ask);
  const there = await exists(places.restored);
  // An execution that a reset has discarded may have made it: nothing of a copy that was only read is worn.
  if (there) await claim(places, ask);
  const reflink = there ? await wasReflink(places) : await copy(ask, permitted);
  await beating(
    () => ({ starting: places.data }),
    () => startCopy(permitted),
  );
  return {
    reflink,
    found: `${ask.directory} was copied ${reflink ? 'by reflink' : 'byte by byte, as its file system knows no reflink'}, and is read on the copy`,
    expected: 'a server that only Lifeboat reaches, and that only reads',
  };
}

async function wasReflink({ restored }: Places): Promise<boolean> {
  return (await lastLines(restored, 1))[0]?.includes('"reflink":true') === true;
}

async function copy(
  ask: Parameters<LedgerHostChanges['copySetAside']>[0],
  { places, permit }: PermittedPlaces,
): Promise<boolean> {
  const control = await asItWasLeft(ask, permit);
  await refuseTablespaces(ask);
  await claim(places, ask);
  await stopServer(places, 'immediate', 30_000);
  await makePlaces(places);
  await empty(places.data);
  const reflink = await takesReflinks(ask.directory, places.directory);
  const full = await noRoom(ask.scratch, ask.room, reflink ? evenOfReflink : ask.room.bytes);
  if (full !== undefined) throw full;
  const names = (await readdir(ask.directory)).filter((name) => !leftOut.includes(name));
  const log = join(places.log, 'copy.log');
  const { code } = await runLong({
    file: 'cp',
    words: ['-a', '--reflink=auto', '--', ...names.map((name) => join(ask.directory, name)), places.data],
    log,
    details: () => ({ copying: ask.directory }),
    refuse: () => noRoom(ask.scratch, ask.room),
    throwAway: true,
  });
  if (code !== 0) throw await notCopied(ask, log);
  await copyWal(ask.directory, places.data, control);
  await mkdir(join(places.data, 'pg_replslot'), { recursive: true, mode: 0o700 });
  const copied = await controlData(permit, places.data);
  if (copied.checkpoint !== control.checkpoint) throw await notCopied(ask, log);
  await writeWhole(places.restored, `${JSON.stringify({ copyOf: ask.directory, reflink })}\n`);
  return reflink;
}

async function notCopied({ directory }: SetAsideDirectory, log: string): Promise<Error> {
  return failure(
    'RestoreFailed',
    `${directory} could not be copied: ${(await lastLines(log, 3)).join(' | ') || 'the copy has another control file'}. See ${log}.`,
  );
}

/** They are links: a server on the copy would write into the tablespaces of the live one. */
async function refuseTablespaces({ directory, member }: SetAsideDirectory): Promise<void> {
  const folder = join(directory, 'pg_tblspc');
  for (const name of await readdir(folder)) {
    const place = await readlink(join(folder, name)).catch(() => name);
    throw failure(
      'TablespaceUnsafe',
      `${directory} on ${member.host} has a tablespace in ${place}, which a copy of it would share with the live server. Compare it by hand, on a host of its own.`,
    );
  }
}

/** A server that was stopped in order needs the segment of its last checkpoint, and no other; one that has died all from where it begins. */
async function copyWal(from: string, to: string, control: ControlData): Promise<void> {
  const { checkpoint, redo, timeline, segmentBytes } = control;
  const [source, target] = [join(from, 'pg_wal'), join(to, 'pg_wal')];
  await mkdir(join(target, 'archive_status'), { recursive: true, mode: 0o700 });
  const number = segmentNumberAt(checkpoint, segmentBytes);
  const last = [number, number + 1].map((one) => segmentName({ timeline, number: one }, segmentBytes));
  const first = segmentName({ timeline, number: segmentNumberAt(redo, segmentBytes) }, segmentBytes);
  const needs = (name: string) => (hasDied(control) ? isSegmentName(name) && name >= first : last.includes(name));
  for (const name of await readdir(source))
    if (needs(name) || name.endsWith('.history')) await copyFile(join(source, name), join(target, name));
}

/** One that runs is left alone; one that was killed is started again. */
export async function startCopy({ places, permit }: PermittedPlaces): Promise<void> {
  if ((await findServer(places)) === undefined) {
    const control = await controlData(permit, places.data);
    await writePrivate(places, {
      ...privateSettings(places, { control, raised: {}, throwAway: true }),
      archive_mode: 'off',
      default_transaction_read_only: 'on',
    });
    await startServer(places, permit, { throwAway: true });
  }
  const deadline = Date.now() + readyWithinMs;
  while ((await statusOf(places)) !== 'ready') {
    if ((await findServer(places)) === undefined || Date.now() > deadline) throw await notReady(places);
    await pause(50);
  }
}

async function notReady(places: Places): Promise<Error> {
  const tail = (await lastLines(places.serverLog, 3)).join(' | ');
  return failure(
    'DatabaseUnreachable',
    `the copy in ${places.data} does not come up: ${tail}. See ${places.serverLog}.`,
  );
}
