/** (d) What customers feel while a drill goes on beside the service, on the same machine. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Purchase, readPurchases } from '../lab/load-report.ts';
import { startLoad } from '../lab/shop-processes.ts';
import { drillByHand, drillWithLifeboat } from './drills.ts';
import { atLeast, atMost, rowOf } from './findings.ts';
import type { Ground } from './ground.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { medianRatio, p99 } from './statistics.ts';

/** What two cores bear with a drill beside. */
const ordersPerSecond = 100;
const quietMs = 20_000;
/** The load writes its times once a second. */
const reportedAfterMs = 1_500;
/** Two runs of the same script differ by as much: less is no difference. */
const noise = 0.05;

const contestants = ['quiet', 'lifeboat', 'script'] as const;
type Contestant = (typeof contestants)[number];

interface Felt {
  ordersPerSecond: number;
  p99Ms: number;
}

export async function serviceCost(ground: Ground, rounds: number): Promise<Findings> {
  const { site } = ground.estate;
  ground.say(`(d) ${ordersPerSecond} orders a second are placed and paid`);
  await startLoad(site, ordersPerSecond, site.layout.loadTimes);
  try {
    const felt = await compete(contestants, rounds, async (name, round) => {
      const seen = await feltDuring(ground, name);
      ground.say(
        `(d) round ${round + 1}, ${name}: ${seen.ordersPerSecond.toFixed(1)} orders/s, p99 ${seen.p99Ms.toFixed(0)} ms`,
      );
      return seen;
    });
    return findings(felt);
  } finally {
    await site.processes.get('load')?.stop();
  }
}

async function feltDuring(ground: Ground, name: Contestant): Promise<Felt> {
  ground.signal.throwIfAborted();
  const from = Date.now();
  if (name === 'quiet') await pause(quietMs, undefined, { signal: ground.signal });
  else if (name === 'lifeboat') await drillWithLifeboat(ground);
  else await drillByHand(ground);
  const to = Date.now();
  await pause(reportedAfterMs);
  const purchases = await readPurchases(ground.estate.site.layout.loadTimes);
  return feltBetween(purchases, from, to);
}

function feltBetween(purchases: Purchase[], from: number, to: number): Felt {
  const meant = purchases.filter(({ endedAt }) => endedAt >= from && endedAt <= to);
  if (meant.length === 0) throw new Error('nobody could buy anything: there is nothing to measure');
  return { ordersPerSecond: meant.length / ((to - from) / 1_000), p99Ms: p99(meant.map(({ tookMs }) => tookMs)) };
}

const words: Record<Contestant, string> = {
  quiet: 'without a drill',
  lifeboat: "during Lifeboat's drill",
  script: "during the script's drill",
};

function findings(felt: Record<Contestant, Felt[]>): Findings {
  const orders = (name: Contestant) => felt[name].map((one) => one.ordersPerSecond);
  const slowest = (name: Contestant) => felt[name].map((one) => one.p99Ms);
  return {
    rows: [
      ...contestants.map((name) => rowOf('d', `orders placed and paid ${words[name]}`, 'orders/s', orders(name))),
      ...contestants.map((name) => rowOf('d', `99 of 100 orders took at most, ${words[name]}`, 'ms', slowest(name))),
    ],
    goals: [
      atLeast('d', 'orders/s, Lifeboat / script', medianRatio(orders('lifeboat'), orders('script')), 1 - noise),
      atMost('d', 'p99, Lifeboat / script', medianRatio(slowest('lifeboat'), slowest('script')), 1 + noise),
    ],
  };
}
