import { readdir, readFile, readlink } from 'node:fs/promises';
import { execa } from 'execa';

export interface Process {
  pid: number;
  commandLine: string;
}

/** Processes that have a folder, or something in it, in their command line or as their working directory. */
export async function processesIn(folder: string): Promise<Process[]> {
  const all = process.platform === 'linux' ? await fromProc() : await fromPs();
  const inside = (text: string) =>
    text.split(/[\s='":,]+/).some((word) => word === folder || word.startsWith(`${folder}/`));
  return all
    .filter(({ pid, commandLine, directory }) => pid !== process.pid && (inside(commandLine) || inside(directory)))
    .map(({ pid, commandLine }) => ({ pid, commandLine }));
}

type Seen = Process & { directory: string };

async function fromProc(): Promise<Seen[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      // Of other users' processes only root may ask this.
      const directory = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      return { pid: Number(pid), commandLine: commandLine.replaceAll('\0', ' ').trim(), directory };
    }),
  );
  return seen;
}

async function fromPs(): Promise<Seen[]> {
  const { stdout } = await execa('ps', ['-A', '-o', 'pid=,args=']);
  return stdout.split('\n').map((line) => {
    const [, pid = '0', commandLine = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), commandLine, directory: '' };
  });
}
