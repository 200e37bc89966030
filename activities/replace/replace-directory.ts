/** The live data directory and the restored one change places, by two renames: nothing is copied, and nothing of the live one is changed. */
import { chmod, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { backupKind } from '../backups/kind.ts';
import { synced, writeDurably } from '../cluster/standby-only.ts';
import type { Following, StoppedAt } from '../contract.ts';
import type { Replacement } from '../contract-of-recovery.ts';
import { failure } from '../failure.ts';
import { type ControlData, controlData } from '../postgres/control-data.ts';
import { exists, type Places } from '../postgres/scratch.ts';
import type { Found } from '../shapes.ts';
import { keepConfiguration } from './backup-configuration.ts';
import { refuseUnfit } from './can-replace.ts';
import { bringConfiguration } from './production-configuration.ts';
import {
  emptyBefore,
  noteReplacement,
  type PermittedReplacement,
  parentOf,
  permittedReplacement,
  refuseRunning,
  stateOf,
  whereLiveIs,
} from './replacement.ts';
import { syncDirectory } from './stop-beside.ts';

type Ask = Replacement & { left: StoppedAt; follow?: Following };

/**
 * Sets the live directory aside and puts the restored one in its place. All that the restored one needs is in it, and on the disk, before
 * the first rename; between the two there is nothing in the place, so that whoever starts the server then starts none.
 *
 * Safe to repeat, also after a crash between the renames.
 * @throws Moved a server runs in one of them, or the restored one is not as it was left @throws NotReplaceable @throws NotPermitted
 */
export async function replaceDirectory(ask: Ask): Promise<Found & { state: 'replaced' }> {
  const permitted = await permittedReplacement(ask);
  const { places } = permitted;
  const { host, dataDirectory } = ask.member;
  const before = await stateOf(ask, places);
  const brought = before === 'replaced' ? undefined : await prepare(ask, permitted);
  if (before === 'untouched' && ask.onto !== 'nothing') await setAside(ask);
  if (before !== 'replaced') {
    await synced(parentOf(ask));
    await move(places.data, dataDirectory, host);
  }
  // A crash may have come before these.
  await synced(parentOf(ask));
  await synced(places.directory);
  const state = await stateOf(ask, places);
  if (state !== 'replaced')
    throw failure('Moved', `${dataDirectory} on ${host} was replaced, and is ${state} now. Find out who moves it.`);
  const what = ask.follow === undefined ? 'as a primary' : `only as a standby of ${ask.follow.primary.host}`;
  return {
    state,
    found: `${dataDirectory} on ${host} is the restored directory${brought === undefined ? ' already' : `, with ${brought}`}; it will start ${what}. ${ask.onto === 'nothing' ? 'Nothing was in its place' : `What was there is set aside in ${ask.setAside}`}`,
    expected: 'the restored directory in its place, and what was there beside it, unchanged',
  };
}

function wordsOf(brought: string[]): string {
  return brought.length === 0 ? 'its configuration outside of it' : `${brought.join(', ')} of the live one`;
}

/** Until here, and no further, an attempt can be given up without a trace. */
async function prepare(ask: Ask, { places, controlled }: PermittedReplacement): Promise<string> {
  const { member, follow } = ask;
  const live = await whereLiveIs(ask);
  if (follow !== undefined) await backupKind(follow.backups).permitted(controlled.permit, follow.backups);
  await refuseUnfit(ask, places, live);
  await refuseRunning(member.host, live, 'which is about to be replaced');
  await refuseRunning(member.host, places.data, 'which is about to take its place');
  refuseOther(ask, await controlData(controlled.permit, places.data));
  // First the signal: there is no moment at which it would start as a second primary.
  if (follow !== undefined) await writeDurably(join(places.data, 'standby.signal'), '');
  const wrong = follow === undefined ? ['recovery.signal', 'standby.signal'] : ['recovery.signal'];
  for (const name of wrong) await rm(join(places.data, name), { force: true });
  const { dataDirectory, host } = member;
  const followed = follow === undefined ? {} : { follow };
  const brought =
    ask.onto === undefined
      ? wordsOf(await bringConfiguration({ host, dataDirectory, live, restored: places.data, ...followed }))
      : await keepConfiguration({ member, backups: ask.backups, places, ...followed }, controlled);
  await proveRename(ask, places.directory);
  await noteReplacement(ask, places);
  await syncDirectory(controlled.permit, places.data);
  return brought;
}

/** As it was left: what a server has written into it since would go live without having been proven. */
function refuseOther({ left, follow, member, scratch }: Ask, found: ControlData): void {
  const expected = follow === undefined ? 'shut down' : 'shut down in recovery';
  const same =
    found.state === expected &&
    found.systemIdentifier === left.systemIdentifier &&
    found.timeline === left.timeline &&
    found.checkpoint === left.lsn;
  if (same) return;
  throw failure(
    'Moved',
    `the restored directory in ${scratch.directory} on ${member.host} is "${found.state}" at ${found.checkpoint} on timeline ${found.timeline} of cluster ${found.systemIdentifier}, expected "${expected}" at ${left.lsn} on timeline ${left.timeline} of cluster ${left.systemIdentifier}, as it was left. Nothing was moved. Stop the server beside again, or restore anew.`,
  );
}

/** The right to rename, and one file system under it, shown by doing it with an empty directory: a mount may be seen by a rename alone. */
async function proveRename(ask: Ask, directory: string): Promise<void> {
  const from = join(directory, 'rename-probe');
  const to = join(parentOf(ask), `.${basename(ask.member.dataDirectory)}.lifeboat-probe`);
  for (const left of [from, to]) await rm(left, { recursive: true, force: true });
  await mkdir(from, { mode: 0o700 });
  await move(from, to, ask.member.host);
  await rmdir(to);
}

/** Looked at before and after: a server that was started in the last moment would go on under the new name, and keep the port. */
async function setAside(ask: Ask): Promise<void> {
  const { host, dataDirectory } = ask.member;
  await move(dataDirectory, ask.setAside, host);
  try {
    await refuseRunning(host, ask.setAside, 'which was set aside while it started');
  } catch (error) {
    await move(ask.setAside, dataDirectory, host);
    throw error;
  }
}

/**
 * Undo, bit for bit: the live directory is in its place again, and the restored one beside.
 *
 * Safe to repeat; copes with what was moved half.
 * @throws Moved a server runs in the restored directory: it may have taken writes, so it is stopped first, by who decides that
 */
export async function replaceBack(ask: Replacement): Promise<Found & { state: 'untouched' }> {
  const { places } = await permittedReplacement(ask);
  const { host, dataDirectory } = ask.member;
  const before = await stateOf(ask, places);
  if (before === 'replaced') {
    await refuseRunning(host, dataDirectory, 'the restored directory, which is about to be taken away');
    if (await exists(places.data))
      throw failure(
        'Moved',
        `${places.data} is there again on ${host}, expected nothing. Move it away, then try again.`,
      );
    await mkdir(places.directory, { recursive: true, mode: 0o700 });
    await move(dataDirectory, places.data, host);
    await synced(places.directory);
    await synced(parentOf(ask));
  }
  if (ask.onto === 'nothing') await emptyAgain(ask, places);
  else if (before !== 'untouched') await move(ask.setAside, dataDirectory, host);
  await synced(parentOf(ask));
  await disarm(places);
  const state = await stateOf(ask, places);
  if (state !== 'untouched')
    throw failure('Moved', `${dataDirectory} on ${host} was put back, and is ${state} now. Find out who moves it.`);
  const moved = before === 'untouched' ? 'was never moved, or is back already' : 'is the one that was set aside';
  return { state, found: `${dataDirectory} on ${host} ${moved}`, expected: 'the live directory as it was' };
}

async function emptyAgain(ask: Replacement, places: Places): Promise<void> {
  const mode = await emptyBefore(ask, places);
  if (mode === undefined) return;
  await mkdir(ask.member.dataDirectory, { recursive: true });
  await chmod(ask.member.dataDirectory, mode);
}

/** Beside again it must not have production's settings: whoever starts it there would start a server that archives. */
async function disarm({ data }: Places): Promise<void> {
  if (await exists(data)) await writeDurably(join(data, 'postgresql.auto.conf'), '\n');
}

async function move(from: string, to: string, host: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    throw failure(
      'NotReplaceable',
      `${from} cannot be renamed to ${to} on ${host} (${error.code ?? error.message}); expected both on one file system, ${to} absent, and the right to rename. The directories stay where they are; mend that, then try again.`,
      error,
    );
  });
}
