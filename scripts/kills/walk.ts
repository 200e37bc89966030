/** One run with one kill in it, judged by what the servers and an observer say. */
import { setTimeout as pause } from 'node:timers/promises';
import { type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Estate } from '../../lab/estate.ts';
import type { Done, KillOrder } from '../../lab/kills/order.ts';
import { until } from '../../lab/until.ts';
import { evidenceQuery } from '../../workflows/messages.ts';
import { doneIn, give, type Order, strike } from './kill.ts';
import { attemptsOf, countOf, type History, type Point, pointsOf } from './points.ts';
import type { Planned } from './rotation.ts';
import { isWalkedLive, type Walkable, walkedRunbooks } from './runbooks.ts';
import { type Scene, startRun } from './scene.ts';
import { type Deeds, ScratchLogs } from './scratch-logs.ts';
import { archivePasses, isWhole, leftOver, litterIn, newIn, resultsIn } from './traces.ts';
import type { Written } from './writes.ts';

/** An undisturbed run takes seconds; this is for a machine that is busy with other things. */
const longestRunMs = 240_000;
const longestWriteMs = 5_000;

export const neverReached = 'nobody was killed: the point was never reached';

/** A run that nobody disturbs: the measure for the others. */
export interface Calm {
  points: Point[];
  done: Done[];
  tookMs: number;
}

export interface Walked {
  planned: Planned;
  /** Who was killed, as people read it. */
  victim: string;
  outcome: string;
  attempts: number;
  extraMs: number;
  leftOver: string[];
  deeds: Deeds;
  written: Written;
  /** Everything that is not as promised. Empty: the run survived. */
  problems: string[];
}

export async function calmRun(scene: Scene, runbook: Walkable): Promise<Calm> {
  const { input, goodEnd, adds } = walkedRunbooks[runbook];
  const ready = await input(scene);
  const began = Date.now();
  const handle = await startRun(scene, runbook, ready);
  const outcome = await outcomeOf(handle, scene.estate);
  const tookMs = Date.now() - began;
  if (outcome !== goodEnd) throw new Error(`the ${runbook} that nobody disturbed ended ${outcome}`);
  if (adds.anchors > 0) await archivePasses(scene.estate);
  const evidence = await handle.query<Evidence>(evidenceQuery);
  const points = pointsOf(runbook, await handle.fetchHistory(), evidence);
  return { points, done: await doneIn(scene.estate, handle.workflowId), tookMs };
}

export async function walk(scene: Scene, planned: Planned, calm: Calm): Promise<Walked> {
  const { estate, writer } = scene;
  const { runbook } = planned.point;
  if (isWalkedLive(runbook)) throw new Error(`a ${runbook} is walked by kills/live.ts`);
  const { input, goodEnd, adds } = walkedRunbooks[runbook];
  const before = { litter: await litterIn(estate), results: await resultsIn(estate) };
  const ready = await input(scene);
  writer.sinceLast();
  const over = new AbortController();
  const logs = new ScratchLogs(estate.servers.db2.scratch);
  try {
    const order = await give(estate, pointIn(planned, calm));
    const began = Date.now();
    const handle = await startRun(scene, runbook, ready);
    const striking = strikeWhenThere(estate, planned, order, over.signal);
    // Told below, when the run is over: it must not end the walk before.
    striking.catch(() => undefined);
    const outcome = await outcomeOf(handle, estate);
    const tookMs = Date.now() - began;
    over.abort();
    const victim = await striking;
    const left = await leftAfter(estate, before.litter);
    const deeds = await logs.deeds(handle.workflowId);
    const written = writer.sinceLast();
    const history = await handle.fetchHistory();
    if (adds.anchors > 0) await archivePasses(estate);
    const problems = [
      ...(victim === undefined ? [neverReached] : []),
      ...(outcome === goodEnd ? [] : [`ended ${outcome}`]),
      ...left,
      ...writesStopped(written),
      ...doneTwice(planned, deeds, history),
      ...(await wrongResults(estate, handle, runbook, before.results)),
    ];
    return {
      planned,
      victim: victim ?? 'nobody',
      outcome,
      attempts: attemptsOf(history, planned.point.id),
      extraMs: tookMs - calm.tookMs,
      leftOver: left,
      deeds,
      written,
      problems,
    };
  } finally {
    over.abort();
    await logs.end();
  }
}

/** Shorter work cannot be met by a clock. */
const shortMs = 200;
/** Of the acts of longer work: by then the clock should have struck, and if it did not, the work is about to end. */
const lastActs = 0.9;

/**
 * The middle of long work is told by the clock, that of short work by what it does. Whichever comes first of the two is still in the
 * middle, on a quick machine and on a slow one.
 */
export function pointIn({ point, side, depth }: Planned, { done }: Calm): KillOrder {
  const { ms, acts } = done.find(({ activity }) => activity === point.id) ?? { ms: 0, acts: 0 };
  return {
    activity: point.id,
    side,
    afterMs: Math.max(1, Math.round(depth * ms)),
    afterActs: Math.max(1, Math.floor((ms < shortMs ? depth : lastActs) * acts)),
  };
}

