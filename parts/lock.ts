/** One process at a time, by a file that names its holder. It saves double work; nothing breaks when two get through. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Say } from './part.ts';

/** Longer than any build: after that the holder's process id belongs to somebody else. */
const staleAfterMs = 45 * 60_000;

export async function withLock<T>(directory: string, name: string, say: Say, work: () => Promise<T>): Promise<T> {
  const lock = join(directory, `.${name}.lock`);
  await mkdir(directory, { recursive: true });
  let told = false;
  while (!(await take(lock))) {
    const holder = await holderOf(lock);
    if (holder === undefined) await rm(lock, { force: true });
    else if (!told) say(`waiting for process ${holder}, which installs ${name}`);
    told ||= holder !== undefined;
    await pause(500);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** A link is made whole or not at all: nobody ever reads a lock without its holder. */
async function take(lock: string): Promise<boolean> {
  // Two of one process may try at once.
  const own = `${lock}.${randomUUID()}`;
  await writeFile(own, `${process.pid}\n`);
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** Process id of the living holder. */
async function holderOf(lock: string): Promise<number | undefined> {
  try {
    const { mtimeMs } = await stat(lock);
    const holder = Number(await readFile(lock, 'utf8'));
    return Date.now() - mtimeMs < staleAfterMs && isAlive(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
