/**
 * Runs the static checks and the tests, layer by layer; the last line is `N passed, N failed`.
 *
 *   ./scripts/test                 all layers; of long families of end-to-end files some, drawn by the seed
 *   ./scripts/test unit            one layer
 *   ./scripts/test e2e restore     one layer, files whose name holds "restore"
 *   --seed N                       the examples, cases and files that an earlier run has drawn
 *   --all                          also what is too slow for every run: every file, every case, thousands of examples of each property
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needParts, type PartName, PartsMissing, partNames } from '../parts/parts.ts';
import { endProcesses, leftoversBelow } from './tests/leftovers.ts';
import { BadOrder, type Layer, type Order, readOrder } from './tests/order.ts';
import { lastLine, notRun, type Outcome, renderTable } from './tests/outcome.ts';
import { runStaticChecks } from './tests/static.ts';
import { runVitest } from './tests/vitest.ts';

const partsOf: Record<Layer, readonly PartName[]> = {
  static: [],
  unit: [],
  workflows: ['test-server'],
  // Few tests need moto: they ask for it themselves.
  e2e: partNames.filter((name) => name !== 'chromium' && name !== 'moto'),
  replay: ['test-server'],
};

const ended = new AbortController();
let interrupted = false;

interface Place {
  /** The tests make everything below it. */
  root: string;
  reports: string;
  missing: PartsMissing | undefined;
}

async function main(): Promise<void> {
  const order = readOrder(process.argv.slice(2));
  // Ctrl-C reaches Vitest too, which then ends its tests in order; passing it on would make Vitest drop them.
  process.on('SIGINT', () => {
    interrupted = true;
  });
  process.on('SIGTERM', () => {
    interrupted = true;
    ended.abort();
  });
  const missing = await prepareParts(order.layers);
  // The database's own user must be able to enter it, and the paths of sockets below it must stay short.
  const root = await mkdtemp('/tmp/lifeboat-test-');
  await chmod(root, 0o755);
  const reports = await mkdtemp(join(tmpdir(), 'lifeboat-reports-'));
  const outcomes: Outcome[] = [];
  try {
    console.log(`seed ${order.seed}`);
    for (const layer of order.layers) outcomes.push(await runLayer(layer, order, { root, reports, missing }));
  } finally {
    await rm(root, { recursive: true, force: true });
    await rm(reports, { recursive: true, force: true });
  }
  console.log(renderTable(outcomes));
  console.log(lastLine(outcomes));
  process.exitCode = outcomes.every(({ failed }) => failed === 0) ? 0 : 1;
}

/** Installs what the layers need; what cannot be had is told at once, and fails only the layers that need it. */
async function prepareParts(layers: readonly Layer[]): Promise<PartsMissing | undefined> {
  const needed = [...new Set(layers.flatMap((layer) => partsOf[layer]))];
  const say = (line: string) => console.log(`parts: ${line}`);
  try {
    await needParts(needed, say);
    if (layers.includes('e2e')) await needParts(['chromium'], say).catch(() => say(withoutBrowser));
    return undefined;
  } catch (error) {
    if (!(error instanceof PartsMissing)) throw error;
    console.error(error.message);
    return error;
  }
}

async function runLayer(layer: Layer, order: Order, { root, reports, missing }: Place): Promise<Outcome> {
  const absent = (missing?.parts ?? []).filter(({ name }) => partsOf[layer].includes(name));
  if (absent.length > 0) return notRun(layer, `not run without ${absent.map(({ name }) => name).join(', ')}`);
  if (interrupted) return notRun(layer, 'not run: interrupted');
  console.log(`\n${layer}`);
  const env = {
    LIFEBOAT_TEST_ROOT: root,
    LIFEBOAT_TEST_SEED: `${order.seed}`,
    LIFEBOAT_TEST_ALL: order.all ? '1' : '0',
  };
  const outcome =
    layer === 'static'
      ? await runStaticChecks()
      : await runVitest({ layer, ...order, reports, env, signal: ended.signal });
  const judged = interrupted ? notRun(layer, 'interrupted', outcome.tookMs) : outcome;
  return withLeftovers(judged, root);
}

/** Tests that leave something behind would break the next ones, or somebody's machine. */
async function withLeftovers(outcome: Outcome, root: string): Promise<Outcome> {
  const leftovers = await leftoversBelow(root);
  if (leftovers.length === 0) return outcome;
  endProcesses(leftovers);
  for (const { file } of leftovers) if (file !== undefined) await rm(file, { recursive: true, force: true });
  return { ...outcome, failed: outcome.failed + 1, notes: [...outcome.notes, ...leftovers.map(({ what }) => what)] };
}

const withoutBrowser =
  'no Chromium here: the tests that look at the pages through a browser will fail, and say how to install it';

main().catch((error) => {
  console.error(error instanceof BadOrder ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
});
