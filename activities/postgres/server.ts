/** Starting, finding and stopping the server beside. It outlives the worker that started it: a retry finds it again. */
import { spawn } from 'node:child_process';
import { open, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { belongingTo, toolEnvironment } from '../child.ts';
import { failure } from '../failure.ts';
import { beating } from '../heartbeat.ts';
import { yieldProcessors } from '../low-priority.ts';
import type { Permit } from '../permit.ts';
import { askToEnd, endProcesses, isAlive, processesOf, waitForEnd } from '../processes.ts';
import { type Places, refuseLongSocket } from './scratch.ts';

/** Pid of the postmaster of this directory, and of no other: a pid file may name a stranger by now. */
export async function findServer(places: Places): Promise<number | undefined> {
  const text = await readFile(join(places.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return undefined;
  const [works, data] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    realpath(places.data).catch(() => places.data),
  ]);
  return works === data ? pid : undefined;
}

/** What its pid file says: `starting`, `stopping`, `ready`, or `standby`, which lets sessions in that only read. */
export async function statusOf(places: Places): Promise<string | undefined> {
  return (await readFile(join(places.data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[7]?.trim();
}

/** A busy machine may take long to load it; what it says of itself by then is in its log. */
const pidFileWithinMs = 30_000;

/** Starts the server; it is not ready, and not even sure to stay, when this returns. */
export async function startServer(
  places: Places,
  permit: Permit,
  { throwAway }: { throwAway: boolean },
): Promise<number> {
  refuseLongSocket(places);
  await endLeftovers(places);
  const pid = await spawnServer(permit, ['-D', places.data, '-c', `config_file=${places.configuration}`], {
    dataDirectory: places.data,
    logFile: places.serverLog,
    env: toolEnvironment(belongingTo(places.directory)),
  });
  if (throwAway) yieldProcessors(pid);
  await pidFileNames(places, pid);
  return pid;
}

/**
 * Runs a server in a session of its own, so that it outlives the worker. What a killed one has left as its pid file is removed: whoever
 * calls this has seen that nobody runs there.
 */
export async function spawnServer(
  permit: Permit,
  words: readonly string[],
  { dataDirectory, logFile, env }: { dataDirectory: string; logFile: string; env: NodeJS.ProcessEnv },
): Promise<number> {
  await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(join(permit.postgresql, 'postgres'), words, {
      cwd: dataDirectory,
      env,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.on('spawn', () => resolve(child.pid ?? 0));
      child.on('error', (error) =>
        reject(
          failure(
            'NotPermitted',
            `${permit.postgresql}/postgres cannot be run (${error.message}). Correct "postgresql:" in ${permit.file}.`,
          ),
        ),
      );
    });
    child.unref();
    return pid;
  } finally {
    await log.close();
  }
}

/** By then the next attempt finds it again: one that comes before would take it for a leftover, and start another. */
async function pidFileNames(places: Places, pid: number): Promise<void> {
  const deadline = Date.now() + pidFileWithinMs;
  while (Date.now() < deadline && (await isAlive(pid)) && (await findServer(places)) !== pid) await wait(20);
}

/**
 * Children of a server that died, and fetches that run in the background, would hold on to files and queue. Those that are ended may
 * just have started others: it is looked again until nothing is there.
 */
async function endLeftovers(places: Places): Promise<void> {
  for (let rounds = 0; rounds < 10; rounds += 1) {
    const found = await processesOf(places.directory);
    if (found.length === 0) return;
    const [left] = await endProcesses(found);
    if (left !== undefined)
      throw failure(
        'LitterFound',
        `process ${left.pid} (${left.command}) in ${places.directory} does not end. End it by hand: nothing can be started there before.`,
      );
  }
}

/** SIGINT: rolls back, writes a checkpoint. SIGQUIT: at once, when nothing of it is needed any more. */
const ways = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Stops the server and all that came of it. Nothing running is fine. A large checkpoint is waited for, `withinMs`. */
export async function stopServer(
  places: Places,
  way: keyof typeof ways,
  withinMs: number,
): Promise<{ clean: boolean }> {
  const pid = await findServer(places);
  let clean = true;
  if (pid !== undefined) {
    askToEnd(pid, ways[way]);
    const server = [{ pid, command: 'postgres' }];
    const left = await beating(
      () => ({ stopping: places.directory }),
      () => waitForEnd(server, withinMs),
    );
    clean = left.length === 0;
  }
  await endLeftovers(places);
  return { clean };
}
