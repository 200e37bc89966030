/** Somebody deletes the rows of a table under load; the service goes back to just before, in place. Counted by plain SQL on the servers. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval } from '../../../evidence/people.ts';
import { type Host, hosts } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { abortPlanQuery, abortUpdate, approveUpdate } from '../../../workflows/messages.ts';
import { drill, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, contentOf, countRows, type Server } from '../observer.ts';
import { patientMs, useCustomer, whileAt, withPeople } from '../switchover/scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate({ ...withPeople, load: { ordersPerSecond: 5 } });
const customer = useCustomer(scenario);

const server = (host: Host): Server => {
  const { socket, port } = scenario().estate.servers[host];
  return { host: socket, port };
};

/** Each statement commits by itself. @returns the number of its transaction */
async function commit(sql: string): Promise<number> {
  const [row] = await ask<{ number: string }>(
    server('db1'),
    `with done as (${sql} returning 1) select pg_current_xact_id()::text as number, count(*) from done`,
  );
  return Number(BigInt(row?.number ?? 0) % 2n ** 32n);
}

const now = async (): Promise<string> => {
  const [row] = await ask<{ at: string }>(
    server('db1'),
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return row?.at ?? '';
};

/** The approval of this round, once it is asked. */
function asked(handle: WorkflowHandle, round: number): Promise<Approval> {
  return until(
    `round ${round} of the approval`,
    async () => {
      const { approvals = [], outcome, failure } = await handle.query<Evidence>('evidence');
      if (outcome !== 'running') throw new Error(`it has ended ${outcome}: ${failure?.message}`);
      return approvals.find((one) => one.round === round && one.outcome === undefined);
    },
    240_000,
  );
}

async function say(handle: WorkflowHandle, { id, code }: Approval, more: object = {}): Promise<void> {
  for (const by of ['ana', 'ben'])
    await handle.executeUpdate(approveUpdate, { args: [{ by, approval: id, code, channel: 'cli', ...more }] });
}

/** Names beside the data directory. */
async function setAside(host: Host): Promise<string[]> {
  const { data } = scenario().estate.servers[host];
  const names = await readdir(dirname(data));
  return names.filter((name) => name.startsWith(`${basename(data)}.before-`));
}

async function expectPair(timeline: number): Promise<void> {
  const { estate } = scenario();
  expect(await roles(estate)).toEqual({ db1: 'primary', db2: 'standby' });
  expect(await served(estate)).toEqual(['db1']);
  expect(await ask(server('db1'), 'select slot_name, active from pg_replication_slots')).toEqual([
    { slot_name: 'db2', active: true },
  ]);
  await until(`db2 streams on timeline ${timeline}`, async () => {
    const [row] = await ask<{ received_tli: number; status: string }>(
      server('db2'),
      'select received_tli, status from pg_stat_wal_receiver',
    );
    return row?.received_tli === timeline && row.status === 'streaming' ? true : undefined;
  });
}

async function expectNothingBeside(): Promise<void> {
  for (const host of hosts) expect(await readdir(scenario().estate.site.layout.host(host).scratch)).toEqual([]);
}

async function stillServed(): Promise<void> {
  const before = customer().acknowledged.length;
  await until('the customer is served', async () => (customer().acknowledged.length > before + 20 ? true : undefined));
}

test('rows that were deleted come back on every member, and what was written after is given up and counted', async () => {
  await ask(server('db1'), 'create table precious (number int); create table later (number int)');
  const empty = await now();
  await commit('insert into precious select generate_series(1, 5000)');
  const deletion = await commit('delete from precious');
  await commit('insert into later values (1)');
  await stillServed();

  const input = { mode: 'live', requestedBy: 'cara', target: empty };
  const handle = await start(scenario(), 'pointInTimeRecovery', input);
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

  await expectPair(2);
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

  for (const host of hosts) expect(await setAside(host)).toHaveLength(1);
  expect(evidence.setAside?.map(({ host, directory }) => [host, basename(directory)])).toEqual(
    await Promise.all(hosts.map(async (host) => [host, (await setAside(host))[0]])),
  );
  await expectNothingBeside();
  const names = evidence.measurements.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['transactions given up', 'writes stopped', 'front door closed']));
});

test('aborted after the new timeline has reached the archive, the database comes back as it was, on a timeline above it', async () => {
  await commit('insert into later values (2)');
  const handle = await start(scenario(), 'pointInTimeRecovery', {
    mode: 'live',
    requestedBy: 'cara',
    target: await now(),
  });
  await commit('insert into later values (3)');
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
  await expectPair(4);
  expect(await ask(server('db1'), 'select number from later order by 1')).toEqual([{ number: 2 }, { number: 3 }]);
  await stillServed();
  for (const host of hosts) expect(await setAside(host)).toHaveLength(1);
  await expectNothingBeside();
});

test('a drill on what was archived since is proven', async () => {
  const evidence = await until('a drill on the newest timeline', async () => {
    const run = await drill(scenario());
    if (run.failure !== undefined) throw new Error(run.failure.message);
    return run;
  });
  expect(evidence).toMatchObject({ outcome: 'proven', target: { timeline: 4 } });
});
