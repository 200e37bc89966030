/** The estate on which runs are killed, who watches it, and how runs are started there. */
import { randomBytes } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { type Estate, type EstateOptions, startEstate } from '../../lab/estate.ts';
import { controlQueue, type RunbookName, runbooks } from '../../workflows/messages.ts';
import { startWriter, type Writer } from './writes.ts';

export interface Scene {
  estate: Estate;
  client: Client;
  writer: Writer;
}

/** Small, quick to notice a dead worker, and with customers. */
export const walkEstate = {
  rows: 2_000,
  walSegmentMb: 1,
  archiveTimeout: '2s',
  heartbeat: '3s',
  load: { ordersPerSecond: 5 },
  killPoints: true,
} as const satisfies Partial<EstateOptions>;

/** Who watches an estate while runs are killed on it. */
export async function openScene(estate: Estate): Promise<Scene> {
  const connection = await Connection.connect({ address: estate.temporal.address });
  return { estate, client: new Client({ connection }), writer: await startWriter(estate) };
}

export async function closeScene({ client, writer }: Scene): Promise<void> {
  await writer.stop();
  await client.connection.close();
}

export async function withScene<T>(
  options: Pick<EstateOptions, 'root'> & Partial<EstateOptions>,
  use: (scene: Scene) => Promise<T>,
): Promise<T> {
  const estate = await startEstate({ ...walkEstate, ...options });
  try {
    const scene = await openScene(estate);
    try {
      return await use(scene);
    } finally {
      await closeScene(scene);
    }
  } finally {
    await estate.stop();
  }
}

export function startRun(
  { client }: Pick<Scene, 'client'>,
  runbook: RunbookName,
  input: object,
): Promise<WorkflowHandle> {
  return client.workflow.start(runbooks[runbook], {
    taskQueue: controlQueue,
    workflowId: `orders-${randomBytes(3).toString('hex')}`,
    args: [input],
  });
}
