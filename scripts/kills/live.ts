/**
 * Live runs with one kill in each: they change the very servers that other walks must leave alone, have an estate of their own, and are
 * judged by what its servers say.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { type Customer, startCustomer } from '../../lab/customer.ts';
import { type Estate, type EstateOptions, startEstate } from '../../lab/estate.ts';
import type { Host } from '../../lab/layout.ts';
import { other, primaryOf } from '../../lab/pair.ts';
import { evidenceQuery } from '../../workflows/messages.ts';
import { doneIn, give } from './kill.ts';
import { sayYes, withPeople } from './people.ts';
import { attemptsOf, type Point, pointsOf } from './points.ts';
import { type Planned, plan, type Wish } from './rotation.ts';
import type { LiveRunbook } from './runbooks.ts';
import { startRun, walkEstate } from './scene.ts';
import type { Told } from './table.ts';
import { type Calm, neverReached, outcomeOf, pointIn, strikeWhenThere } from './walk.ts';

export interface LiveScene {
  estate: Estate;
  client: Client;
  customer: Customer;
}

/** How a runbook is walked. */
export interface LiveWalk {
  runbook: LiveRunbook;
  goodEnd: Evidence['outcome'];
  /** Where the usual estate is not enough. */
  estate?: Partial<EstateOptions>;
  /** Makes ready what a run is for. */
  prepare(scene: LiveScene, from: Host): Promise<Prepared>;
}

export interface Prepared {
  input: object;
  /** Everything that is not as promised after the run, in words. */
  wrongAfter(): Promise<string[]>;
}

export interface LiveWalked extends Told {
  /** The longest time without an acknowledged write, milliseconds. */
  gapMs: number;
  problems: string[];
}

/** Whose only customer counts what was acknowledged to him: what others write, nobody could compare afterwards. */
const { load: _customers, ...quietEstate } = walkEstate;

/** Takes a backup, runs once in peace, and then once for each planned kill. Ends at the first that is not as promised. */
export async function walkLive(
  live: LiveWalk,
  options: Pick<EstateOptions, 'root'> & Partial<EstateOptions>,
  wish: Wish,
  told: (walked: LiveWalked, number: number) => void,
): Promise<LiveWalked[]> {
  const estate = await startEstate({ ...quietEstate, ...withPeople, ...live.estate, ...options });
  try {
    const connection = await Connection.connect({ address: estate.temporal.address });
    const scene = { estate, client: new Client({ connection }), customer: await startCustomer(estate) };
    try {
      await outcomeOf(await startRun(scene, 'backup', { mode: 'live', type: 'full' }), estate);
      const from = await primaryOf(estate);
      const calm = await calmRun(live, scene, from);
      const walks: LiveWalked[] = [];
      for (const planned of plan(worthAKill(calm.points), wish)) {
        options.signal?.throwIfAborted();
        const walked = await walkUntilSomebodyDies(() => walk(live, scene, planned, { calm, from }));
        walks.push(walked);
        told(walked, walks.length);
        // Judged by its servers already: what is not as promised would be counted against the next one, too.
        if (walked.problems.length > 0) break;
      }
      return walks;
    } finally {
      await scene.customer.stop();
      await connection.close();
    }
  } finally {
    await estate.stop();
  }
}

const mostWalks = 3;

/** Work that was quicker than its measure can be over before its moment: then nothing was tried, and nothing is known. */
async function walkUntilSomebodyDies(walked: () => Promise<LiveWalked>): Promise<LiveWalked> {
  for (let time = 1; ; time += 1) {
    const one = await walked();
    const onlyNotReached = one.problems.every((problem) => problem === neverReached) && one.problems.length > 0;
    if (!onlyNotReached || time === mostWalks) return one;
  }
}

/** Of a step that asks for several locks, the check of the first: those of the others are the same deed. */
function worthAKill(points: readonly Point[]): Point[] {
  return points.filter(({ id }) => !/\/\d+\/lock-\d+$/.test(id));
}

async function calmRun({ runbook, goodEnd, prepare }: LiveWalk, scene: LiveScene, from: Host): Promise<Calm> {
  const { input, wrongAfter } = await prepare(scene, from);
  const began = Date.now();
  const handle = await startRun(scene, runbook, { mode: 'live', requestedBy: 'cara', ...input });
  await sayYes(handle);
  const outcome = await outcomeOf(handle, scene.estate);
  const tookMs = Date.now() - began;
  const problems = outcome === goodEnd ? await wrongAfter() : [`it ended ${outcome}`];
  if (problems.length > 0) throw new Error(`the ${runbook} that nobody disturbed: ${problems.join('; ')}`);
  const evidence = await handle.query<Evidence>(evidenceQuery);
  const points = pointsOf(runbook, await handle.fetchHistory(), evidence);
  return { points, done: await doneIn(scene.estate, handle.workflowId), tookMs };
}

async function walk(
  { runbook, goodEnd, prepare }: LiveWalk,
  scene: LiveScene,
  asPlanned: Planned,
  { calm, from: calmFrom }: { calm: Calm; from: Host },
): Promise<LiveWalked> {
  const { estate, customer } = scene;
  const from = await primaryOf(estate);
  const planned = from === calmFrom ? asPlanned : theOtherWay(asPlanned);
  const { input, wrongAfter } = await prepare(scene, from);
  customer.longestGap();
  const order = await give(estate, { ...pointIn(asPlanned, calm), activity: planned.point.id });
  const began = Date.now();
  const handle = await startRun(scene, runbook, { mode: 'live', requestedBy: 'cara', ...input });
  const over = new AbortController();
  const striking = strikeWhenThere(estate, planned, order, over.signal);
  striking.catch(() => undefined);
  const agreed = sayYes(handle).catch(() => undefined);
  const outcome = await outcomeOf(handle, estate);
  const extraMs = Date.now() - began - calm.tookMs;
  over.abort();
  await agreed;
  const victim = await striking;
  // The customer comes back by himself; give him the moment for it.
  await pause(500);
  const problems = [
    ...(victim === undefined ? [neverReached] : []),
    ...(outcome === goodEnd ? [] : [`ended ${outcome}`]),
    ...(await wrongAfter()),
  ];
  return {
    planned: asPlanned,
    victim: victim ?? 'nobody',
    outcome,
    attempts: attemptsOf(await handle.fetchHistory(), planned.point.id),
    extraMs,
    leftOver: problems,
    gapMs: Math.round(customer.longestGap().ms),
    problems,
  };
}

/** The same moment when the primary of the run in peace is the standby now. */
function theOtherWay(planned: Planned): Planned {
  const swapped = (text: string) => text.replace(/\bdb[12]\b/g, (host) => other(host as Host));
  const { point } = planned;
  return { ...planned, point: { ...point, id: swapped(point.id), worker: swapped(point.worker) } };
}
