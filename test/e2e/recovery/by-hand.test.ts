/** Somebody does not know of the recovery: starts what was stopped, or goes on writing past the front door. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { hosts } from '../../../lab/layout.ts';
import { served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { ended, useEstate } from '../drill/scenario.ts';
import { ask } from '../observer.ts';
import {
  condition,
  patientMs,
  startByHand,
  stillServed,
  useCustomer,
  whileAt,
  withPeople,
} from '../switchover/scenario.ts';
import {
  asked,
  decide,
  expectNothingBeside,
  expectPair,
  moment,
  say,
  serverOf,
  setAside,
  startRecovery,
} from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

test('the old primary is started by hand before its directory is set aside: nothing is moved under it, and all is as it was', async () => {
  const target = await moment(scenario());
  await stillServed(scenario(), customer());
  const before = await condition(scenario());
  const handle = await startRecovery(scenario(), target);
  const { done } = await whileAt(
    scenario(),
    { activity: 'database/put-the-restored-data-in-place-on-db1', side: 'before' },
    () => startByHand(scenario(), 'db1'),
  );
  await say(handle, await asked(handle));
  await done;
  expect(await decide(handle, 'abort', 'Moved')).toMatch(/works in .*data on db1, which is about to be replaced/);
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await condition(scenario())).toEqual(before);
  await expectNothingBeside(scenario());
  for (const host of hosts) expect(await setAside(scenario(), host)).toEqual([]);
  await stillServed(scenario(), customer());
});

test('a client that writes to the old primary past the front door is counted among what is given up, and cannot hold it up', async () => {
  const { host, port } = serverOf(scenario(), 'db1');
  await ask(serverOf(scenario(), 'db1'), 'create table stubborn (number int); grant insert on stubborn to orders');
  const target = await moment(scenario());
  const written: number[] = [];
  let stopped = false;
  const writing = (async () => {
    while (!stopped) {
      const client = new pg.Client({
        host,
        port,
        user: 'postgres',
        database: 'orders',
        connectionTimeoutMillis: 2_000,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        for (; !stopped; await pause(20)) {
          const number = written.length + 1;
          await client.query('insert into stubborn values ($1)', [number]);
          written.push(number);
        }
      } catch {
        await pause(50);
      } finally {
        client.end().catch(() => undefined);
      }
    }
  })();
  const handle = await startRecovery(scenario(), target);
  await sayYes(handle);
  const evidence = await ended(handle);
  stopped = true;
  await writing;
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });
  await expectPair(scenario(), 2);
  // What he wrote after the old primary was stopped went to the recovered one; nothing of before is there.
  const there = await ask<{ number: number }>(serverOf(scenario(), 'db1'), 'select number from stubborn order by 1');
  const [first] = there.map(({ number }) => number);
  const since = first === undefined ? [] : written.filter((number) => number >= first);
  expect(there.map(({ number }) => number)).toEqual(since);
  expect(evidence.measurements.find(({ name }) => name === 'transactions given up')?.value).toBeGreaterThan(10);
  expect(await served(scenario().estate)).toEqual(['db1']);
});
