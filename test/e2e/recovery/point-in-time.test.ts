/** Somebody deletes the rows of a table under load; the service goes back to just before, in place. Counted by plain SQL on the servers. */
import { basename } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Host, hosts } from '../../../lab/layout.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { abortPlanQuery, abortUpdate } from '../../../workflows/messages.ts';
import { drill, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, contentOf, countRows } from '../observer.ts';
import { patientMs, useCustomer, whileAt, withPeople } from '../switchover/scenario.ts';
import {
  asked,
  commit,
  expectNothingBeside,
  expectPair,
  moment,
  say,
  serverOf,
  setAside,
  startRecovery,
} from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate({ ...withPeople, load: { ordersPerSecond: 5 } });
const customer = useCustomer(scenario);
/** The recovery whose old directories are kept. */
let recovery = '';

const server = (host: Host) => serverOf(scenario(), host);

async function stillServed(): Promise<void> {
  const before = customer().acknowledged.length;
  await until('the customer is served', async () => (customer().acknowledged.length > before + 20 ? true : undefined));
}

test('rows that were deleted come back on every member, and what was written after is given up and counted', async () => {
  await ask(server('db1'), 'create table precious (number int); create table later (number int)');
  const empty = await moment(scenario());
  await commit(scenario(), 'insert into precious select generate_series(1, 5000)');
  const deletion = await commit(scenario(), 'delete from precious');
  await commit(scenario(), 'insert into later values (1)');
  await stillServed();

  const handle = await startRecovery(scenario(), empty);
  recovery = handle.workflowId;
  // People see that they have gone back too far, and move on: nothing is restored for it.
  await say(handle, await asked(handle, 1), { choice: 'move-target', value: `before transaction ${deletion}` });
  const { subject, shown } = await asked(handle, 2);
  expect(subject['rows of public.orders']).toMatch(/^\d+ now, \d+ after$/);
  expect(shown['see for yourself']).toContain('psql');
  const held = customer().acknowledged.length;
  await say(handle, await asked(handle, 2));
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  expect(evidence.steps.filter(({ name }) => name.startsWith('Restore'))).toHaveLength(2);

  await expectPair(scenario(), 2);
  await stillServed();
  for (const host of hosts) {
    await until(`${host} holds the rows again`, async () =>
      (await countRows(server(host), 'precious')) === 5000 ? true : undefined,
    );
    expect(await countRows(server(host), 'later')).toBe(0);
  }
  const [products] = await Promise.all([contentOf(server('db1'), 'products')]);
  expect(await contentOf(server('db2'), 'products')).toEqual(products);

  // Of those that were acknowledged before the door closed the first ones are there, without a gap, and none after them.
  const there = await ask<{ number: string }>(server('db1'), 'select number from customer order by number');
  const numbers = new Set(there.map(({ number }) => Number(number)));
  const before = customer().acknowledged.slice(0, held);
  const lost = before.filter((number) => !numbers.has(number));
  expect(lost.length).toBeGreaterThan(0);
  expect(before.slice(-lost.length)).toEqual(lost);

  for (const host of hosts) expect(await setAside(scenario(), host)).toHaveLength(1);
  expect(evidence.setAside?.map(({ host, directory }) => [host, basename(directory)])).toEqual(
    await Promise.all(hosts.map(async (host) => [host, (await setAside(scenario(), host))[0]])),
  );
  await expectNothingBeside(scenario());
  const names = evidence.measurements.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['transactions given up', 'writes stopped', 'front door closed']));
});

test('aborted after the new timeline has reached the archive, the database comes back as it was, on a timeline above it', async () => {
  await commit(scenario(), 'insert into later values (2)');
  const handle = await startRecovery(scenario(), await moment(scenario()));
  await commit(scenario(), 'insert into later values (3)');
  const approval = await asked(handle, 1);
  const held = await whileAt(
    scenario(),
    { activity: 'database/start-the-standby-on-db2', side: 'before' },
    async () => {
      const { code } = await handle.query(abortPlanQuery);
      await handle.executeUpdate(abortUpdate, { args: [{ by: 'ana', code, channel: 'cli' }] });
    },
  );
  await say(handle, approval);
  await held.done;
  const evidence = await ended(handle);
  expect(evidence).toMatchObject({ outcome: 'aborted', leftBehind: [], setAside: [] });
  await expectPair(scenario(), 4);
  expect(await ask(server('db1'), 'select number from later order by 1')).toEqual([{ number: 2 }, { number: 3 }]);
  await stillServed();
  for (const host of hosts) expect(await setAside(scenario(), host)).toHaveLength(1);
  await expectNothingBeside(scenario());
});

test('a drill on what was archived since is proven', async () => {
  const evidence = await until('a drill on the newest timeline', async () => {
    const run = await drill(scenario());
    if (run.failure !== undefined) throw new Error(run.failure.message);
    return run;
  });
  expect(evidence).toMatchObject({ outcome: 'proven', target: { timeline: 4 } });
});

test('a sweep lists what is kept and leaves it; once people accept the recovery it is removed, and nothing else', async () => {
  const shown = await ended(await start(scenario(), 'sweep', { mode: 'dry-run' }));
  const kept = shown.leftovers?.filter(({ what }) => what.includes('.before-')) ?? [];
  expect(kept.map(({ verdict }) => verdict)).not.toContain('left');
  const swept = await ended(await start(scenario(), 'sweep', { mode: 'live', shownBy: shown.run }));
  expect(swept).toMatchObject({ outcome: 'completed' });
  for (const host of hosts) expect(await setAside(scenario(), host)).toHaveLength(1);

  const handle = await start(scenario(), 'accept', { mode: 'live', requestedBy: 'cara', recovery });
  const { subject } = await asked(handle);
  for (const host of hosts) expect(JSON.stringify(subject)).toContain((await setAside(scenario(), host))[0]);
  await sayYes(handle);
  expect(await ended(handle)).toMatchObject({ outcome: 'completed', leftBehind: [] });
  for (const host of hosts) expect(await setAside(scenario(), host)).toEqual([]);
  await expectPair(scenario(), 4);
  await stillServed();
});
