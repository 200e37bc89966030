/** Who is killed at which point, and on which side of it: drawn by a seed, so that a few seeds try every pair everywhere. */
import { createHash } from 'node:crypto';
import { type Side, sides } from '../../lab/kills/order.ts';
import type { Point } from './points.ts';

export const victims = ['host', 'control', 'both', 'child', 'temporal'] as const;
export type Victim = (typeof victims)[number];

export interface Planned {
  point: Point;
  victim: Victim;
  side: Side;
  /** Of `during`: how far into the work, 0 to 1. */
  depth: number;
}

export interface Wish {
  seed: number;
  /** Part of a step's or an activity's name. */
  step?: string;
  victim?: Victim;
  side?: Side;
  /** So many walks, drawn by the seed. */
  only?: number;
}

interface Pair {
  victim: Victim;
  side: Side;
}

/** Where the workflow decides, there is no activity to stand in: the worker that decides dies, or the engine that it tells. */
const whenDeciding: readonly Victim[] = ['control', 'temporal'];
const walked: readonly Victim[] = ['host', 'control', 'child', 'temporal'];
const pairs: readonly Pair[] = sides.flatMap((side) =>
  (side === 'deciding' ? whenDeciding : walked).map((victim) => ({ victim, side })),
);
/** Shares no factor with the number of pairs: neighbours differ in both, and all pairs come round. */
const stride = 5;

export function plan(points: readonly Point[], wish: Wish): Planned[] {
  const named = points.filter(({ step, id, activity }) =>
    wish.step === undefined ? true : [step, id, activity].some((name) => name.includes(wish.step ?? '')),
  );
  const planned = named.map((point) => ({
    point,
    ...pairFor(point, wish, points.indexOf(point)),
    depth: 0.15 + 0.6 * drawn(wish.seed, `depth ${point.runbook} ${point.id}`),
  }));
  return wish.only === undefined ? planned : some(planned, wish.only, wish.seed);
}

function pairFor({ activity }: Point, { seed, victim, side }: Wish, index: number): Pair {
  if (activity === 'workflow')
    return { victim: victim ?? whenDeciding[(seed + index) % whenDeciding.length] ?? 'control', side: 'deciding' };
  const wanted = pairs.filter(
    (pair) => (side === undefined || pair.side === side) && (victim === undefined || pair.victim === victim),
  );
  const turn = seed + index * stride;
  const pair = wanted[turn % Math.max(1, wanted.length)];
  // What is wished for and not in the rotation, such as both workers at once.
  return pair ?? { victim: victim ?? 'control', side: side ?? sides[turn % 3] ?? 'during' };
}

/** In their own order. */
function some(planned: readonly Planned[], count: number, seed: number): Planned[] {
  const ranked = planned.map((one, index) => ({ one, index, rank: drawn(seed, `walk ${index}`) }));
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .toSorted((a, b) => a.index - b.index)
    .map(({ one }) => one);
}

/** Evenly in 0 to 1, the same on every machine. */
function drawn(seed: number, what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE(0) / 2 ** 32;
}
