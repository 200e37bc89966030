/** The schedules of one plan, orders, against a server in memory: what the tests of the schedules commands begin with. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { orders } from '../plan/orders.ts';
import { MadeUpSchedules } from './made-up-schedules.ts';
import { type Stage, stage } from './stage.ts';

let folder: string;
export let server: MadeUpSchedules;

/** To be called once by each file: a folder for the plan, and an empty server before each test. */
export function useSchedules(): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(process.env.LIFEBOAT_TEST_ROOT ?? tmpdir(), 'lifeboat-schedules-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(() => {
    server = new MadeUpSchedules();
  });
}

export async function on(plan = orders, more: Parameters<typeof stage>[0] = {}): Promise<Stage> {
  await writeFile(join(folder, 'orders.yaml'), plan);
  return stage({ schedules: server, environment: here(), ...more });
}

export async function said(words: string, plan = orders): Promise<{ text: string; code: number | undefined }> {
  const at = await on(plan);
  await at.type('schedules', ...words.split(' '));
  return { text: [...at.out, ...at.messages].join('\n'), code: at.code() };
}

export const here = () => ({ LIFEBOAT_PLANS: join(folder, 'orders.yaml') });

/** Beside the plan of orders one that cannot be read, which says that it is billing's. */
export async function besideBadPlan(): Promise<Stage> {
  await writeFile(join(folder, 'orders.yaml'), orders);
  await writeFile(join(folder, 'bad.yaml'), 'service: billing\n');
  return stage({
    schedules: server,
    environment: { LIFEBOAT_PLANS: `${join(folder, 'orders.yaml')}:${join(folder, 'bad.yaml')}` },
  });
}

export const ids = () => [...server.there.keys()].sort();
export const theThree = [
  'lifeboat/orders/full-backup',
  'lifeboat/orders/incremental-backup',
  'lifeboat/orders/monthly-drill',
];
