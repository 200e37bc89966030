/** One pulse process a log directory: two would interleave their lines and draw the same numbers. */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

interface Holder {
  pid: number;
  /** Start of the process as the kernel counts it: pids are used again, also after a reboot. */
  started: string;
}

const name = 'pulse.lock';

/** @returns releases the lock @throws Error naming the process that holds it */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, name);
  const me: Holder = { pid: process.pid, started: await startOf(process.pid) };
  for (let tries = 1; tries <= 3; tries += 1) {
    if (await create(path, me)) return () => rm(path, { force: true });
    const holder = await readHolder(path);
    if (holder !== undefined && (await isAlive(holder)))
      throw new Error(
        `${path}: process ${holder.pid} writes this log already; expected one lifeboat-pulse for each log directory. End it first.`,
      );
    await rm(path, { force: true });
  }
  throw new Error(`${path} comes back as soon as it is removed: another lifeboat-pulse starts at the same time`);
}

async function create(path: string, me: Holder): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o640);
    await file.writeFile(JSON.stringify(me));
    await file.sync();
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A lock that was only just created may still be empty: its owner is then taken to be alive for a moment. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && 'pid' in value && 'started' in value)
      return { pid: Number(value.pid), started: String(value.started) };
  } catch {
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (age < 5_000) throw new Error(`${path} is being written by another lifeboat-pulse that starts now`);
  }
  return undefined;
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive too.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return (await startOf(pid)) === started;
}

/** Field 22 of /proc/<pid>/stat with the boot it belongs to; where there is no /proc, the pid must do. */
async function startOf(pid: number): Promise<string> {
  try {
    const [status, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // The name in the second field may hold spaces and brackets: count from behind it.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return `${boot.trim()} ${fields[19] ?? ''}`;
  } catch {
    return 'unknown';
  }
}
