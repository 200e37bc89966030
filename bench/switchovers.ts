/** (j) For how long nobody can write while primary and standby change places: Lifeboat, and a script of the same commands. */
import { lostFor } from '../lab/customer.ts';
import { drawRunName, startRun } from '../lab/demo/runs.ts';
import type { Host } from '../lab/layout.ts';
import { other, primaryOf, roles, served } from '../lab/pair.ts';
import { until } from '../lab/until.ts';
import { evidenceQuery } from '../workflows/messages.ts';
import { archived } from './archived.ts';
import { atMost, rowOf } from './findings.ts';
import type { PairGround } from './pair-ground.ts';
import { approve, question, refuseFailure, signedStart } from './questions.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { endOf } from './runs.ts';
import { median, medianRatio } from './statistics.ts';
import { switchByHand } from './switchover-by-hand.ts';

const contestants = ['lifeboat', 'script'] as const;
type Contestant = (typeof contestants)[number];

/** There and back: the two servers are never quite alike, and with two turns a round each contestant begins once from each of them. */
const turnsEachRound = 2;
/** Longer than this nobody may be unable to write, milliseconds. */
const wantedMs = 3_000;
/** Writes of the customer that show that he is served again. */
const servedWrites = 20;

export async function switchovers(ground: PairGround, rounds: number): Promise<Findings> {
  const gaps = await compete(contestants, rounds * turnsEachRound, async (name, turn) => {
    const from = await primaryOf(ground.estate);
    const gapMs = await writesStopped(ground, name, from);
    ground.say(`(j) turn ${turn + 1}, ${name}, ${from} to ${other(from)}: no write for ${gapMs.toFixed(0)} ms`);
    return gapMs;
  });
  return {
    rows: [
      rowOf('j', 'writes stopped in a switchover by Lifeboat', 'ms', gaps.lifeboat),
      rowOf('j', 'writes stopped in a switchover by a script with pg_ctl', 'ms', gaps.script),
      rowOf('j', 'writes stopped, Lifeboat / script', 'ratio', [medianRatio(gaps.lifeboat, gaps.script)]),
    ],
    goals: [atMost('j', 'writes stopped in a switchover by Lifeboat', median(gaps.lifeboat), wantedMs, 'ms')],
  };
}

/** The longest time between two writes that were acknowledged to the customer, milliseconds. */
async function writesStopped(ground: PairGround, name: Contestant, from: Host): Promise<number> {
  const { customer, signal } = ground;
  signal.throwIfAborted();
  customer.longestGap();
  await (name === 'lifeboat' ? switchByLifeboat(ground) : switchByHand(ground, from));
  const before = customer.acknowledged.length;
  await until({ what: 'the customer to be served', withinMs: 60_000, signal }, async () => {
    return customer.acknowledged.length > before + servedWrites;
  });
  const gapMs = customer.longestGap().ms;
  await proven(ground, from);
  // The next turn finds what the first one found: nothing waits for the archive. Lifeboat's own switchover sees to that itself.
  await archived(ground.estate, other(from), ground.signal);
  return gapMs;
}

async function switchByLifeboat(ground: PairGround): Promise<void> {
  const { client, signal } = ground;
  const run = drawRunName();
  const handle = await startRun(client, 'switchover', run, signedStart(ground, run, 'orders'));
  await approve(ground, handle, await question(handle, signal));
  await until({ what: `${run} to be completed`, withinMs: 600_000, everyMs: 250, signal }, async () => {
    const evidence = await handle.query(evidenceQuery);
    refuseFailure(evidence);
    return evidence.outcome !== 'running';
  });
  const { evidence } = await endOf(handle, signal);
  refuseFailure(evidence);
}

/** A time says something only of a change that was one; whose it was is of no account here. */
async function proven({ estate, customer }: PairGround, from: Host): Promise<void> {
  const found = await roles(estate);
  const led = await served(estate);
  const to = other(from);
  if (found[to] !== 'primary' || found[from] !== 'standby' || led.join() !== to)
    throw new Error(
      `db1 is ${found.db1}, db2 is ${found.db2}, and the front door leads to ${led.join(' and ') || 'nobody'}; expected ${to} as the primary, alone behind the door`,
    );
  const lost = await lostFor(estate, [...customer.acknowledged]);
  if (lost.length > 0)
    throw new Error(`${lost.length} writes are lost that were acknowledged: ${lost.slice(0, 5)} ...`);
}
