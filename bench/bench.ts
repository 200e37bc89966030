/** `npm run bench`: measures Lifeboat against what a person would do without it. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatNumberOf } from '../evidence/format.ts';
import { approvals } from './approvals.ts';
import { history, memory } from './footprint.ts';
import { type Ground, onGround } from './ground.ts';
import { longWait } from './long-wait.ts';
import { thisMachine } from './machine.ts';
import { expectedMinutes, grounds, type Options, readOptions, titles } from './options.ts';
import { onPairGround } from './pair-ground.ts';
import { parkedRuns } from './parked-runs.ts';
import { onPeopleGround } from './people-ground.ts';
import { recoveries } from './recoveries.ts';
import { renderTerminal } from './render.ts';
import { writeJson, writeMarkdown } from './report.ts';
import { restoreToTarget } from './restore-to-target.ts';
import type { BackupGround, Findings, PartLetter, Result } from './result.ts';
import { idleActivities, runbookLayer } from './runbook-layer.ts';
import { search } from './search.ts';
import { serviceCost } from './service-cost.ts';
import { switchovers } from './switchovers.ts';
import { wholeDrill } from './whole-drill.ts';
import { withWorker } from './worker.ts';

const onBackup: Record<(typeof grounds.backup)[number], (ground: Ground, rounds: number) => Promise<Findings>> = {
  a: restoreToTarget,
  b: wholeDrill,
  c: runbookLayer,
  d: serviceCost,
  e: memory,
  f: history,
  k: search,
};

/** Memory first, while the workers have done little; the load last, because it writes WAL that every later drill would replay. */
const order: readonly (typeof grounds.backup)[number][] = ['e', 'f', 'k', 'c', 'a', 'b', 'd'];

const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);

interface Bench {
  options: Options;
  folder: string;
  signal: AbortSignal;
  found: Map<PartLetter, Findings>;
  /** What could not be measured, and why: the others keep what they have found. */
  failed: string[];
}

async function bench(options: Options, signal: AbortSignal): Promise<Result> {
  const started = new Date();
  const folder = await mkdtemp(join(resolve(options.folder), 'lifeboat-bench-'));
  await chmod(folder, 0o755);
  try {
    const machine = await thisMachine(folder);
    const whole: Bench = { options, folder, signal, found: new Map(), failed: [] };
    const ground = await orGoOn(whole, 'the estate with a backup', () => measureOnBackup(whole));
    await orGoOn(whole, 'the estate in which people are asked', () => measureOnPeople(whole));
    await take(whole, 'i', () => longWait({ folder, say, signal }));
    await orGoOn(whole, 'the pair of servers', () => measureOnPair(whole));
    await orGoOn(whole, 'the large pair of servers', () => measureOnLargePair(whole));
    const findings = options.only.flatMap((part) => whole.found.get(part) ?? []);
    return {
      schema: 'lifeboat-bench/1',
      startedAt: started.toISOString(),
      tookMs: Date.now() - started.getTime(),
      rounds: options.rounds,
      machine,
      ...(ground === undefined ? {} : { ground }),
      rows: findings.flatMap(({ rows }) => rows),
      goals: findings.flatMap(({ goals }) => goals),
      ...(whole.failed.length === 0 ? {} : { failed: whole.failed }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Measures a part that is wanted. They are told in the order of their letters, whatever the order in which they were measured. */
async function take(whole: Bench, part: PartLetter, measure: () => Promise<Findings>): Promise<void> {
  if (!whole.options.only.includes(part)) return;
  say(titles[part]);
  await orGoOn(whole, titles[part], async () => whole.found.set(part, await measure()));
}

/** Half an hour of measurements is not thrown away for one that fails. */
async function orGoOn<T>({ failed, signal }: Bench, what: string, measure: () => Promise<T>): Promise<T | undefined> {
  try {
    return await measure();
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    say(`NOT MEASURED: ${what}: ${why}`);
    failed.push(`${what}: ${why}`);
    return undefined;
  }
}

function wants({ options }: Bench, parts: readonly PartLetter[]): boolean {
  return parts.some((part) => options.only.includes(part));
}

/** Of the data, and of the WAL after the backup. */
function sizeOf({ options: { scale } }: Bench): { orders: number; segments: number } {
  return { orders: Math.round(450_000 * scale), segments: Math.max(2, Math.round(40 * scale)) };
}

/** In the order in which they disturb each other least. */
async function measureOnBackup(whole: Bench): Promise<BackupGround | undefined> {
  if (!wants(whole, grounds.backup)) return undefined;
  const { rounds } = whole.options;
  const size = sizeOf(whole);
  const { orders } = size;
  return onGround({ ...size, ...place(whole, 'e') }, async (ground) => {
    await withWorker(ground.estate.temporal.address, idleActivities, async () => {
      for (const part of order) await take(whole, part, () => onBackup[part](ground, rounds));
    });
    const { backup, segments, segmentBytes } = ground;
    return { orders, backupBytes: backup.bytes, segments, segmentBytes };
  });
}

async function measureOnPeople(whole: Bench): Promise<void> {
  if (!wants(whole, grounds.people)) return;
  const { rounds, scale } = whole.options;
  await onPeopleGround(place(whole, 'p'), async (ground) => {
    await take(whole, 'g', () => approvals(ground, rounds, scale));
    await take(whole, 'h', () => parkedRuns(ground, rounds, scale));
  });
}

async function measureOnPair(whole: Bench): Promise<void> {
  if (!wants(whole, grounds.pair)) return;
  await onPairGround(place(whole, 's'), (ground) => take(whole, 'j', () => switchovers(ground, whole.options.rounds)));
}

async function measureOnLargePair(whole: Bench): Promise<void> {
  if (!wants(whole, grounds.largePair)) return;
  const { orders, segments } = sizeOf(whole);
  await onPairGround({ orders, ...place(whole, 'r') }, (ground) =>
    take(whole, 'l', () => recoveries(ground, whole.options.rounds, segments)),
  );
}

/** Short names: a socket's path may have no more than 107 bytes. */
function place({ folder, signal }: Bench, name: string) {
  return { root: join(folder, name), say, signal };
}

async function main(): Promise<void> {
  // The SDK's warning of a Node that it will want one day is no part of the result.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const options = readOptions(process.argv.slice(2));
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}: no process and no file is left`)));
  const parts = options.only.map((part) => titles[part]).join('; ');
  say(
    `${formatNumberOf(options.rounds, 'round')} of ${parts}: about ${expectedMinutes(options)} min on two quiet cores`,
  );
  const result = await bench(options, interrupted.signal).catch((error: unknown) => {
    // What an interruption breaks says less than the interruption.
    interrupted.signal.throwIfAborted();
    throw error;
  });
  if (options.json !== undefined) await writeJson(options.json, result);
  if (options.markdown !== undefined) await writeMarkdown(options.markdown, result);
  console.log(`\n${renderTerminal(result)}`);
  for (const one of result.failed ?? []) console.error(`not measured: ${one}`);
  if (result.failed !== undefined) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
