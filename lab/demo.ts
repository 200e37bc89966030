/** The demo: a whole estate with traffic on it, a backup, and the monthly drill, told as it happens. */
import { rm } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import type { Evidence } from '../evidence/evidence.ts';
import { formatBytes, formatCount } from '../evidence/format.ts';
import { needParts } from '../parts/parts.ts';
import { programNames } from './build.ts';
import { Board } from './demo/board.ts';
import { handEnvironment } from './demo/by-hand.ts';
import { disasterHints, disasterOn } from './demo/disaster.ts';
import { regionHints, regionOn } from './demo/region.ts';
import { keepReport, mayWrite } from './demo/report.ts';
import { makeRoom } from './demo/room.ts';
import { drawRunName, ended, startRun, tell } from './demo/runs.ts';
import { switchoverHints, switchoverOn } from './demo/switchover.ts';
import { type Estate, startEstate } from './estate.ts';
import { readLoadReport } from './load-report.ts';
import { database, withServer } from './postgres.ts';
import { until } from './until.ts';

interface DemoOptions {
  once: boolean;
  /** Where the drill's report is written, as one HTML file that stays. */
  report?: string;
  orders: number;
  rate: number;
  /** Instead of the drill: primary and standby change places. */
  switchover: boolean;
  /** Instead of the drill: a table loses its rows, and the service is recovered to just before that. */
  disaster: boolean;
  /** Instead of the drill, on two sites: one of them is lost, and comes back. */
  region: boolean;
  /** Nothing at all: the estate, for somebody who wants to try things by hand. */
  estate: boolean;
  /** A second person agrees at once. */
  yes: boolean;
}

/** What people are asked for something in, how each is played, and how it ends well. */
const live = {
  switchover: { play: switchoverOn, hints: switchoverHints, good: 'completed' },
  region: { play: regionOn, hints: regionHints, good: 'completed' },
  disaster: { play: disasterOn, hints: disasterHints, good: 'recovered' },
} as const;

function liveAct({ switchover, disaster, region }: DemoOptions): (typeof live)[keyof typeof live] | undefined {
  if (disaster) return live.disaster;
  if (region) return live.region;
  return switchover ? live.switchover : undefined;
}

/** Of an order with its items, payment and index entries, in a data directory. */
const bytesPerOrder = 2_500;
/** Both servers, the backup, the archive, and the restored server. */
const copies = 6;

async function demo(options: DemoOptions, board: Board, signal: AbortSignal): Promise<boolean> {
  if (options.report !== undefined) await mayWrite(options.report);
  await board.line('parts', 'looking for what is needed', () => parts(board, signal));
  const root = await makeRoom(options.orders * bytesPerOrder * copies + 3 * 1024 ** 3);
  const up: { estate?: Estate } = {};
  try {
    signal.throwIfAborted();
    await board.line('estate', 'starting two servers, a store, an engine and a shop', async () => {
      up.estate = await raise(root, options, board, signal);
      return describe(up.estate, options.rate);
    });
    if (up.estate === undefined) return false;
    if (options.estate) {
      await stay(up.estate, [...disasterHints(up.estate), ...switchoverHints(up.estate)], signal);
      return true;
    }
    const evidence = await perform(up.estate, options, board, signal);
    await keepReport(evidence, options, board);
    if (!options.once) await stay(up.estate, liveAct(options)?.hints(up.estate) ?? [], signal);
    return evidence.outcome === (liveAct(options)?.good ?? 'proven');
  } finally {
    if (up.estate !== undefined) await takeDown(up.estate, board);
    await rm(root, { recursive: true, force: true });
  }
}

async function parts(board: Board, signal: AbortSignal): Promise<string> {
  const found = await needParts(programNames, (line) => board.say(line)).catch((error: unknown) => {
    // Ctrl-C reaches a build too, and ends it: nothing that a person has to install is missing then.
    signal.throwIfAborted();
    throw error;
  });
  const major = found.postgresql.version.split('.')[0];
  return `postgres ${major} · pgbackrest · temporal · versitygw · haproxy`;
}

function raise(root: string, options: DemoOptions, board: Board, signal: AbortSignal): Promise<Estate> {
  return startEstate({
    root,
    rows: options.orders,
    load: { ordersPerSecond: options.rate },
    ui: true,
    twoSites: options.region,
    // Who has started it is known by a signature: one more person is enough.
    ...(liveAct(options) !== undefined || options.estate ? { people: { quorum: 1 }, slack: true } : {}),
    prefer: { pages: 8080, app: 8081, engine: 7233, ui: 8233 },
    say: (line) => board.say(line),
    signal,
  });
}

async function describe({ site }: Estate, rate: number): Promise<string> {
  const bytes = await withServer(site, 'db1', database, async (client) => {
    const { rows } = await client.query<{ bytes: string }>(
      'select sum(pg_database_size(oid)) as bytes from pg_database',
    );
    return Number(rows[0]?.bytes);
  });
  // The first second is a slow one; on a busy machine all of them are.
  const settled = until({ what: 'the load to reach its rate', withinMs: 4_000, everyMs: 200 }, async () => {
    const report = await readLoadReport(site.layout.loadReport);
    return report !== undefined && report.ordersPerSecond >= rate * 0.95;
  });
  await settled.catch(() => undefined);
  const load = await readLoadReport(site.layout.loadReport);
  return `primary + standby, ${formatBytes(bytes)}, ${load?.ordersPerSecond ?? 0} orders/s`;
}

