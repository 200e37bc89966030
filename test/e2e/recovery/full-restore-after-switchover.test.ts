/** The roles had changed hands before both hosts were lost: the archive has a fork in it, and the newest backup is of the other host. */
import { expect, test, vi } from 'vitest';
import { startCustomer } from '../../../lab/customer.ts';
import { burnDown } from '../../../lab/fire.ts';
import { served } from '../../../lab/pair.ts';
import { sayYes, withPeople } from '../../../scripts/kills/people.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { ask, type Server } from '../observer.ts';
import { switchOver } from '../switchover/scenario.ts';

vi.setConfig({ testTimeout: 400_000 });

const scenario = useEstate(withPeople);

/** By its port: the directory of its socket is the one of the host whose backup was restored. */
async function serverAt(host: 'db1' | 'db2'): Promise<Server> {
  const { servers } = scenario().estate;
  const { port } = servers[host];
  const places = [servers.db1.socket, servers.db2.socket].map((socket) => ({ host: socket, port }));
  return until(`${host} answers`, async () => {
    const answers = await Promise.allSettled(places.map((place) => ask(place, 'select 1')));
    return places.find((_place, index) => answers[index]?.status === 'fulfilled');
  });
}

test('what was written on both timelines comes back, on the member that is chosen as the primary', async () => {
  const { estate } = scenario();
  await backup(scenario());
  const customer = await startCustomer(estate);
  expect(await switchOver(scenario())).toMatchObject({ outcome: 'completed' });
  const after = customer.acknowledged.length + 100;
  await until('the customer is served by db2', async () => (customer.acknowledged.length > after ? true : undefined));
  const certain = [...customer.acknowledged];
  const db2 = await serverAt('db2');
  const [{ segment } = { segment: '' }] = await ask<{ segment: string }>(
    db2,
    'select pg_walfile_name(pg_switch_wal()) as segment',
  );
  await until(`${segment} is archived`, async () => {
    const [row] = await ask<{ last: string }>(db2, 'select last_archived_wal as last from pg_stat_archiver');
    return row !== undefined && row.last >= segment ? true : undefined;
  });
  await burnDown(estate);
  await customer.stop();

  const handle = await start(scenario(), 'fullRestore', { mode: 'live', requestedBy: 'cara', primary: 'db2' });
  await sayYes(handle);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'recovered', leftBehind: [] });

  const rows = await ask<{ number: string }>(await serverAt('db2'), 'select number from customer');
  const there = new Set(rows.map(({ number }) => Number(number)));
  expect(certain.filter((number) => !there.has(number))).toEqual([]);
  expect(await served(estate)).toEqual(['db2']);
  expect(await ask(await serverAt('db1'), 'select received_tli, status from pg_stat_wal_receiver')).toEqual([
    { received_tli: 3, status: 'streaming' },
  ]);
});
