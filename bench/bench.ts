/** `npm run bench`: measures Lifeboat against what a person would do without it. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatNumberOf } from '../evidence/format.ts';
import { history, memory } from './footprint.ts';
import { type Ground, onGround } from './ground.ts';
import { thisMachine } from './machine.ts';
import { expectedMinutes, type Options, readOptions, titles } from './options.ts';
import { renderTerminal } from './render.ts';
import { writeJson, writeMarkdown } from './report.ts';
import { restoreToTarget } from './restore-to-target.ts';
import type { Findings, PartLetter, Result } from './result.ts';
import { idleActivities, runbookLayer } from './runbook-layer.ts';
import { serviceCost } from './service-cost.ts';
import { wholeDrill } from './whole-drill.ts';
import { withWorker } from './worker.ts';

const measures: Record<PartLetter, (ground: Ground, rounds: number) => Promise<Findings>> = {
  a: restoreToTarget,
  b: wholeDrill,
  c: runbookLayer,
  d: serviceCost,
  e: memory,
  f: history,
};

/** Memory first, while the workers have done little; the load last, because it writes WAL that every later drill would replay. */
const order: readonly PartLetter[] = ['e', 'f', 'c', 'a', 'b', 'd'];

const say = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);

async function bench(options: Options, signal: AbortSignal): Promise<Result> {
  const started = new Date();
  const folder = await mkdtemp(join(resolve(options.folder), 'lifeboat-bench-'));
  await chmod(folder, 0o755);
  try {
    const machine = await thisMachine(folder);
    const orders = Math.round(450_000 * options.scale);
    const size = { orders, segments: Math.max(2, Math.round(40 * options.scale)) };
    const { ground, findings } = await onGround({ root: join(folder, 'e'), ...size, say, signal }, async (ground) => ({
      ground: {
        orders,
        backupBytes: ground.backup.bytes,
        segments: ground.segments,
        segmentBytes: ground.segmentBytes,
      },
      findings: await measured(ground, options),
    }));
    return {
      schema: 'lifeboat-bench/1',
      startedAt: started.toISOString(),
      tookMs: Date.now() - started.getTime(),
      rounds: options.rounds,
      machine,
      ground,
      rows: findings.flatMap(({ rows }) => rows),
      goals: findings.flatMap(({ goals }) => goals),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In the order in which they disturb each other least, told in the order of their letters. */
function measured(ground: Ground, { only, rounds }: Options): Promise<Findings[]> {
  return withWorker(ground.estate.temporal.address, idleActivities, async () => {
    const found = new Map<PartLetter, Findings>();
    for (const part of order.filter((one) => only.includes(one))) {
      say(titles[part]);
      found.set(part, await measures[part](ground, rounds));
    }
    return only.flatMap((part) => found.get(part) ?? []);
  });
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
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
