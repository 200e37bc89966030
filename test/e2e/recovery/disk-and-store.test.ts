/** What a recovery stands on gives way under it: the disk of a host fills, the object store goes away. Counted on the servers. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { hosts } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { abortPlanQuery, abortUpdate } from '../../../workflows/messages.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import type { SmallDisk } from '../faults/small-disk.ts';
import { byDoor, moments, refused, strike, waitingStep } from '../faults/store-moments.ts';
import { ask, contentOf, countRows } from '../observer.ts';
import {
  condition,
  isServed,
  patientMs,
  stillServed,
  useCustomer,
  whileAt,
  withPeople,
} from '../switchover/scenario.ts';
import { giveDiskOfItsOwn } from './host-disk.ts';
import {
  asked,
  commit,
  decide,
  expectNothingBeside,
  expectPair,
  moment,
  say,
  serverOf,
  setAside,
  startRecovery,
} from './scenario.ts';

vi.setConfig({ testTimeout: 2 * patientMs });

const MB = 1024 * 1024;

const scenario = useEstate({ ...withPeople, keepFree: '32MB' });
const customer = useCustomer(scenario);

/** Of db2: its live standby is on it too. */
let disk: SmallDisk;

beforeAll(async () => {
  disk = await giveDiskOfItsOwn(scenario(), 'db2', 700);
});

afterEach(() => disk.drain());

afterAll(() => disk?.unmount());

interface Mistake {
  /** As a person says it. */
  target: string;
  /** Whose rows the mistake has deleted. */
  table: string;
  /** Of the customer, acknowledged before it was made. */
  sure: number[];
  /** Place among the acknowledged ones of the first that came after it. */
  after: number;
}

const mistakenRows = 1_000;

/** Somebody deletes the rows of a table under load, and it is noticed a while later. */
async function makeMistake(table: string): Promise<Mistake> {
  await ask(
    serverOf(scenario(), 'db1'),
    `create table ${table} (number int); insert into ${table} select generate_series(1, ${mistakenRows})`,
  );
  const { acknowledged } = customer();
  const began = acknowledged.length;
  await isServed(customer());
  const sure = acknowledged.slice(began);
  const deletion = await commit(scenario(), `delete from ${table}`);
  // One that was on its way may have come before it, or after.
  const after = acknowledged.length + 1;
  await isServed(customer());
  return { target: `before transaction ${deletion}`, table, sure, after };
}

/** On both members there is all that was committed before the mistake, and nothing of what came after. @param held acknowledged when the door had been closed */
async function expectJustBefore({ table, sure, after }: Mistake, held: number): Promise<void> {
  const lost = customer().acknowledged.slice(after, held);
  expect(lost.length).toBeGreaterThan(0);
  for (const host of hosts) {
    const server = serverOf(scenario(), host);
    await until(`${host} holds the rows again`, async () =>
      (await countRows(server, table)) === mistakenRows ? true : undefined,
    );
    const rows = await ask<{ number: string }>(server, 'select number from customer');
    const there = new Set(rows.map(({ number }) => Number(number)));
    expect(sure.filter((number) => !there.has(number))).toEqual([]);
    expect(lost.filter((number) => there.has(number))).toEqual([]);
  }
  await isServed(customer());
}

/** What nobody has changed meanwhile. */
async function shopOn(host: (typeof hosts)[number]) {
  const server = serverOf(scenario(), host);
  return { orders: await contentOf(server, 'orders'), payments: await contentOf(server, 'payments') };
}

test('the disk of a host fills while a backup is restored there: people are told which and what to do; given up, all is as it was, though nobody has made room', async () => {
  const target = await moment(scenario());
  await stillServed(scenario(), customer());
  const before = await condition(scenario());
  const { faults } = scenario().estate;
  const { method, path } = moments['the restore'];
  await faults.add({ method, path, fault: { kind: 'delay', ms: 5_000 } });
  const handle = await startRecovery(scenario(), target);
  await until(
    'the backup is read',
    async () => ((await faults.list()).some(({ struck }) => struck > 0) ? true : undefined),
    120_000,
  );
  await disk.fill(16 * MB);
  await faults.clear();
  const told = await decide(handle, 'abort', 'DiskFull');
  expect(told).toMatch(/^only .*MB are free on the disk at .*\/db2 on db2, expected .* that the plan keeps free/);
  expect(told).toContain('Make room');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await condition(scenario())).toEqual(before);
  await expectNothingBeside(scenario());
  for (const host of hosts) expect(await setAside(scenario(), host)).toEqual([]);
  await stillServed(scenario(), customer());
});

