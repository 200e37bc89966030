/** The promise itself: primary and standby change places under load, twice; a client that counts has lost nothing. */
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { lostFor } from '../../../lab/customer.ts';
import { type Host, hosts } from '../../../lab/layout.ts';
import { other, primaryOf, roles, served } from '../../../lab/pair.ts';
import { ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, contentOf } from '../observer.ts';
import { condition, patientMs, switchOver, useCustomer, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate({ ...withPeople, load: { ordersPerSecond: 20 } });
const customer = useCustomer(scenario);

async function switchedFrom(from: Host): Promise<Evidence> {
  customer().longestGap();
  const evidence = await switchOver(scenario());
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(await roles(scenario().estate)).toEqual({ [from]: 'standby', [other(from)]: 'primary' });
  expect(await served(scenario().estate)).toEqual([other(from)]);
  return evidence;
}

/** Both servers hold the same rows, once the standby has replayed what the primary had at one moment. */
async function equalRows(table: string): Promise<void> {
  await until(`${table} is the same on both`, async () => {
    const [one, two] = await Promise.all(
      hosts.map((host) => {
        const { socket, port } = scenario().estate.servers[host];
        return contentOf({ host: socket, port }, table);
      }),
    );
    return one?.md5 === two?.md5 ? true : undefined;
  });
}

const gaps: number[] = [];

test('a switchover loses nothing that was acknowledged, and writes go on within seconds', async () => {
  const before = customer().acknowledged.length;
  const evidence = await switchedFrom('db1');
  gaps.push(customer().longestGap().ms);
  await until('the customer is served again', async () =>
    customer().acknowledged.length > before + 200 ? true : undefined,
  );
  expect(await lostFor(scenario().estate, [...customer().acknowledged])).toEqual([]);
  expect(evidence.equality?.tables.every(({ equal }) => equal)).toBe(true);
  const names = evidence.measurements.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['front door closed', 'writes stopped']));
});

test('and back again: each server has only the slot of the other, and streams on the newest timeline', async () => {
  expect(await primaryOf(scenario().estate)).toBe('db2');
  await switchedFrom('db2');
  gaps.push(customer().longestGap().ms);
  expect(await lostFor(scenario().estate, [...customer().acknowledged])).toEqual([]);
  const { db1, db2 } = await condition(scenario());
  expect(db1.slots).toEqual([{ slot_name: 'db2' }]);
  expect(db2.slots).toEqual([]);
  expect(db1.streams).toEqual([{ application_name: 'db2', state: 'streaming' }]);
  const { socket, port } = scenario().estate.servers.db2;
  expect(await ask({ host: socket, port }, 'select received_tli, status from pg_stat_wal_receiver')).toEqual([
    { received_tli: 3, status: 'streaming' },
  ]);
  await equalRows('products');
  console.log(`writes stopped for ${gaps.map((ms) => Math.round(ms)).join(' and ')} ms, by a client of its own`);
});

test('a drill on what was archived since is proven', async () => {
  const evidence = await until('a drill on the newest timeline', async () => {
    const run = await ended(await start(scenario(), 'monthlyDrill', {}));
    if (run.failure !== undefined) throw new Error(run.failure.message);
    return run;
  });
  expect(evidence).toMatchObject({ outcome: 'proven' });
  expect(evidence.target?.timeline).toBe(3);
});
