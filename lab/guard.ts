/**
 * Outlives the owner of an estate to end it: reads the estate's folder from its input, then waits for the end of that input, which comes
 * when the owner dies, however it dies. An owner that has taken the estate down itself says so before.
 */
import { readFile, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Process, processesIn } from './litter.ts';
import { until } from './until.ts';

/** Servers that were asked to end. */
const asked = new Set<number>();
const lines: string[] = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(line);
const [root, released] = lines;
if (root !== undefined && released === undefined) await end(root);

async function end(folder: string): Promise<void> {
  await until({ what: `the processes of ${folder} to end`, withinMs: 60_000, everyMs: 200 }, async () => {
    const left = await processesIn(folder);
    for (const one of left) signal(one.pid, await mildest(one));
    return left.length === 0;
  });
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** A PostgreSQL server gives back its shared memory when it is asked; its children end with it. Asked once, it is not asked again. */
async function mildest({ pid }: Process): Promise<NodeJS.Signals> {
  const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  if (program.trim() !== 'postgres' || asked.has(pid)) return 'SIGKILL';
  asked.add(pid);
  return 'SIGQUIT';
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
