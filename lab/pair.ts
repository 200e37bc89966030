/** Primary and standby of an estate as they say themselves, and who is let in: asked by their sockets, not by Lifeboat. */
import type { Estate } from './estate.ts';
import { serverStates } from './front-door.ts';
import type { Host } from './layout.ts';
import { withServer } from './postgres.ts';
import { regionsOf } from './regions.ts';

export type Roles = Record<Host, 'primary' | 'standby' | 'down'>;

export async function roles({ site }: Estate): Promise<Roles> {
  const asked = (host: Host) =>
    withServer(site, host, 'postgres', async (client) => {
      const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
      return rows[0]?.standby === true ? ('standby' as const) : ('primary' as const);
    }).catch(() => 'down' as const);
  const found = await Promise.all(site.hosts.map(async (host) => [host, await asked(host)]));
  return Object.fromEntries(found) as Roles;
}

/** @throws Error there is none, or more than one */
export async function primaryOf(estate: Estate): Promise<Host> {
  const found = await roles(estate);
  const [only, ...more] = estate.site.hosts.filter((host) => found[host] === 'primary');
  if (only === undefined || more.length > 0)
    throw new Error(estate.site.hosts.map((host) => `${host} is ${found[host]}`).join(', '));
  return only;
}

export const other = (host: Host): Host => (host === 'db1' ? 'db2' : 'db1');

/** Servers that HAProxy gives sessions to. */
export async function served({ site }: Estate): Promise<string[]> {
  const doors = regionsOf(site).map((region) => serverStates(site.layout.door(region).socket));
  // The load balancer of a region that is lost gives nobody sessions.
  const states = (await Promise.all(doors.map((door) => door.catch(() => [])))).flat();
  return states.filter(({ status }) => status.startsWith('UP')).map(({ name }) => name);
}
