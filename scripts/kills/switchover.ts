/** Switchovers with one kill in each: they change the very servers that other walks must leave alone, and are judged by what those say. */
import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { Evidence } from '../../evidence/evidence.ts';
import { type Customer, lostFor, startCustomer } from '../../lab/customer.ts';
import { type Estate, type EstateOptions, startEstate } from '../../lab/estate.ts';
import { type Host, hosts } from '../../lab/layout.ts';
import { other, primaryOf, roles, served } from '../../lab/pair.ts';
import { withServer } from '../../lab/postgres.ts';
import { until } from '../../lab/until.ts';
import { approveUpdate, evidenceQuery } from '../../workflows/messages.ts';
import { doneIn, give } from './kill.ts';
import { attemptsOf, pointsOf } from './points.ts';
import { type Planned, plan, type Wish } from './rotation.ts';
import { startRun, walkEstate } from './scene.ts';
import type { Told } from './table.ts';
import { type Calm, outcomeOf, pointIn, strikeWhenThere } from './walk.ts';

/** Two people of three say yes: who starts a run from here is not known for certain. */
export const withPeople = { people: { quorum: 1, unsigned: 'allowed' } } as const satisfies Partial<EstateOptions>;

interface Scene {
  estate: Estate;
  client: Client;
  customer: Customer;
}

const input = { mode: 'live', requestedBy: 'cara' };

export interface SwitchWalk extends Told {
  /** The longest time without an acknowledged write, milliseconds. */
  gapMs: number;
  problems: string[];
}

/** Two people say yes as soon as they are asked; again, when the engine was away. */
export async function sayYes(handle: WorkflowHandle, people: readonly string[] = ['ana', 'ben']): Promise<void> {
  await until({ what: `a yes for ${handle.workflowId}`, withinMs: 240_000, everyMs: 100 }, async () => {
    const evidence = await handle.query<Evidence>(evidenceQuery).catch(() => undefined);
    if (evidence === undefined) return false;
    const [approval] = evidence.approvals ?? [];
    if (approval?.outcome !== undefined || evidence.outcome !== 'running') return true;
    if (approval === undefined) return false;
    const { id, code } = approval;
    for (const by of people)
      await handle
        .executeUpdate(approveUpdate, { args: [{ by, approval: id, code, channel: 'cli' }] })
        .catch(() => undefined);
    return false;
  });
}

/** Takes a backup, switches once in peace, and then once for each planned kill. */
export async function walkSwitchovers(
  options: Pick<EstateOptions, 'root'> & Partial<EstateOptions>,
  wish: Wish,
  told: (walked: SwitchWalk, number: number) => void,
): Promise<SwitchWalk[]> {
  const estate = await startEstate({ ...walkEstate, ...withPeople, ...options });
  try {
    const connection = await Connection.connect({ address: estate.temporal.address });
    const scene = { estate, client: new Client({ connection }), customer: await startCustomer(estate) };
    try {
      await outcomeOf(await startRun(scene, 'backup', { mode: 'live', type: 'full' }), estate);
      const from = await primaryOf(estate);
      const calm = await calmSwitch(scene);
      const walks: SwitchWalk[] = [];
      for (const planned of plan(calm.points, wish)) {
        options.signal?.throwIfAborted();
        const walked = await walkSwitch(scene, planned, { calm, from });
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

async function calmSwitch(scene: Scene): Promise<Calm> {
  const began = Date.now();
  const handle = await startRun(scene, 'switchover', input);
  await sayYes(handle);
  const outcome = await outcomeOf(handle, scene.estate);
  if (outcome !== 'completed') throw new Error(`the switchover that nobody disturbed ended ${outcome}`);
  const evidence = await handle.query<Evidence>(evidenceQuery);
  const points = pointsOf('switchover', await handle.fetchHistory(), evidence);
  return { points, done: await doneIn(scene.estate, handle.workflowId), tookMs: Date.now() - began };
}

async function walkSwitch(
  scene: Scene,
  asPlanned: Planned,
  { calm, from: calmFrom }: { calm: Calm; from: Host },
): Promise<SwitchWalk> {
  const { estate, customer } = scene;
  const from = await primaryOf(estate);
  const planned = from === calmFrom ? asPlanned : theOtherWay(asPlanned);
  customer.longestGap();
  const order = await give(estate, { ...pointIn(asPlanned, calm), activity: planned.point.id });
  const began = Date.now();
  const handle = await startRun(scene, 'switchover', input);
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
    ...(victim === undefined ? ['nobody was killed: the point was never reached'] : []),
    ...(outcome === 'completed' ? [] : [`ended ${outcome}`]),
    ...(await wrongAfter(scene, from)),
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

/** The same moment when db2 is the old primary and db1 the new one. */
function theOtherWay(planned: Planned): Planned {
  const swapped = (text: string) => text.replace(/\bdb[12]\b/g, (host) => other(host as Host));
  const { point } = planned;
  return { ...planned, point: { ...point, id: swapped(point.id), worker: swapped(point.worker) } };
}

async function wrongAfter({ estate, customer }: Scene, from: Host): Promise<string[]> {
  const found = await roles(estate);
  const led = await served(estate);
  const to = other(from);
  if (found[to] !== 'primary' || found[from] !== 'standby')
    return [`db1 is ${found.db1}, db2 is ${found.db2}; expected ${to} as the primary, ${from} as its standby`];
  const lost = await lostFor(estate, [...customer.acknowledged]);
  const streams = await withServer(estate.site, from, 'postgres', async (client) => {
    const { rows } = await client.query<{ status: string }>('select status from pg_stat_wal_receiver');
    return rows[0]?.status;
  });
  const slots = await Promise.all(
    hosts.map((host) =>
      withServer(estate.site, host, 'postgres', async (client) => {
        const { rows } = await client.query<{ name: string }>('select slot_name as name from pg_replication_slots');
        return `${host}: ${rows.map(({ name }) => name).join(' ')}`;
      }),
    ),
  );
  const expected = hosts.map((host) => `${host}: ${host === to ? from : ''}`);
  return [
    ...(led.join() === to ? [] : [`the front door leads to ${led.join(' and ') || 'nobody'}`]),
    ...(lost.length === 0 ? [] : [`${lost.length} acknowledged writes are lost: ${lost.slice(0, 5).join(', ')}`]),
    ...(streams === 'streaming' ? [] : [`${from} does not stream (${streams ?? 'no receiver'})`]),
    ...(slots.join() === expected.join() ? [] : [`slots are ${slots.join(', ')}, expected ${expected.join(', ')}`]),
  ];
}
