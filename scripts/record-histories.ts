/**
 * Records runs on a small estate as the histories that test/replay replays. Run it when a runbook gains steps on purpose.
 * Names of runs after it record only these.
 */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { type Estate, type EstateOptions, startEstate } from '../lab/estate.ts';
import { addFiles } from '../lab/files.ts';
import { burnDown } from '../lab/fire.ts';
import { packageRoot } from '../lab/home.ts';
import { addToPlan, type KeptApplication, keepApplication, startHostWorker } from '../lab/kept-application.ts';
import { primaryOf } from '../lab/pair.ts';
import { addRedis } from '../lab/redis-in-estate.ts';
import type { Ground } from '../lab/site.ts';
import { startMachine } from '../lab/systemd.ts';
import { startVisitors } from '../lab/visitors.ts';
import { needParts } from '../parts/parts.ts';
import { version } from '../workflows/version.ts';
import { sayYesToAll, withPeople } from './kills/people.ts';

interface Recorded {
  name: string;
  workflow: string;
  input: object;
  /** The target is a moment that the archive holds by now. */
  toNow?: true;
  /** The primary is killed before. */
  lost?: true;
  /** The application is killed before. */
  killed?: true;
}

const runs: Recorded[] = [
  { name: 'backup', workflow: 'backup', input: { mode: 'live', type: 'full' } },
  { name: 'anchor', workflow: 'anchor', input: { mode: 'live' } },
  { name: 'monthly-drill', workflow: 'monthlyDrill', input: {} },
  { name: 'monthly-drill-dry-run', workflow: 'monthlyDrill', input: { mode: 'dry-run' } },
  { name: 'sweep-dry-run', workflow: 'sweep', input: { mode: 'dry-run' } },
  { name: 'sweep', workflow: 'sweep', input: { mode: 'live', shownBy: 'orders-sweep-dry-run' } },
  { name: 'find-dry-run', workflow: 'find', input: {} },
  { name: 'find', workflow: 'find', input: { mode: 'live', rows: 1 } },
  { name: 'switchover-dry-run', workflow: 'switchover', input: {} },
  { name: 'switchover', workflow: 'switchover', input: { mode: 'live', requestedBy: 'cara' } },
  { name: 'standby-rebuild-dry-run', workflow: 'standbyRebuild', input: { way: 'restore' } },
  { name: 'standby-rebuild', workflow: 'standbyRebuild', input: { mode: 'live', requestedBy: 'cara', way: 'restore' } },
  { name: 'database-failover-dry-run', workflow: 'databaseFailover', input: {}, lost: true },
  { name: 'database-failover', workflow: 'databaseFailover', input: { mode: 'live', requestedBy: 'cara' } },
  { name: 'point-in-time-recovery-dry-run', workflow: 'pointInTimeRecovery', input: {}, toNow: true },
  {
    name: 'point-in-time-recovery',
    workflow: 'pointInTimeRecovery',
    input: { mode: 'live', requestedBy: 'cara' },
    toNow: true,
  },
  { name: 'accept-dry-run', workflow: 'accept', input: { recovery: 'orders-point-in-time-recovery' } },
  {
    name: 'accept',
    workflow: 'accept',
    input: { mode: 'live', requestedBy: 'cara', recovery: 'orders-point-in-time-recovery' },
  },
  // The last: it needs hosts that are empty.
  { name: 'full-restore', workflow: 'fullRestore', input: { mode: 'live', requestedBy: 'cara' } },
];
/** On an estate of two sites. */
const regional: Recorded[] = [
  { name: 'backup', workflow: 'backup', input: { mode: 'live', type: 'full' } },
  { name: 'region-switchover-dry-run', workflow: 'regionSwitchover', input: {} },
  { name: 'region-switchover', workflow: 'regionSwitchover', input: { mode: 'live', requestedBy: 'cara' } },
  { name: 'region-failover-dry-run', workflow: 'regionFailover', input: {}, lost: true },
  { name: 'region-failover', workflow: 'regionFailover', input: { mode: 'live', requestedBy: 'cara' } },
  { name: 'region-failback-dry-run', workflow: 'regionFailback', input: {} },
  { name: 'region-failback', workflow: 'regionFailback', input: { mode: 'live', requestedBy: 'cara' } },
];
/** On an estate with a cache. */
const cached: Recorded[] = [
  { name: 'cache-recovery-dry-run', workflow: 'cacheRecovery', input: {} },
  { name: 'cache-recovery-failover', workflow: 'cacheRecovery', input: { mode: 'live', do: 'failover' } },
  {
    name: 'cache-recovery-restore',
    workflow: 'cacheRecovery',
    input: { mode: 'live', requestedBy: 'cara', do: 'restore' },
  },
];
/** On an estate with a machine beside it, whose systemd keeps an application: root records these. */
const kept: Recorded[] = [
  { name: 'application-recovery-dry-run', workflow: 'applicationRecovery', input: { action: 'restart' } },
  { name: 'application-recovery-restart', workflow: 'applicationRecovery', input: { mode: 'live', action: 'restart' } },
  { name: 'application-recovery-quiesce', workflow: 'applicationRecovery', input: { mode: 'live', action: 'quiesce' } },
  { name: 'application-recovery-resume', workflow: 'applicationRecovery', input: { mode: 'live', action: 'resume' } },
  // What was killed is found failed, and brought back.
  { name: 'application-recovery', workflow: 'applicationRecovery', input: { mode: 'live' }, killed: true },
];
/** On one whose files restic keeps. */
const ofFiles: Recorded[] = [
  { name: 'file-backup', workflow: 'fileBackup', input: { mode: 'live' } },
  { name: 'configuration-restore-dry-run', workflow: 'configurationRestore', input: {} },
  { name: 'configuration-restore', workflow: 'configurationRestore', input: { mode: 'live', requestedBy: 'cara' } },
];
/** On an estate with visitors: what they are led to needs none of the rest. */
const visited: Recorded[] = [
  { name: 'traffic-shift-dry-run', workflow: 'trafficShift', input: {} },
  { name: 'traffic-shift', workflow: 'trafficShift', input: { mode: 'live', requestedBy: 'cara' } },
];
/** On an estate with files and a cache: all of it is lost. */
const whole: Recorded[] = [
  { name: 'full-recovery-dry-run', workflow: 'fullRecovery', input: { scope: ['sessions', 'web'] } },
  { name: 'full-recovery', workflow: 'fullRecovery', input: { mode: 'live', requestedBy: 'cara' } },
];
const asking = [
  'full-recovery',
  'cache-recovery-restore',
  'switchover',
  'standby-rebuild',
  'database-failover',
  'point-in-time-recovery',
  'accept',
  'full-restore',
  'region-switchover',
  'region-failover',
  'region-failback',
  'configuration-restore',
];
/** What is older than this is in the archive, whose segments end every two seconds. */
const archivedByNowMs = 15_000;
const wanted = process.argv.slice(2);
/** What stands on nothing but a backup need not wait for all the others. */
const standalone = ['full-restore', 'monthly-drill', 'database-failover-dry-run', 'database-failover'];
const alone = (names: string[]): boolean => names.every((name) => standalone.includes(name));