/** The victim, once a worker stands at the point; undefined when none ever did. */
export async function strikeWhenThere(
  estate: Estate,
  planned: Planned,
  order: Order,
  over: AbortSignal,
): Promise<string | undefined> {
  while (!order.taken()) {
    if (over.aborted) {
      await order.withdraw();
      return undefined;
    }
    await pause(5);
  }
  return strike(estate, planned);
}

/** Asked again and again: the engine may be the victim. A run that hangs is ended, so that the next can be tried. */
export async function outcomeOf(handle: WorkflowHandle, { site: { signal } }: Estate): Promise<string> {
  try {
    await until({ what: `${handle.workflowId} to end`, withinMs: longestRunMs, everyMs: 100, signal }, async () => {
      const { status } = await handle.describe();
      return status.name !== 'RUNNING';
    });
  } catch (error) {
    signal.throwIfAborted();
    await handle.cancel().catch(() => undefined);
    await Promise.race([handle.result().catch(() => undefined), pause(60_000)]);
    await handle.terminate().catch((reason) => {
      if (!(reason instanceof WorkflowNotFoundError)) throw reason;
    });
    return `hung (${error instanceof Error ? error.message : error})`;
  }
  const evidence = await until({ what: 'its evidence', withinMs: 30_000, everyMs: 200 }, () =>
    handle.query<Evidence>(evidenceQuery),
  ).catch(() => undefined);
  if (evidence === undefined) return (await handle.describe()).status.name.toLowerCase();
  const dirty = evidence.leftBehind.length === 0 ? '' : `, dirty: ${evidence.leftBehind.join('; ')}`;
  const why =
    evidence.failure === undefined
      ? ''
      : `: ${evidence.failure.step ?? ''} ${evidence.failure.type} ${evidence.failure.message}`;
  return `${evidence.outcome}${why}${dirty}`;
}

/** What was told to end may need a moment. */
async function leftAfter(estate: Estate, before: Parameters<typeof leftOver>[0]): Promise<string[]> {
  let left: string[] = [];
  await until({ what: 'nothing to be left', withinMs: 10_000, everyMs: 200 }, async () => {
    left = leftOver(before, await litterIn(estate));
    return left.length === 0;
  }).catch(() => undefined);
  return left;
}

function writesStopped({ acknowledged, failed, slowestMs }: Written): string[] {
  return [
    ...(acknowledged > 0 ? [] : ['no write of the observer was acknowledged']),
    ...failed.slice(0, 3).map((why) => `a write failed: ${why}`),
    ...(slowestMs <= longestWriteMs ? [] : [`a write took ${Math.round(slowestMs / 1000)} s`]),
  ];
}

/**
 * A complete restore is not done again, a server is started once for each of its targets, and promoted once. One time more is allowed
 * where the kill struck that very work in its middle, or the server itself.
 */
function doneTwice({ point, victim, side }: Planned, deeds: Deeds, history: History): string[] {
  const struck = (activity: string) => (point.activity === activity && side === 'during' ? 1 : 0);
  const targets = countOf(history, 'replayTo');
  const starts = targets + (victim === 'child' ? 2 : struck('replayTo'));
  const restores = countOf(history, 'restoreBeside');
  const promotions = countOf(history, 'promoteScratch');
  return [
    ...(deeds.restoresCompleted >= restores && deeds.restoresCompleted <= restores + struck('restoreBeside')
      ? []
      : [`${deeds.restoresCompleted} restores were completed, expected ${restores}`]),
    ...(deeds.starts >= targets && deeds.starts <= starts
      ? []
      : [`the server beside was started ${deeds.starts} times, expected ${targets}`]),
    ...(deeds.timelines.length === promotions ? [] : [`promoted to timelines ${deeds.timelines.join(', ') || 'none'}`]),
  ];
}

async function wrongResults(
  estate: Estate,
  { workflowId }: WorkflowHandle,
  runbook: Walkable,
  before: Awaited<ReturnType<typeof resultsIn>>,
): Promise<string[]> {
  const after = await resultsIn(estate);
  const backups = newIn(before.backups, after.backups);
  const anchors = newIn(before.anchors, after.anchors);
  const { adds } = walkedRunbooks[runbook];
  const own = newIn(before.evidence, after.evidence).filter((name) => name.includes(workflowId));
  const records = own.filter((name) => name.endsWith('/evidence.json'));
  const listed = own.filter((name) => name.includes('/index/'));
  return [
    ...(backups.length === adds.backups ? [] : [`${backups.length} backups more, expected ${adds.backups}`]),
    ...(anchors.length === adds.anchors ? [] : [`${anchors.length} anchors more, expected ${adds.anchors}`]),
    ...(await Promise.all(anchors.map((anchor) => isWhole(estate, anchor)))).flatMap((whole) =>
      whole ? [] : ['an anchor is not whole'],
    ),
    ...(records.length === 1 && listed.length === 1
      ? []
      : [`${records.length} records and ${listed.length} lines in the list of runs, expected one of each`]),
  ];
}
