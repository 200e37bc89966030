/** The estate on which runs are killed, and the walks over it in an order that keeps each run short. */
import { Client, Connection } from '@temporalio/client';
import { type Estate, type EstateOptions, startEstate } from '../../lab/estate.ts';
import type { Walkable } from './points.ts';
import { type Planned, plan, type Wish } from './rotation.ts';
import { type Calm, calmRun, type Scene, type Walked, walk } from './walk.ts';
import { startWriter } from './writes.ts';

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

export type Calms = Record<Walkable, Calm>;

/** A backup and a drill that nobody disturbs. */
export async function calmRuns(scene: Scene): Promise<Calms> {
  const backup = await calmRun(scene, 'backup');
  return { backup, 'monthly-drill': await calmRun(scene, 'monthly-drill') };
}

/** Backups spread among the drills: a drill after a long time without one would have much WAL to replay. */
export function planWalks(calms: Calms, wish: Wish): Planned[] {
  const planned = plan([...calms.backup.points, ...calms['monthly-drill'].points], wish);
  const backups = planned.filter(({ point }) => point.runbook === 'backup');
  const drills = planned.filter(({ point }) => point.runbook !== 'backup');
  const placed = (list: Planned[]) => list.map((one, index) => ({ one, at: (index + 0.5) / list.length }));
  return [...placed(backups), ...placed(drills)].toSorted((a, b) => a.at - b.at).map(({ one }) => one);
}

export async function walkAll(
  scene: Scene,
  calms: Calms,
  planned: readonly Planned[],
  told: (walked: Walked, number: number) => void,
  signal?: AbortSignal,
): Promise<Walked[]> {
  const walks: Walked[] = [];
  for (const one of planned) {
    signal?.throwIfAborted();
    const walked = await walk(scene, one, calms[one.point.runbook]);
    walks.push(walked);
    told(walked, walks.length);
  }
  return walks;
}
