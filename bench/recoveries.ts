/** (l) A recovery to a moment in the past, in place, the standby too: Lifeboat, and a script that leaves pgBackRest as it comes. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { drawRunName, startRun } from '../lab/demo/runs.ts';
import { type Host, hosts } from '../lab/layout.ts';
import { other, primaryOf, roles, served } from '../lab/pair.ts';
import { database, withServer } from '../lab/postgres.ts';
import { until } from '../lab/until.ts';
import { loadPlanFile } from '../plan/load.ts';
import { evidenceQuery } from '../workflows/messages.ts';
import { archived } from './archived.ts';
import { atMost, rowOf } from './findings.ts';
import type { PairGround } from './pair-ground.ts';
import { approve, question, refuseFailure, signedStart } from './questions.ts';
import { recoverByHand } from './recovery-by-hand.ts';
import type { Findings } from './result.ts';
import { compete } from './rounds.ts';
import { endOf, runbookEnded } from './runs.ts';
import { shop } from './shopping.ts';
import { medianRatio } from './statistics.ts';

const contestants = ['lifeboat', 'script'] as const;
type Contestant = (typeof contestants)[number];

interface Took {
  /** From the start to the first write that a customer was acknowledged through the front door; the standby streams by then. */
  ms: number;
  /** Between two writes that were acknowledged to him. */
  gapMs: number;
}

export async function recoveries(ground: PairGround, rounds: number, segments: number): Promise<Findings> {
  const took = await compete(contestants, rounds, async (name, turn) => {
    const one = await recovered(ground, name, segments);
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    ground.say(`(l) turn ${turn + 1}, ${name}: ${seconds(one.ms)} s, no write for ${seconds(one.gapMs)} s`);
    return one;
  });
  const all = (name: Contestant) => took[name].map(({ ms }) => ms);
  const gaps = (name: Contestant) => took[name].map(({ gapMs }) => gapMs);
  return {
    rows: [
      rowOf('l', 'recovery in place, to the first write, standby attached, Lifeboat', 'ms', all('lifeboat')),
      rowOf('l', 'the same by a script, with pgBackRest as it comes', 'ms', all('script')),
      rowOf('l', 'no write was acknowledged meanwhile, Lifeboat', 'ms', gaps('lifeboat')),
      rowOf('l', 'no write was acknowledged meanwhile, script', 'ms', gaps('script')),
    ],
    goals: [atMost('l', 'recovery, Lifeboat / script', medianRatio(all('lifeboat'), all('script')), 0.75)],
  };
}

async function recovered(ground: PairGround, name: Contestant, segments: number): Promise<Took> {
  const { estate, client, customer, signal } = ground;
  const { plan } = await loadPlanFile(estate.planFile);
  // Each recovery makes a timeline of its own: each stands on a backup of its own too.
  const { evidence } = await runbookEnded(client, 'backup', { mode: 'live', type: 'full' }, signal);
  if (evidence.backup === undefined) throw new Error(`the backup ${evidence.outcome}: ${evidence.failure?.message}`);
  const { label } = evidence.backup;
  const primary = await primaryOf(estate);
  await shop(estate, { walBytes: segments * estate.site.tuning.walSegmentMb * 1024 * 1024, signal });
  const was = await moment(ground, primary);
  const { at: target, timeline } = was;
  await servedAgain(ground);
  await archived(estate, primary, signal);
  const last = customer.acknowledged.at(-1) ?? 0;
  customer.longestGap();
  const started = performance.now();
  await (name === 'lifeboat'
    ? recoverByLifeboat(ground, target)
    : recoverByHand(ground, { plan, primary, timeline, label, target }));
  await servedAgain(ground);
  const { ms: gapMs, endedAt } = customer.longestGap();
  await proven(ground, primary, was, last);
  await forgetOldDirectories(ground);
  return { ms: endedAt - started, gapMs };
}

async function recoverByLifeboat(ground: PairGround, target: string): Promise<void> {
  const { client, signal } = ground;
  const run = drawRunName();
  const handle = await startRun(client, 'point-in-time-recovery', run, signedStart(ground, run, 'orders', { target }));
  // Both cores are at work: who asks at short intervals takes them from the recovery.
  await approve(ground, handle, await question(handle, signal, { everyMs: 500 }));
  await until({ what: `${run} to be over`, withinMs: 1_800_000, everyMs: 2_000, signal }, async () => {
    const evidence = await handle.query(evidenceQuery);
    refuseFailure(evidence);
    return evidence.outcome !== 'running';
  });
  refuseFailure((await endOf(handle, signal)).evidence);
}

interface Moment {
  at: string;
  timeline: number;
  /** The customer's rows, and the highest number among them: his next ones are not to come back. */
  rows: number;
  newest: number;
}

async function moment({ estate }: PairGround, primary: Host): Promise<Moment> {
  return withServer(estate.site, primary, database, async (client) => {
    await client.query('begin; lock table customer in share mode');
    const { rows } = await client.query<{ at: string; timeline: string; count: string; newest: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, count(*) as count,
         max(number) as newest, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline from customer`,
    );
    await client.query('commit');
    const [row] = rows;
    if (row === undefined) throw new Error(`${primary} did not say what time it is`);
    return { at: row.at, timeline: Number(row.timeline), rows: Number(row.count), newest: Number(row.newest) };
  });
}

async function servedAgain({ customer, signal }: PairGround): Promise<void> {
  const before = customer.acknowledged.length;
  await until({ what: 'the customer to be served', withinMs: 120_000, signal }, async () => {
    return customer.acknowledged.length > before + 20;
  });
}

/** A time says something only of a recovery that was one: all that was there then, and nothing that came after it. */
async function proven({ estate }: PairGround, primary: Host, was: Moment, last: number): Promise<void> {
  const found = await roles(estate);
  const led = await served(estate);
  if (found[primary] !== 'primary' || found[other(primary)] !== 'standby' || led.join() !== primary)
    throw new Error(`db1 is ${found.db1}, db2 is ${found.db2}, and the front door leads to ${led.join(' and ')}`);
  const [row] = await withServer(estate.site, primary, database, async (client) => {
    const { rows } = await client.query<{ before: string; after: string; timeline: string }>(
      `select count(*) filter (where number <= $1) as before, count(*) filter (where number > $1 and number <= $2) as after,
         ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline from customer`,
      [was.newest, last],
    );
    return rows;
  });
  if (Number(row?.before) !== was.rows || row?.after !== '0' || Number(row?.timeline) <= was.timeline)
    throw new Error(
      `${primary}, on timeline ${row?.timeline}, holds ${row?.before} of the customer's ${was.rows} rows from before the target, and ${row?.after} from after it`,
    );
}

/** People would accept the result; the disk has room for one. */
async function forgetOldDirectories({ estate }: PairGround): Promise<void> {
  for (const host of hosts) {
    const { directory } = estate.site.layout.host(host);
    for (const name of await readdir(directory))
      if (name.startsWith('data.before-')) await rm(join(directory, name), { recursive: true, force: true });
  }
}
