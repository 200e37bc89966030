/** (e) What the workers take of the memory, and (f) what a run takes of the engine's database. */
import { writeFile } from 'node:fs/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { drillWithLifeboat } from './drills.ts';
import { rowOf } from './findings.ts';
import type { Ground } from './ground.ts';
import { memoryOf } from './memory-of.ts';
import type { Findings, Row } from './result.ts';

const workers = ['control', 'host-db1', 'host-db2', 'pulse', 'pages'] as const;

/** A drill between two looks at the workers' memory. */
export async function memory(ground: Ground): Promise<Findings> {
  const idle = await ofEach(ground, 'VmRSS');
  for (const name of workers) await forgetPeak(pidOf(ground, name));
  ground.say('(e) a drill, for the memory that the workers take');
  await drillWithLifeboat(ground);
  const peak = await ofEach(ground, 'VmHWM');
  const rows = (bytes: Record<string, number>, when: string): Row[] =>
    workers.map((name) => rowOf('e', `memory of ${name}, ${when}`, 'bytes', [bytes[name] ?? 0]));
  return { rows: [...rows(idle, 'idle'), ...rows(peak, 'peak during a drill')], goals: [] };
}

async function ofEach(ground: Ground, what: 'VmRSS' | 'VmHWM'): Promise<Record<string, number>> {
  const found = await Promise.all(
    workers.map(async (name) => [name, await memoryOf(pidOf(ground, name), what)] as const),
  );
  return Object.fromEntries(found);
}

export function pidOf({ estate }: Ground, name: string): number {
  const { pid } = estate.process(name);
  if (pid === undefined) throw new Error(`${name} does not run: there is nothing to measure`);
  return pid;
}

/** The peak counts from here. Without the right to say so, it counts from the process's start. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined);
}

/** Events and bytes, as the engine counts them. */
export async function history(ground: Ground): Promise<Findings> {
  ground.say('(f) a drill, for its history');
  const { handle } = await drillWithLifeboat(ground);
  return {
    rows: [...(await historyOf('a proven drill', handle)), ...(await historyOf('a backup', ground.backupRun))],
    goals: [],
  };
}

async function historyOf(what: string, handle: WorkflowHandle): Promise<Row[]> {
  const { historyLength, historySize } = await handle.describe();
  if (historySize === undefined) throw new Error('the engine does not tell the size of a history');
  return [
    rowOf('f', `history of ${what}, events`, 'events', [historyLength]),
    rowOf('f', `history of ${what}, bytes`, 'bytes', [historySize]),
  ];
}