async function perform(estate: Estate, options: DemoOptions, board: Board, signal: AbortSignal): Promise<Evidence> {
  board.say(`  open     app ${estate.appUrl}   engine ${estate.temporal.uiUrl}   runs ${estate.pagesUrl}`);
  const connection = await Connection.connect({ address: estate.temporal.address });
  try {
    const client = new Client({ connection });
    await board.line('backup', 'taking the first backup and its anchor', () => firstBackup(client, signal));
    await board.line('traffic', 'until the archive holds what came after it', () => someTraffic(estate, signal));
    const act = liveAct(options);
    if (act !== undefined) return await act.play({ estate, client, board, signal, yes: options.yes });
    return await monthlyDrill({ estate, client, options, board, signal });
  } finally {
    await connection.close();
  }
}

async function firstBackup(client: Client, signal: AbortSignal): Promise<string> {
  const input = { service: 'orders', type: 'full', mode: 'live', requestedBy: 'demo' } as const;
  const evidence = await ended(await startRun(client, 'backup', drawRunName(), input), signal);
  if (evidence.outcome !== 'completed' || evidence.backup === undefined)
    throw new Error(`the backup ${evidence.outcome}: ${evidence.failure?.message ?? 'without a reason'}`);
  return `${evidence.backup.label}, ${formatBytes(evidence.backup.bytes)}, with an anchor`;
}

/** An anchor can be used once its segment is archived, and a drill is worth more with commits after it. */
async function someTraffic({ site }: Estate, signal: AbortSignal): Promise<string> {
  const asked = <T extends object>(sql: string, values: unknown[] = []) =>
    withServer(site, 'db1', database, async (client) => (await client.query<T>(sql, values)).rows[0]);
  const now = await asked<{ wal: string }>('select pg_walfile_name(pg_current_wal_lsn()) as wal');
  await until({ what: 'the archive to pass the anchor', withinMs: 120_000, everyMs: 250, signal }, async () => {
    const archived = await asked<{ passed: boolean }>('select last_archived_wal > $1 as passed from pg_stat_archiver', [
      now?.wal,
    ]);
    return archived?.passed;
  });
  const load = await readLoadReport(site.layout.loadReport);
  return `${formatCount(load?.orders ?? 0)} orders placed and paid, the archive is past the anchor`;
}

interface Drill {
  estate: Estate;
  client: Client;
  options: DemoOptions;
  board: Board;
  signal: AbortSignal;
}

async function monthlyDrill({ estate, client, options, board, signal }: Drill): Promise<Evidence> {
  const run = drawRunName();
  const handle = await startRun(client, 'monthly-drill', run, { service: 'orders', requestedBy: 'demo' });
  const page = `${estate.pagesUrl}/runs/${run}`;
  board.say(`  watch    ${page}   engine ${estate.temporal.uiUrl}/namespaces/default/workflows/${run}`);
  board.say('');
  const print = (line: string) => board.say(line);
  const evidence = await tell(handle, { signal, color: board.color, print });
  // With --once the page goes with the estate, seconds from now: a link to it would be dead when it is read.
  if (!options.once) board.say(`Report   ${page}`);
  return evidence;
}

/** Until Ctrl-C. */
async function stay(estate: Estate, hints: readonly string[], signal: AbortSignal): Promise<void> {
  const settings = Object.entries(await handEnvironment(estate)).map(([name, value]) => `${name}=${value}`);
  console.log(`
The estate stays up; Ctrl-C ends it and leaves nothing behind. In another terminal, in this folder:
  export ${settings.join(' ')}
  node dist/cli/main.js status${hints.map((hint) => `\n  node dist/cli/main.js ${hint}`).join('')}
  node dist/cli/main.js drill
  node dist/cli/main.js schedules apply    # from then on by itself, as the plan says
  node dist/cli/main.js schedules next`);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function takeDown(estate: Estate, board: Board): Promise<void> {
  await board.line('end', 'ending every process, removing every file', async () => {
    await estate.stop();
    return 'no process and no file of the estate is left';
  });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('write a whole number above zero');
  return value;
}

async function main(): Promise<void> {
  // The SDK's warning of a Node that it will want one day is no part of the story.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const program = new Command('demo')
    .description('Builds an estate on this machine, takes a backup and holds a drill.')
    .option('--once', 'end after it; the exit code is 0 only if it came to its good end', false)
    .option('--switchover', 'instead of the drill: primary and standby change places, once a person agrees', false)
    .option(
      '--disaster',
      'instead of the drill: a table loses its rows, and the service is recovered, once a person agrees',
      false,
    )
    .option(
      '--region',
      'instead of the drill, on two sites: one is lost, the other takes over, once people agree; and back',
      false,
    )
    .option('--estate', 'nothing of these: the estate alone, until Ctrl-C, to try things by hand', false)
    .option(
      '--yes',
      'of --switchover, --disaster and --region: a second person agrees at once, with a key that only this lab accepts',
      false,
    )
    .option('--report <file>', 'keep the report there, as one HTML file')
    .option('--orders <number>', 'orders in the database to begin with; 450000 are about 1 GB', positive, 450_000)
    .option('--rate <number>', 'orders a second while it runs', positive, 200)
    .parse();
  const interrupted = new AbortController();
  const board = new Board();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (!interrupted.signal.aborted) board.say(`\n${signal}: ending what was started`);
      interrupted.abort(new Error(`interrupted by ${signal}`));
    });
  // Whatever goes wrong, and wherever: what was started is ended.
  process.on('uncaughtException', (error) => {
    board.say(`unexpected: ${error.stack ?? error.message}`);
    interrupted.abort(error);
  });
  try {
    const proven = await demo(program.opts<DemoOptions>(), board, interrupted.signal);
    process.exitCode = proven ? 0 : 1;
  } catch (error) {
    const asked = error === interrupted.signal.reason;
    if (asked) board.say('Ended before its time. No process and no file is left.');
    else console.error(error instanceof Error ? error.message : error);
    process.exitCode = asked ? 130 : 1;
  }
}

await main();
