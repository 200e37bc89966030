/** A data directory that a recovery has put out of the way: where it may lie, and whether it is the one that is meant. */
import { lstat } from 'node:fs/promises';
import type { SetAsideSeen } from '../../evidence/evidence.ts';
import { formatBytes } from '../../evidence/format.ts';
import { runTool } from '../child.ts';
import type { LedgerHostReads, SetAsideDirectory } from '../contract-of-ledger.ts';
import { failure } from '../failure.ts';
import { loadPermit, type Permit, permitDataDirectory } from '../permit.ts';
import { type ControlData, controlData } from '../postgres/control-data.ts';
import { findLive } from '../postgres/live-server.ts';

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** The permit lists the live directory: what was set aside is named after it, and after the run. @throws NotPermitted */
export async function permitSetAside({
  member,
  directory,
}: Pick<SetAsideDirectory, 'member' | 'directory'>): Promise<Permit> {
  const permit = await loadPermit();
  await permitDataDirectory(permit, member.dataDirectory);
  const start = `${member.dataDirectory}.before-`;
  if (!directory.startsWith(start) || !plainName.test(directory.slice(start.length)))
    throw failure(
      'NotPermitted',
      `${JSON.stringify(directory.slice(0, 200))} is not where ${member.dataDirectory} may be set aside; expected ${start}<run>, with a plain name.`,
    );
  return permit;
}

/** Reads only: nothing of it is changed by being looked at. */
export async function lookAtSetAside(
  ask: Parameters<LedgerHostReads['lookAtSetAside']>[0],
): ReturnType<LedgerHostReads['lookAtSetAside']> {
  const permit = await permitSetAside(ask);
  const { directory, member } = ask;
  const there = await foundAt(directory, member.host);
  if (there === undefined) return { found: `${directory} on ${member.host} is gone` };
  await refuseRunning(directory, member.host);
  const { systemIdentifier, timeline, checkpoint, state } = await controlData(permit, directory);
  const bytes = await bytesIn(directory);
  const seen: SetAsideSeen = {
    ...{ inode: there.inode, systemIdentifier, timeline, lsn: checkpoint, state, bytes },
    at: new Date().toISOString(),
  };
  return {
    seen,
    found: `${directory} on ${member.host}: ${formatBytes(bytes)}, ${state} at ${checkpoint} on timeline ${timeline}`,
    expected: 'the data directory as it was before the recovery',
  };
}

/** A large directory takes its time to count. Milliseconds. */
const countWithinMs = 600_000;

export async function bytesIn(directory: string, ...leaveOut: string[]): Promise<number> {
  const words = ['-s', '-x', '--block-size=1', ...leaveOut.map((name) => `--exclude=${name}`), '--', directory];
  const { stdout } = await runTool('du', words, { withinMs: countWithinMs });
  return Number.parseInt(stdout, 10) || 0;
}

/** The directory, if it is there; a link in its place is nobody's to follow. @throws Moved */
export async function foundAt(directory: string, host: string): Promise<{ inode: string } | undefined> {
  const found = await lstat(directory, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (!found.isDirectory())
    throw failure(
      'Moved',
      `${directory} on ${host} is no directory, expected the one that was set aside. Find out who has put it there.`,
    );
  return { inode: String(found.ino) };
}

/**
 * What it knows of itself.
 *
 * @throws Moved it is gone, somebody has started it, or it is another one @throws ServerControlFailed it was no primary
 */
export async function asItWasLeft(
  { member, directory, left }: SetAsideDirectory,
  permit: Permit,
): Promise<ControlData> {
  const { host } = member;
  if ((await foundAt(directory, host)) === undefined)
    throw failure('Moved', `${directory} on ${host} is gone; expected the data directory that was set aside there.`);
  await refuseRunning(directory, host);
  const control = await controlData(permit, directory);
  if (control.state !== 'shut down' && !hasDied(control))
    throw failure(
      'ServerControlFailed',
      `the server in ${directory} on ${host} was no primary when it stopped: its control file says "${control.state}", expected "shut down", or "in production" of one that has died. What it holds cannot be told from a copy.`,
    );
  if (
    control.systemIdentifier !== left.systemIdentifier ||
    control.checkpoint !== left.lsn ||
    control.timeline !== left.timeline
  )
    throw failure(
      'Moved',
      `${directory} on ${host} ends at ${control.checkpoint} on timeline ${control.timeline} of cluster ${control.systemIdentifier}; expected ${left.lsn} on timeline ${left.timeline} of ${left.systemIdentifier}, as it was set aside. Somebody has started it since, or it is another one.`,
    );
  return control;
}

/** A primary that was not stopped in order: it finds what it holds in its own WAL once it is started. */
export function hasDied({ state }: Pick<ControlData, 'state'>): boolean {
  return state === 'in production' || state === 'shutting down';
}

/** @throws Moved */
export async function refuseRunning(directory: string, host: string): Promise<void> {
  const live = await findLive(directory);
  if (live !== undefined)
    throw failure(
      'Moved',
      `a server runs in ${directory} on ${host} (pid ${live.pid}), where the old data was set aside; expected none. Find out who has started it, and stop it.`,
    );
}
