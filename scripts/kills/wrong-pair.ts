import type { Estate } from '../../lab/estate.ts';
import { type Host, hosts } from '../../lab/layout.ts';
import { other, roles, served } from '../../lab/pair.ts';
import { withServer } from '../../lab/postgres.ts';

/** What is wrong with a pair of which one is to lead, and the other to stream from it; asked of the servers and of the front door. */
export async function wrongPair(estate: Estate, leader: Host): Promise<string[]> {
  const standby = other(leader);
  const found = await roles(estate);
  if (found[leader] !== 'primary' || found[standby] !== 'standby')
    return [`db1 is ${found.db1}, db2 is ${found.db2}; expected ${leader} as the primary, ${standby} as its standby`];
  const led = await served(estate);
  const streams = await withServer(estate.site, standby, 'postgres', async (client) => {
    const { rows } = await client.query<{ status: string }>('select status from pg_stat_wal_receiver');
    return rows[0]?.status;
  });
  const slots = await Promise.all(
    hosts.map((host) =>
      withServer(estate.site, host, 'postgres', async (client) => {
        const { rows } = await client.query<{ name: string }>('select slot_name as name from pg_replication_slots');
        return `${host}: ${rows.map(({ name }) => name).join(' ')}`;
      }),
    ),
  );
  const expected = hosts.map((host) => `${host}: ${host === leader ? standby : ''}`);
  return [
    ...(led.join() === leader ? [] : [`the front door leads to ${led.join(' and ') || 'nobody'}`]),
    ...(streams === 'streaming' ? [] : [`${standby} does not stream (${streams ?? 'no receiver'})`]),
    ...(slots.join() === expected.join() ? [] : [`slots are ${slots.join(', ')}, expected ${expected.join(', ')}`]),
  ];
}
