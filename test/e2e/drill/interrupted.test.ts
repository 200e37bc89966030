/** A drill that is interrupted cleans up, or goes on; production never notices. */
import { readdir } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { processesNaming } from '../observer.ts';
import { backup, drill, ended, start, until, useEstate } from './scenario.ts';

const scenario = useEstate({ load: { ordersPerSecond: 10 } });

beforeAll(async () => {
  await backup(scenario());
});

/** Starts a drill, and waits until the given step is going on. */
async function drillIn(step: string) {
  const handle = await start(scenario(), 'monthlyDrill', {});
  await until(`the drill reaches ${step}`, async () => {
    const evidence = await handle.query<Evidence>('evidence');
    return evidence.steps.some((one) => one.id === step) ? true : undefined;
  });
  return handle;
}

async function nothingIsLeft() {
  const { scratch } = scenario().estate.servers.db2;
  expect(await readdir(scratch)).toEqual([]);
  expect(await processesNaming(`${scratch}/`)).toEqual([]);
}

test.each([
  'database/restore-the-backup-beside',
  'database/roll-forward-to-the-target',
  'validation/indexes-agree-with-their-tables',
])('cancelled in %s it is aborted, leaves nothing, and gives its host back', async (step) => {
  const handle = await drillIn(step);
  await handle.cancel();
  const evidence = await ended(handle);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  await nothingIsLeft();
});

test.each(['host-db2', 'control'])(
  'with %s killed in the middle it goes on when that is back, and is proven',
  async (name) => {
    const handle = await drillIn('database/restore-the-backup-beside');
    const worker = scenario().estate.process(name);
    await worker.kill('SIGKILL');
    await worker.start();
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'proven', leftBehind: [] });
    await nothingIsLeft();
  },
);

test('to a chosen moment it stops there, and claims nothing of what came after', async () => {
  const target = new Date(Date.now()).toISOString();
  const evidence = await until('a commit after the target is archived', async () => {
    const run = await drill(scenario(), { target });
    if (run.failure !== undefined) throw new Error(run.failure.message);
    return run;
  });
  expect(evidence).toMatchObject({ outcome: 'proven', target: { chosenBy: 'person', at: target } });
  expect(evidence.rpo.valueMs).toBeUndefined();
  const end = evidence.steps.find((step) => step.id === 'database/recovery-ended-where-it-should');
  const [, lastCommit] = /last commit at (\S+?);/.exec(end?.found ?? '') ?? [];
  expect(Date.parse(lastCommit ?? '')).toBeLessThanOrEqual(Date.parse(target));
  expect(Date.parse(lastCommit ?? '')).toBeGreaterThan(Date.parse(target) - 5_000);
});
