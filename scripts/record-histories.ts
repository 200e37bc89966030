/**
 * Records runs on a small estate as the histories that test/replay replays. Run it when a runbook gains steps on purpose.
 * Names of runs after it record only these.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { type Estate, type EstateOptions, startEstate } from '../lab/estate.ts';
import { burnDown } from '../lab/fire.ts';
import { packageRoot } from '../lab/home.ts';
import { primaryOf } from '../lab/pair.ts';
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
const asking = [
  'switchover',
  'standby-rebuild',
  'database-failover',
  'point-in-time-recovery',
  'accept',
  'full-restore',
  'region-switchover',
  'region-failover',
  'region-failback',
];
/** What is older than this is in the archive, whose segments end every two seconds. */
const archivedByNowMs = 15_000;
const wanted = process.argv.slice(2);
/** What stands on nothing but a backup need not wait for all the others. */
const standalone = ['full-restore', 'monthly-drill', 'database-failover-dry-run', 'database-failover'];
const alone = (names: string[]): boolean => names.every((name) => standalone.includes(name));

const isRegional = (name: string) => name.startsWith('region-');

if (wanted.length === 0 || wanted.some((name) => !isRegional(name))) await record(runs, {});
if (wanted.length === 0 || wanted.some(isRegional)) await record(regional, { twoSites: true, faults: false });

async function record(those: Recorded[], more: Partial<EstateOptions>): Promise<void> {
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
    for (const one of those) await recordOne(estate, new Client({ connection }), one);
    await connection.close();
  } finally {
    await estate.stop();
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
