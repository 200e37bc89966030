/** (a) From nothing to a server that stands paused at a target: Lifeboat, and two people with the same two programs. */

import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { defaults, restoreByHand, tuned } from './by-hand.ts';
import { atMost, rowOf } from './findings.ts';
import type { Ground } from './ground.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { medianRatio } from './statistics.ts';
import { benchQueue } from './workflows/queue.ts';

const contestants = ['lifeboat', 'defaults', 'by hand'] as const;

export async function restoreToTarget(ground: Ground, rounds: number): Promise<Findings> {
  const tunedWay = tuned(ground, cpus().length);
  const newFolder = () => join(ground.estate.servers.db2.scratch, `bench-${randomBytes(3).toString('hex')}`);
  // Who comes first would pay for the disk, which still writes what the ground was made of.
  await restoreByHand(ground, defaults, newFolder());
  const took = await compete(contestants, rounds, async (name, round) => {
    ground.signal.throwIfAborted();
    const ms =
      name === 'lifeboat'
        ? await restoreWithLifeboat(ground, newFolder())
        : await restoreByHand(ground, name === 'defaults' ? defaults : tunedWay, newFolder());
    ground.say(`(a) round ${round + 1}, ${name}: ${(ms / 1000).toFixed(1)} s`);
    return ms;
  });
  return {
    rows: [
      rowOf('a', 'restore to target, Lifeboat', 'ms', took.lifeboat),
      rowOf('a', 'restore to target, pgbackrest restore + pg_ctl start with defaults', 'ms', took.defaults),
      rowOf('a', 'restore to target, the same by hand with the best settings', 'ms', took['by hand']),
    ],
    goals: [
      atMost('a', 'Lifeboat / defaults', medianRatio(took.lifeboat, took.defaults), 0.85),
      atMost('a', 'Lifeboat / best settings by hand', medianRatio(took.lifeboat, took['by hand']), 1),
    ],
  };
}

async function restoreWithLifeboat({ client, plan, backup, target }: Ground, directory: string): Promise<number> {
  const scratch = { host: 'db2', directory };
  const run = (workflow: string, ask: object) =>
    client.workflow.execute(workflow, {
      taskQueue: benchQueue,
      workflowId: `bench-${workflow}-${randomBytes(4).toString('hex')}`,
      args: [ask],
    });
  try {
    const started = performance.now();
    await run('restoreToTarget', {
      backups: plan.backups.physical,
      scratch,
      ...backup,
      target: { kind: 'lsn', inclusive: true, ...target },
    });
    return performance.now() - started;
  } finally {
    await run('removeRestored', scratch);
  }
}
