/** A small estate with Lifeboat running on it, and the runbooks started as a client would start them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Estate, type EstateOptions, startEstate } from '../../../lab/estate.ts';
import { until as seen } from '../../../lab/until.ts';

export interface Scenario {
  estate: Estate;
  client: Client;
}

/** Starts the estate before the tests of a file and ends it after them. */
export function useEstate(options: Partial<EstateOptions> = {}): () => Scenario {
  let scenario: Scenario | undefined;
  beforeAll(async () => {
    const root = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'e-'));
    const estate = await startEstate({
      root,
      template: inject('template'),
      archiveTimeout: '2s',
      heartbeat: '3s',
      ...options,
    });
    const connection = await Connection.connect({ address: estate.temporal.address });
    scenario = { estate, client: new Client({ connection }) };
  });
  afterAll(async () => {
    await scenario?.client.connection.close();
    await scenario?.estate.stop();
  });
  return () => {
    if (scenario === undefined) throw new Error('the estate did not start');
    return scenario;
  };
}

export function start({ client }: Scenario, workflow: string, input: object): Promise<WorkflowHandle> {
  const workflowId = `orders-${randomBytes(4).toString('hex')}`;
  return client.workflow.start(workflow, { taskQueue: 'lifeboat', workflowId, args: [input] });
}

/** How a run ended: its evidence, whether that was good or bad. */
export async function ended(handle: WorkflowHandle): Promise<Evidence> {
  await handle.result().catch(() => undefined);
  // The engine gives a worker ten seconds for an answer, and a busy machine may take longer.
  return until('its evidence', () => handle.query<Evidence>('evidence'));
}

/** Runs a drill to its end. */
export async function drill(scenario: Scenario, input: object = {}): Promise<Evidence> {
  return ended(await start(scenario, 'monthlyDrill', input));
}

/** Takes a backup and an anchor; fails the test when it does not complete. */
export async function backup(scenario: Scenario, type = 'full'): Promise<Evidence> {
  const evidence = await ended(await start(scenario, 'backup', { mode: 'live', type }));
  if (evidence.outcome !== 'completed') throw new Error(`backup: ${evidence.failure?.message}`);
  return evidence;
}

/** Polls until `look` yields something, or says what was last seen. */
export function until<T>(what: string, look: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  return seen({ what, withinMs, everyMs: 100 }, look);
}
