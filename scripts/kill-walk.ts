/**
 * Runs the runbooks again and again, once for each of their steps, and kills somebody in each run.
 * Exit code 0: every run came to its good end, nothing was done twice, nothing is left, and the service was written to all the time; 130
 * after Ctrl-C, which leaves no process and no file.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { sides } from '../lab/kills/order.ts';
import { type LiveWalk, type LiveWalked, walkLive } from './kills/live.ts';
import { recoveries } from './kills/recovery.ts';
import { regionMoves } from './kills/region.ts';
import { victims, type Wish } from './kills/rotation.ts';
import { isWalkedLive, type LiveRunbook, type Walkable, walkable, walkedLive } from './kills/runbooks.ts';
import { withScene } from './kills/scene.ts';
import { switchovers } from './kills/switchover.ts';
import { renderTable, renderWrites, rowOf, type Told } from './kills/table.ts';
import type { Walked } from './kills/walk.ts';
import { type Calms, calmRuns, planWalks, walkAll } from './kills/walks.ts';

interface Options extends Omit<Wish, 'seed'> {
  seed?: number;
  runbook?: (Walkable | LiveRunbook)[];
  json?: string;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('write a whole number');
  return value;
}

function positive(text: string): number {
  if (wholeNumber(text) === 0) throw new InvalidArgumentError('write a whole number above 0');
  return Number(text);
}

const options = new Command('kill-walk')
  .description('Kills a worker, a database process or the engine at every step of every runbook, one a run.')
  .option('--seed <number>', 'who dies where, as in an earlier walk', wholeNumber)
  .addOption(
    new Option(
      '--runbook <names...>',
      `only these (default: ${walkable.join(', ')}; each of the others is walked alone)`,
    ).choices([...walkable, ...walkedLive]),
  )
  .option('--step <text>', 'only at steps or activities whose name holds this')
  .addOption(new Option('--victim <who>', 'always this one').choices(victims))
  .addOption(new Option('--side <when>', 'always on this side of the work').choices(sides))
  .option('--only <number>', 'only so many walks, drawn by the seed', positive)
  .option('--json <file>', 'write the walks there')
  .parse()
  .opts<Options>();

const liveWalks: Record<LiveRunbook, LiveWalk> = {
  switchover: switchovers,
  'region-switchover': regionMoves,
  'point-in-time-recovery': recoveries,
};

/** They change the servers that other walks must leave alone, and have an estate of their own. */
async function walkAlone(runbook: LiveRunbook, { json, ...wish }: Options, signal: AbortSignal): Promise<LiveWalked[]> {
  const { seed = Math.floor(Math.random() * 1e6) } = wish;
  console.log(`seed ${seed}`);
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-kills-'));
  const walks: LiveWalked[] = [];
  try {
    const say = (line: string) => console.log(`  ${line}`);
    await walkLive(liveWalks[runbook], { root, signal, say }, { ...wish, seed }, (walked, number) => {
      walks.push(walked);
      console.log(`${rowOf(walked, number).join(' · ')} · no write for ${inSeconds(walked.gapMs)}`);
    });
  } finally {
    await rm(root, { recursive: true, force: true });
    await report(seed, walks, renderTable(walks), json);
  }
  return walks;
}

async function report(seed: number, walks: readonly Told[], text: string, json: string | undefined): Promise<void> {
  if (walks.length > 0) console.log(`\nseed ${seed}\n\n${text}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ seed, walks }, undefined, 2)}\n`);
}

async function main(signal: AbortSignal): Promise<Walked[]> {
  const { json, runbook: named, seed = Math.floor(Math.random() * 1e6), ...wish } = options;
  const runbook = named?.filter((one) => !isWalkedLive(one));
  console.log(`seed ${seed}`);
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-kills-'));
  const walks: Walked[] = [];
  try {
    await withScene({ root, signal, say: (line) => console.log(`  ${line}`) }, async (scene) => {
      const calms = await calmRuns(scene, runbook);
      const planned = planWalks(calms, { seed, ...wish });
      if (planned.length === 0) throw new Error(noSuchStep(calms, wish.step ?? ''));
      const undisturbed = [...calms].map(([name, { tookMs }]) => `${name} ${inSeconds(tookMs)}`).join(', ');
      console.log(`${planned.length} walks; undisturbed: ${undisturbed}`);
      await walkAll(scene, calms, planned, (walked, number) => {
        walks.push(walked);
        console.log(`${rowOf(walked, number).join(' · ')}`);
        for (const problem of walked.problems) console.log(`    NOT SURVIVED: ${problem}`);
      });
    });
  } finally {
    await rm(root, { recursive: true, force: true });
    await report(seed, walks, `${renderTable(walks)}\n\n${renderWrites(walks)}`, json);
  }
  return walks;
}

function noSuchStep(calms: Calms, text: string): string {
  const steps = [...calms].flatMap(([name, { points }]) =>
    points.map(({ step, activity }) => `${name} ${step} (${activity})`),
  );
  return `no step and no activity has "${text}" in its name; there are:\n  ${[...new Set(steps)].join('\n  ')}`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

try {
  const [alone, ...others] = (options.runbook ?? []).filter(isWalkedLive);
  if (alone !== undefined && (options.runbook?.length ?? 0) > 1)
    throw new Error(`${[alone, ...others].join(' and ')} can only be walked alone: give one of them to --runbook`);
  const walks: { problems: string[] }[] =
    alone === undefined ? await main(interrupted.signal) : await walkAlone(alone, options, interrupted.signal);
  const lost = walks.filter(({ problems }) => problems.length > 0).length;
  console.log(`${walks.length - lost} of ${walks.length} kills survived`);
  process.exitCode = lost === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
// All is ended and told by now; a call of the SDK's that is still tried again on a closed connection must not keep the process.
process.exit();
