/** A live server of this host as its files and the kernel show it: whether it runs, and what it says of itself when it does not. */
import { readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member } from '../../plan/schema.ts';
import { failure } from '../failure.ts';
import { pause } from '../heartbeat.ts';
import type { Permit } from '../permit.ts';
import { isAlive } from '../processes.ts';
import { type ControlData, controlData } from './control-data.ts';

export interface LiveServer {
  pid: number;
  /** What its pid file says: `starting`, `stopping`, `ready`, `standby`. */
  status: string | undefined;
}

/** The postmaster of this directory, and no stranger that was given its pid. */
export async function findLive(dataDirectory: string): Promise<LiveServer | undefined> {
  const lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return undefined;
  const [works, data] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    realpath(dataDirectory).catch(() => dataDirectory),
  ]);
  return works === data ? { pid, status: lines[7]?.trim() } : undefined;
}

/** While writes are stopped, each look that comes late is felt. Milliseconds. */
const lookEveryMs = 10;

/** @returns whether it is gone in time */
export async function goneWithin(dataDirectory: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while ((await findLive(dataDirectory)) !== undefined) {
    if (performance.now() > deadline) return false;
    await pause(lookEveryMs);
  }
  return true;
}

/**
 * Until it lets sessions in.
 *
 * @throws ServerControlFailed it has ended meanwhile, or takes too long
 */
export async function readyWithin({ host, dataDirectory }: Member, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (let seen = false; ; ) {
    const live = await findLive(dataDirectory);
    if (live?.status === 'ready' || live?.status === 'standby') return;
    const ended = seen && live === undefined;
    seen ||= live !== undefined;
    if (ended || performance.now() > deadline)
      throw failure(
        'ServerControlFailed',
        `the server on ${host} ${ended ? 'ended again while it started' : `did not come up within ${withinMs / 1000} s`}. See its log, start it by hand, and then decide how the run goes on.`,
      );
    await pause(lookEveryMs);
  }
}

/** What a stopped server knows of itself. @throws ServerControlFailed it was not shut down in order */
export async function atRest(permit: Permit, { host, dataDirectory }: Member): Promise<ControlData> {
  const control = await controlData(permit, dataDirectory);
  if (control.state === 'shut down' || control.state === 'shut down in recovery') return control;
  throw failure(
    'ServerControlFailed',
    `the server on ${host} runs no longer, but was not shut down in order: its control file says "${control.state}", expected "shut down". See its log for what ended it.`,
  );
}
