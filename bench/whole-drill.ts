/** (b) The whole drill, from its start to the proof that nothing is left, against a script that does the same. */
import { drillByHand, drillWithLifeboat } from './drills.ts';
import { atMost, rowOf } from './findings.ts';
import type { Ground } from './ground.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { medianRatio } from './statistics.ts';

export async function wholeDrill(ground: Ground, rounds: number): Promise<Findings> {
  const took = await compete(['lifeboat', 'script'] as const, rounds, async (name, round) => {
    ground.signal.throwIfAborted();
    const ms = name === 'lifeboat' ? (await drillWithLifeboat(ground)).tookMs : await drillByHand(ground);
    ground.say(`(b) round ${round + 1}, ${name}: ${(ms / 1_000).toFixed(1)} s`);
    return ms;
  });
  return {
    rows: [
      rowOf('b', 'the whole drill, Lifeboat', 'ms', took.lifeboat),
      rowOf('b', 'the same drill by a shell script', 'ms', took.script),
    ],
    goals: [atMost('b', 'Lifeboat / shell script', medianRatio(took.lifeboat, took.script), 1.1)],
  };
}