test('the store is away when the way back is asked for: it is waited for, and the old database comes back with every row', async () => {
  await ask(serverOf(scenario(), 'db1'), 'create table later (number int)');
  await commit(scenario(), 'insert into later values (1)');
  const handle = await startRecovery(scenario(), await moment(scenario()));
  await commit(scenario(), 'insert into later values (2)');
  const approval = await asked(handle);
  const { done } = await whileAt(
    scenario(),
    { activity: 'database/start-the-standby-on-db2', side: 'before' },
    async () => {
      await refused.begin(scenario());
      const { code } = await handle.query(abortPlanQuery);
      await handle.executeUpdate(abortUpdate, { args: [{ by: 'ana', code, channel: 'cli' }] });
    },
  );
  await say(handle, approval);
  try {
    await done;
    const { name, waits: [wait] = [] } = await waitingStep(handle);
    expect(name).toBe('Undo: Stop the primary');
    const givesUpAfterMs = Date.parse(wait?.givesUpAt ?? '') - Date.parse(wait?.since ?? '');
    expect(givesUpAfterMs).toBeGreaterThan(10 * 60_000);
    // Whether the archive knows the recovered timeline cannot be told yet: nobody serves, and nobody is let in.
    expect((await roles(scenario().estate)).db1).toBe('down');
    expect(await served(scenario().estate)).toEqual([]);
  } finally {
    await refused.end(scenario());
  }
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [], setAside: [] });
  await expectPair(scenario(), 3);
  for (const host of hosts)
    expect(await ask(serverOf(scenario(), host), 'select number from later order by 1')).toEqual([
      { number: 1 },
      { number: 2 },
    ]);
  await expectNothingBeside(scenario());
  for (const host of hosts) expect(await setAside(scenario(), host)).toEqual([]);
  await stillServed(scenario(), customer());
});

test('a disk is full when WAL is to be replayed: with room again the same recovery goes on to its target', async () => {
  const shop = await shopOn('db1');
  const mistake = await makeMistake('precious');
  const handle = await startRecovery(scenario(), mistake.target);
  const { done } = await whileAt(scenario(), { activity: 'database/replay-to-the-target-on-db2', side: 'before' }, () =>
    disk.fill(),
  );
  await done;
  const told = await decide(handle, 'retry', 'DiskFull', () => disk.drain());
  expect(told).toMatch(/on the disk at .*\/db2 on db2|^the disk at .*\/db2 on db2 takes no more/);
  expect(told).toContain('Make room');
  await asked(handle);
  const held = customer().acknowledged.length;
  await sayYes(handle);
  expect(await ended(handle)).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  await expectPair(scenario(), 4);
  await expectJustBefore(mistake, held);
  for (const host of hosts) expect(await shopOn(host)).toEqual(shop);
  await expectNothingBeside(scenario());
});

test('the store is away while backups are restored, and once more while WAL is replayed: both are waited out, and the target keeps its promise', async () => {
  const silent = byDoor('accepts and never answers', 'silent');
  const shop = await shopOn('db1');
  const mistake = await makeMistake('treasured');
  const handle = await startRecovery(scenario(), mistake.target);
  const atReplay = { activity: 'database/replay-to-the-target-on-db2', side: 'before' } as const;
  try {
    await strike(scenario(), handle, 'the restore of a recovery', refused);
    expect((await waitingStep(handle)).name).toMatch(/^Restore the backup beside on db/);
    const { done } = await whileAt(scenario(), atReplay, () => silent.begin(scenario()));
    await refused.end(scenario());
    await done;
    expect((await waitingStep(handle)).name).toMatch(/^Replay to the (anchor on db1|target on db[12])$/);
    await silent.end(scenario());
  } finally {
    if (!scenario().estate.process('fault-proxy').running) await refused.end(scenario());
    await silent.end(scenario());
  }
  await asked(handle);
  const held = customer().acknowledged.length;
  await sayYes(handle);
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect(evidence.steps.flatMap(({ waits = [] }) => waits).filter(({ until: over }) => over === undefined)).toEqual([]);
  await expectPair(scenario(), 5);
  await expectJustBefore(mistake, held);
  for (const host of hosts) expect(await shopOn(host)).toEqual(shop);
  await expectNothingBeside(scenario());
});