const isRegional = (name: string) => name.startsWith('region-');
const isKept = (name: string) => name.startsWith('application-recovery');
const ofCache = (name: string) => name.startsWith('cache-');
const isOfFiles = (name: string) => ofFiles.some((one) => one.name === name);
const isVisited = (name: string) => visited.some((one) => one.name === name);
const isWhole = (name: string) => whole.some((one) => one.name === name);
const isUsual = (name: string) =>
  ![isRegional, isKept, ofCache, isOfFiles, isVisited, isWhole].some((other) => other(name));

if (wanted.length === 0 || wanted.some(isUsual)) await record(runs, {});
if (wanted.length === 0 || wanted.some(isRegional)) await record(regional, { twoSites: true, faults: false });
if (wanted.length === 0 || wanted.some(ofCache)) await record(cached, { faults: false, shop: false }, withCache);
if (wanted.length === 0 || wanted.some(isKept)) await record(kept, { faults: false }, withApplication);
if (wanted.length === 0 || wanted.some(isOfFiles)) await record(ofFiles, { faults: false }, withFiles);
if (wanted.length === 0 || wanted.some(isVisited)) await record(visited, { faults: false }, withVisitors);
if (wanted.length === 0 || wanted.some(isWhole)) await record(whole, { faults: false }, withAllLost);

