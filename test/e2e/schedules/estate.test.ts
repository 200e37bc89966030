/** A plan's schedules on a whole estate: they fire, they exclude each other on a host, and what they miss is seen. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import type { Evidence } from '../../../evidence/evidence.ts';
import { buckets } from '../../../lab/backrest.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { objectsIn } from '../observer.ts';

const scenario = useEstate({ load: { ordersPerSecond: 5 } });
const main = join(import.meta.dirname, '../../../dist/cli/main.js');

async function lifeboat(...words: string[]): Promise<string> {
  const { env } = scenario().estate;
  const { stdout } = await execa(process.execPath, [main, ...words], { env });
  return stdout;
}

/** The plan of the estate with these values in it. */
async function plan(values: Record<string, unknown>): Promise<void> {
  const { planFile } = scenario().estate;
  const document = parseDocument(await readFile(planFile, 'utf8'));
  for (const [path, value] of Object.entries(values)) document.setIn(path.split('.'), value);
  await writeFile(planFile, document.toString({ lineWidth: 0 }));
}

const clockAt = (at: number) => `${new Date(at).toISOString().slice(11, 16)} UTC`;
const schedule = (name: string) => scenario().client.schedule.getHandle(`lifeboat/orders/${name}`);

/** The run that a schedule has started at or after a moment. */
function startedBy(name: string, since: number): Promise<string> {
  return until(
    `${name} to be started by its schedule`,
    async () => {
      const { info } = await schedule(name).describe();
      const newest = info.recentActions.find(({ takenAt }) => takenAt.getTime() >= since);
      return newest?.action.workflow.workflowId;
    },
    120_000,
  );
}

async function waits(run: string): Promise<void> {
  await until(`${run} to wait for its host`, async () => {
    const { steps } = await scenario().client.workflow.getHandle(run).query<Evidence>('evidence');
    return steps.find((step) => step.found?.includes('waiting for it'))?.found;
  });
}

/** Backups in the repository, as they lie on the store's disk. */
async function backupsThere(): Promise<number> {
  const { layout } = scenario().estate.site;
  const files = await objectsIn(join(layout.store, 'objects', buckets.backups), (path) =>
    /backup\/orders\/[0-9FDI_-]+\/backup\.manifest$/.test(path),
  );
  return files.length;
}

beforeAll(async () => {
  await backup(scenario());
  const { db1 } = scenario().estate.servers;
  // On the primary's host, so that drills and backups meet.
  await plan({ 'drills.monthly.host': 'db1', 'drills.monthly.directory': db1.scratch });
});

test('the drill begins by itself at the minute that the plan says; meeting a backup it waits for it, and is proven', async () => {
  const { estate, client } = scenario();
  const minute = Math.ceil((Date.now() + 8_000) / 60_000) * 60_000;
  await plan({ 'drills.monthly.schedule': `daily ${clockAt(minute)}` });
  await lifeboat('schedules', 'apply');
  // A backup that goes on until it is let go.
  await estate.faults.add({ method: 'PUT', path: '/pgbackrest/backup/', fault: { kind: 'delay', ms: 700 } });
  await until('the minute to come near', async () => (Date.now() > minute - 4_000 ? true : undefined), 90_000);
  const before = await backupsThere();
  const taking = await start(scenario(), 'backup', { mode: 'live', type: 'full' });
  const run = await startedBy('monthly-drill', minute - 1_000);
  expect(run).toBe(`orders-monthly-drill-${new Date(minute).toISOString().replace('.000', '')}`);
  await waits(run);
  expect(await backupsThere()).toBe(before);
  await estate.faults.clear();
  expect((await ended(taking)).outcome).toBe('completed');
  const drill = client.workflow.getHandle(run);
  const evidence = await ended(drill);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'proven', requestedBy: 'schedule', leftBehind: [] });
  // By the server's clock the drill began before the backup ended, and restored only after.
  const { startTime } = await drill.describe();
  expect(startTime.getTime()).toBeLessThan((await taking.describe()).closeTime?.getTime() ?? 0);
  expect(await lifeboat('schedules', 'list')).toContain(`last PROVEN ${run}`);
  expect(await lifeboat('status')).not.toContain('MISSED');
}, 240_000);

test('a backup that its schedule starts in the middle of a drill waits, and is taken when the drill is over', async () => {
  const before = await backupsThere();
  const drill = await start(scenario(), 'monthlyDrill', {});
  await until('the drill to restore', async () => {
    const { steps } = await drill.query<Evidence>('evidence');
    return steps.some((step) => step.group === 'database') ? true : undefined;
  });
  const since = Date.now() - 1_000;
  await schedule('incremental-backup').trigger();
  const run = await startedBy('incremental-backup', since);
  await waits(run);
  expect(await backupsThere()).toBe(before);
  expect((await ended(drill)).outcome).toBe('proven');
  const evidence = await ended(scenario().client.workflow.getHandle(run));
  expect(evidence).toMatchObject({ outcome: 'completed', input: { type: 'incremental' } });
  expect(await backupsThere()).toBe(before + 1);
}, 180_000);

test('a backup whose host does not become free in time is aborted, and the status and the pages say so', async () => {
  const { client, estate } = scenario();
  // A time that is past, and after every backup there is: those would do for it.
  const begun = Date.now();
  const due = await until(
    'a full minute to have gone by',
    async () => {
      const minute = Math.floor((Date.now() - 15_000) / 60_000) * 60_000;
      return minute > begun ? minute : undefined;
    },
    120_000,
  );
  await plan({ 'schedules.startWithin': '10s', 'backups.physical.full': `daily ${clockAt(due)}` });
  await lifeboat('schedules', 'apply');
  // Its times count from now on; for the test they count from ever, and its jitter does not put this one off until later.
  await schedule('full-backup').update(({ spec, ...rest }) => {
    const { startAt: _now, jitter: _upToAMinute, ...always } = spec;
    return { ...rest, spec: always };
  });
  const holder = await client.workflow.start('lock', {
    taskQueue: 'lifeboat',
    workflowId: 'lifeboat-host/db1',
    args: [],
  });
  const since = Date.now() - 1_000;
  await schedule('full-backup').trigger();
  const evidence = await ended(client.workflow.getHandle(await startedBy('full-backup', since)));
  await holder.terminate();
  expect(evidence).toMatchObject({ outcome: 'aborted', failure: { type: 'LockHeld' } });
  const missed = `of ${new Date(due).toISOString().slice(0, 16).replace('T', ' ')}Z came to nothing: ${evidence.run} ended aborted`;
  await until('the status to say so', async () => (await lifeboat('status')).includes(missed) || undefined);
  await until(
    'the pages to say so',
    async () => (await (await fetch(estate.pagesUrl)).text()).includes(missed) || undefined,
  );
}, 300_000);
