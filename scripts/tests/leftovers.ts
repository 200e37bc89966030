/** What a layer of tests left behind: processes and files that belong to its folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';

/** Servers that were told to stop may take a moment. */
const usualGraceMs = 10_000;

export interface Leftover {
  /** As people read it. */
  what: string;
  pid?: number;
  file?: string;
}

export async function leftoversBelow(root: string, { graceMs = usualGraceMs } = {}): Promise<Leftover[]> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const left = [...(await processesOf(root)), ...(await filesIn(root))];
    if (left.length === 0 || Date.now() > deadline) return left;
    await pause(200);
  }
}

/** Only what carries this run's own folder is ever ended. */
export function endProcesses(leftovers: Leftover[]): void {
  for (const { pid } of leftovers) {
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

async function filesIn(root: string): Promise<Leftover[]> {
  return (await readdir(root)).map((name) => ({ what: `${join(root, name)} is left`, file: join(root, name) }));
}

async function processesOf(root: string): Promise<Leftover[]> {
  const processes = process.platform === 'linux' ? await fromProc() : await fromPs();
  return processes
    .filter(({ pid, words }) => pid !== process.pid && words.includes(root))
    .map(({ pid, command }) => ({ pid, what: `process ${pid} still runs: ${command.slice(0, 200)}` }));
}

interface Running {
  pid: number;
  command: string;
  /** Everything in which the folder may be named. */
  words: string;
}

/** The environment too: some servers write over their command line. Of other users' processes only root sees it. */
async function fromProc(): Promise<Running[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
      return { pid, command, words: `${command}\0${await read('environ')}` };
    }),
  );
}

async function fromPs(): Promise<Running[]> {
  const { stdout } = await execa('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout.split('\n').map((line) => {
    const [, pid = '0', command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), command, words: command };
  });
}