/** The database last: until then it takes a backup. */
async function withAllLost(estate: Estate, body: () => Promise<void>): Promise<void> {
  const files = await addFiles(estate.site, 'the-key-of-a-recording');
  await withCache(estate, async () => {
    const connection = await Connection.connect({ address: estate.temporal.address });
    const client = new Client({ connection });
    for (const [workflow, input] of [
      ['fileBackup', { mode: 'live' }],
      ['backup', { mode: 'live' }],
    ] as const)
      await client.workflow.execute(workflow, {
        ...{ taskQueue: 'lifeboat', workflowId: `before-${workflow}`, args: [input] },
      });
    await connection.close();
    await burnDown(estate);
    await rm(files.nginx.configuration, { recursive: true });
    await body();
  });
}

async function withFiles({ site }: Estate, body: () => Promise<void>): Promise<void> {
  await addFiles(site, 'the-key-of-a-recording');
  await body();
}

async function withCache(estate: Estate, body: () => Promise<void>): Promise<void> {
  const cache = await addRedis(estate);
  await cache.ask(await cache.master(), 'SET', 'kept', 'yes');
  await cache.takeRdb();
  await body();
}

async function withVisitors({ site, planFile }: Estate, body: () => Promise<void>): Promise<void> {
  const { haproxy } = site.programs;
  const directory = join(site.layout.root, 'visitors');
  const { section, stop } = await startVisitors(site, { haproxy, directory, soak: '4s' });
  await appendFile(planFile, section);
  try {
    await body();
  } finally {
    stop();
  }
}

async function record(
  those: Recorded[],
  more: Partial<EstateOptions>,
  around: (estate: Estate, body: (application?: KeptApplication) => Promise<void>) => Promise<void> = (_, body) =>
    body(),
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-record-'));
  const estate = await startEstate({
    ...withPeople,
    root,
    rows: 2_000,
    walSegmentMb: 1,
    archiveTimeout: '2s',
    say: console.log,
    ...more,
  });
  try {
    const connection = await Connection.connect({ address: estate.temporal.address });
    await around(estate, async (application) => {
      for (const one of those) {
        if (one.killed) await application?.kill();
        await recordOne(estate, new Client({ connection }), one);
      }
    });
    await connection.close();
  } finally {
    await estate.stop();
  }
}

/** Beside the estate, for as long as `body` goes on. */
async function withApplication(estate: Estate, body: (application: KeptApplication) => Promise<void>): Promise<void> {
  const { systemd } = await needParts(['systemd', 'sudo'], console.log);
  const { site, env } = estate;
  const ground: Ground = {
    layout: site.layout,
    processes: new Map(),
    say: console.log,
    signal: new AbortController().signal,
  };
  const host = 'app1';
  const directory = join(estate.root, 'machine');
  const machine = await startMachine(ground, { systemd: systemd.path, hostname: host, directory });
  try {
    const application = await keepApplication(machine, site.account, host);
    await application.heedsFlag();
    await application.restart();
    await addToPlan(estate.planFile, application);
    await startHostWorker(ground, { machine, host, home: site.home, account: site.account, env });
    await body(application);
  } finally {
    await machine.stop();
    for (const one of ground.processes.values()) await one.stop();
  }
}

async function recordOne(
  estate: Estate,
  client: Client,
  { name, workflow, input, toNow, lost }: Recorded,
): Promise<void> {
  // It needs a backup, and nobody else.
  if (wanted.length > 0 && !wanted.includes(name) && name !== 'backup' && alone(wanted)) return;
  if (name === 'full-restore') await burnDown(estate);
  if (lost) await estate.process(await primaryOf(estate)).kill('SIGKILL');
  const handle = await client.workflow.start(workflow, {
    taskQueue: 'lifeboat',
    workflowId: `orders-${name}`,
    args: [toNow ? { ...input, target: new Date(Date.now() - archivedByNowMs).toISOString() } : input],
  });
  if (asking.includes(name)) await sayYesToAll(handle);
  await handle.result();
  if ((wanted.length > 0 && !wanted.includes(name)) || (name === 'backup' && estate.site.twoSites)) return;
  const text = historyToJSON(await handle.fetchHistory());
  const file = join(import.meta.dirname, '..', '..', 'test', 'replay', 'histories', `${name}-${version}.json`);
  const elsewhere = text
    .replaceAll(estate.root, '/srv/lifeboat')
    .replaceAll(packageRoot, '/opt/lifeboat')
    .replaceAll(hostname(), 'host');
  await writeFile(file, `${elsewhere}\n`);
  console.log(`recorded ${file}`);
}
