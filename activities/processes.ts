/** Processes as the kernel shows them (/proc): a pid alone proves nothing, it may have been given to a stranger. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

export interface FoundProcess {
  pid: number;
  /** Its command line, cut for people. */
  command: string;
}

/** Set for what is started in a scratch directory, and inherited by all that comes of it: a process names its directory. */
export const scratchVariable = 'LIFEBOAT_SCRATCH';

/** Set for a tool that an activity runs: names the activity and the attempt, so that the next finds what a dead worker left running. */
export const taskVariable = 'LIFEBOAT_TASK';

/** Processes whose command line, working directory or environment name the directory, whoever started them. */
export function processesNaming(directory: string): Promise<FoundProcess[]> {
  return processesWhere(
    async (pid, words) =>
      words.some((word) => names(word, directory)) ||
      names(await linkOf(pid, 'cwd'), directory) ||
      (await hasVariable(pid, scratchVariable, directory)),
  );
}

/**
 * Processes that Lifeboat started for the directory; not, say, the shell of a person who looks at it.
 * PostgreSQL's children overwrite their environment with their title, but they work in the data directory.
 */
export function processesOf(directory: string): Promise<FoundProcess[]> {
  return processesWhere(
    async (pid) =>
      (await hasVariable(pid, scratchVariable, directory)) ||
      (isServer(await linkOf(pid, 'exe')) && names(await linkOf(pid, 'cwd'), directory)),
  );
}

/** Postmasters, and children that have outlived theirs: they work in their data directory. Soon told, because nobody can write meanwhile. */
export async function serversIn(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const works = await Promise.all(
    pids.map(async (pid) => {
      const place = await linkOf(pid, 'cwd');
      if (place !== directory && !place.startsWith(`${directory}/`)) return false;
      return isServer(await linkOf(pid, 'exe')) && (await isAlive(pid));
    }),
  );
  return pids.filter((_pid, index) => works[index]);
}

function isServer(program: string): boolean {
  return /\/postgres( \(deleted\))?$/.test(program);
}

/** Tools that other attempts of an activity have left running. */
export function processesOfTask(task: string, attempt: number): Promise<FoundProcess[]> {
  return processesWhere(async (pid) => {
    const mark = (await environmentOf(pid)).find((entry) => entry.startsWith(`${taskVariable}=${task} `));
    return mark !== undefined && mark !== `${taskVariable}=${taskMark(task, attempt)}`;
  });
}

export function taskMark(task: string, attempt: number): string {
  return `${task} ${attempt}`;
}

/** Processes that were started for a directory below `root`, each with that directory. */
export async function scratchProcessesBelow(root: string): Promise<(FoundProcess & { directory: string })[]> {
  const directories = new Map<number, string>();
  const found = await processesWhere(async (pid) => {
    const directory = (await environmentOf(pid))
      .find((one) => one.startsWith(`${scratchVariable}=${root}/`))
      ?.slice(scratchVariable.length + 1);
    if (directory !== undefined) directories.set(pid, directory);
    return directory !== undefined;
  });
  return found.map((one) => ({ ...one, directory: directories.get(one.pid) ?? '' }));
}

/** When the process started, in the kernel's count: a pid alone is given to others. Empty when it has ended. */
export async function startOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in the second field may hold spaces and brackets: count from behind it. Field 22 is the start.
  return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** The children of a process, each by its pid and its start: a pid alone is given to others. */
export async function childrenOf(parent: number): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== parent || !(await isAlive(pid))) return [];
      return [`${pid} ${await startOf(pid)}`];
    }),
  );
  return found.flat();
}

/** Processes that were started with exactly this argument. */
export function processesWith(argument: string): Promise<FoundProcess[]> {
  return processesWhere(async (_pid, words) => words.includes(argument));
}

export async function isAlive(pid: number): Promise<boolean> {
  // A zombie has ended; it only waits for its parent to ask.
  const state = await stateOf(pid);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Stopped by a signal (SIGSTOP), or held by a debugger: it is there, keeps what it has, and does nothing. */
export async function isStopped(pid: number): Promise<boolean> {
  const state = await stateOf(pid);
  return state === 'T' || state === 't';
}

async function stateOf(pid: number): Promise<string | undefined> {
  return /^State:\s+(\S)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1];
}

/** Ends processes: asks first, insists after `graceMs`. Returns those that are still there. */
export async function endProcesses(found: FoundProcess[], graceMs = 5_000): Promise<FoundProcess[]> {
  for (const { pid } of found) askToEnd(pid, 'SIGTERM');
  const left = await waitForEnd(found, graceMs);
  for (const { pid } of left) signal(pid, 'SIGKILL');
  return waitForEnd(left, 5_000);
}

export async function waitForEnd(found: FoundProcess[], withinMs: number): Promise<FoundProcess[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const alive = await Promise.all(found.map(({ pid }) => isAlive(pid)));
    const left = found.filter((_one, index) => alive[index]);
    if (left.length === 0 || performance.now() > deadline) return left;
    await wait(50);
  }
}

/** A stopped process hears of no signal but SIGKILL before it is woken. */
export function askToEnd(pid: number, name: NodeJS.Signals): void {
  signal(pid, name);
  signal(pid, 'SIGCONT');
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

async function processesWhere(matches: (pid: number, words: string[]) => Promise<boolean>): Promise<FoundProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: FoundProcess[] = [];
  for (const pid of pids) {
    if (pid === process.pid || !(await isAlive(pid))) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const words = line.split('\0').filter((word) => word !== '');
    if (await matches(pid, words)) found.push({ pid, command: words.join(' ').slice(0, 160) });
  }
  return found;
}

async function hasVariable(pid: number, name: string, value: string): Promise<boolean> {
  return (await environmentOf(pid)).includes(`${name}=${value}`);
}

/** Only one's own processes can be read; those of other users are none of ours. */
async function environmentOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0');
}

function linkOf(pid: number, name: 'cwd' | 'exe'): Promise<string> {
  return readlink(`/proc/${pid}/${name}`).catch(() => '');
}

/** `/scratch/run-1` is not named by `/scratch/run-10/data`. */
function names(text: string, directory: string): boolean {
  for (let at = text.indexOf(directory); at >= 0; at = text.indexOf(directory, at + 1)) {
    const next = text[at + directory.length];
    if (next === undefined || !/[A-Za-z0-9._-]/.test(next)) return true;
  }
  return false;
}
