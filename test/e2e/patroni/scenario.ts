/** Three servers that Patroni keeps, a client that counts, and an observer who asks servers and Patroni, not Lifeboat. */
import { expect } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Customer, lostFor } from '../../../lab/customer.ts';
import type { EstateOptions } from '../../../lab/estate.ts';
import type { Host } from '../../../lab/layout.ts';
import { primaryOf, roles, served } from '../../../lab/pair.ts';
import { askRest, patchConfiguration } from '../../../lab/patroni/servers.ts';
import { writeConfiguration } from '../../../lab/patroni/settings.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { ended, type Scenario, start, until } from '../drill/scenario.ts';
import { ask } from '../observer.ts';
import { isServed, withPeople } from '../switchover/scenario.ts';

export const keptByPatroni = { ...withPeople, patroni: {} } as const satisfies Partial<EstateOptions>;

/** From the start to the end, with people who agree. */
export async function run(scenario: Scenario, workflow: string, input: object = {}): Promise<Evidence> {
  const handle = await start(scenario, workflow, { mode: 'live', requestedBy: 'cara', ...input });
  await sayYes(handle);
  return ended(handle);
}

/** What is not fit is said, and nobody has to decide about it. */
export async function preview(scenario: Scenario, workflow: string, input: object = {}): Promise<Evidence> {
  return ended(await start(scenario, workflow, { mode: 'dry-run', ...input }));
}

export async function standbysOf({ estate }: Scenario): Promise<Host[]> {
  const found = await roles(estate);
  return estate.site.hosts.filter((host) => found[host] === 'standby');
}

/** Timeline that the primary writes on. */
export async function timelineOf({ estate }: Scenario): Promise<number> {
  const { socket, port } = estate.servers[await primaryOf(estate)];
  const [row] = await ask<{ timeline: number }>(
    { host: socket, port },
    `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
  );
  return row?.timeline ?? 0;
}

/** One primary, everybody else streams from it on its timeline, and the front door leads to it alone: by the servers' own words. */
export async function inOrder(scenario: Scenario): Promise<Host> {
  const { estate } = scenario;
  return until('one primary, whom all others follow', async () => {
    const primary = await primaryOf(estate);
    const timeline = await timelineOf(scenario);
    for (const host of estate.site.hosts) {
      if (host === primary) continue;
      const { socket, port } = estate.servers[host];
      const [row] = await ask<{ timeline: number; status: string }>(
        { host: socket, port },
        'select received_tli as timeline, status from pg_stat_wal_receiver',
      );
      if (row?.status !== 'streaming' || row.timeline !== timeline)
        throw new Error(`${host} has ${JSON.stringify(row)}, ${primary} writes on timeline ${timeline}`);
    }
    const led = await served(estate);
    if (led.join() !== primary) throw new Error(`the front door leads to ${led.join(' and ') || 'nobody'}`);
    return primary;
  });
}

/** The client goes on writing, and nothing that was acknowledged is gone. */
export async function nothingLost({ estate }: Scenario, customer: Customer): Promise<void> {
  await isServed(customer);
  expect(await lostFor(estate, [...customer.acknowledged])).toEqual([]);
}

/** Pauses Patroni, or lets it go on, as an administrator would; every member that runs knows of it. */
export async function pausePatroni({ estate }: Scenario, pause: boolean): Promise<void> {
  await patchConfiguration(estate, await primaryOf(estate), { pause: pause || null });
  await until(`every member to be ${pause ? 'paused' : 'resumed'}`, async () => {
    const running = estate.site.hosts.filter((host) => estate.process(host).running);
    const heard = await Promise.all(running.map((host) => askRest<{ pause?: boolean }>(estate, host, '/patroni')));
    return heard.every((one) => (one.pause === true) === pause) ? true : undefined;
  });
}

/** Sets the tag nofailover, or takes it away, as an administrator would; the store and Patroni itself know of it. */
export async function mayTakeOver({ estate }: Scenario, host: Host, may: boolean): Promise<void> {
  await writeConfiguration(estate.site, host, may ? {} : { nofailover: true });
  await estate.process(host).kill('SIGHUP');
  await until(`Patroni on ${host} to have read its tag`, async () => {
    const own = await askRest<{ tags?: { nofailover?: boolean } }>(estate, host, '/patroni');
    const { members } = await askRest<{ members: { name: string; tags?: object }[] }>(estate, host, '/cluster');
    const listed = members.find(({ name }) => name === host);
    return (own.tags?.nofailover !== true) === may && (listed?.tags === undefined) === may ? true : undefined;
  });
}
