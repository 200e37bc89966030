/** Switchovers as a client starts them, people who say yes, and an observer who asks the servers themselves. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { EstateOptions } from '../../../lab/estate.ts';
import { serverStates } from '../../../lab/front-door.ts';
import { type KillOrder, orderFiles } from '../../../lab/kills/order.ts';
import { type Host, hosts } from '../../../lab/layout.ts';
import { give } from '../../../scripts/kills/kill.ts';
import { ended, type Scenario, start, until } from '../drill/scenario.ts';
import { ask, configurationOf } from '../observer.ts';

/** Two people of three must say yes: who starts a run from a test is not known for certain. */
export const withPeople = {
  people: { quorum: 1, unsigned: 'allowed' },
  killPoints: true,
} as const satisfies Partial<EstateOptions>;

export const patientMs = 300_000;

/** What the servers say of themselves, asked by their sockets; `down` where nobody answers. */
export async function roles({ estate }: Scenario): Promise<Record<Host, string>> {
  const [db1, db2] = await Promise.all(
    hosts.map(async (host) => {
      const { socket, port } = estate.servers[host];
      const [row] = await ask<{ role: string }>(
        { host: socket, port },
        `select case when pg_is_in_recovery() then 'standby' else 'primary' end as role`,
      ).catch(() => []);
      return row?.role ?? 'down';
    }),
  );
  return { db1: db1 ?? 'down', db2: db2 ?? 'down' };
}

export async function primaryOf(scenario: Scenario): Promise<Host> {
  const found = await roles(scenario);
  const primaries = hosts.filter((host) => found[host] === 'primary');
  const [only] = primaries;
  if (only === undefined || primaries.length > 1) throw new Error(`${primaries.length} primaries`);
  return only;
}

export const other = (host: Host): Host => (host === 'db1' ? 'db2' : 'db1');

/** Servers that HAProxy gives sessions to. */
export async function served({ estate }: Scenario): Promise<string[]> {
  const states = await serverStates(estate.site.layout.frontDoorSocket);
  return states.filter(({ status }) => status.startsWith('UP')).map(({ name }) => name);
}

/** All that an abort must leave as it was. */
export async function condition(scenario: Scenario) {
  const { estate } = scenario;
  const of = async (host: Host) => {
    const { socket, port, data } = estate.servers[host];
    const server = { host: socket, port };
    return {
      timeline: await ask(server, 'select timeline_id from pg_control_checkpoint()'),
      slots: await ask(server, 'select slot_name from pg_replication_slots order by 1'),
      streams: await ask(server, 'select application_name, state from pg_stat_replication'),
      files: await configurationOf(data),
    };
  };
  const doors = await serverStates(estate.site.layout.frontDoorSocket);
  return {
    roles: await roles(scenario),
    db1: await of('db1'),
    db2: await of('db2'),
    door: doors.map(({ name, status }) => `${name} ${status}`),
  };
}

export async function startSwitchover(scenario: Scenario, input: object = {}): Promise<WorkflowHandle> {
  return start(scenario, 'switchover', { mode: 'live', requestedBy: 'cara', ...input });
}

/** Two people say yes as soon as they are asked. */
export async function sayYes(handle: WorkflowHandle): Promise<void> {
  const open = await until('people are asked', async () => {
    const { approvals = [], failure } = await handle.query<Evidence>('evidence');
    if (failure !== undefined) throw new Error(`it failed before: ${failure.message}`);
    return approvals.find(({ closedAt }) => closedAt === undefined);
  });
  for (const by of ['ana', 'ben'])
    await handle.executeUpdate('approve', { args: [{ by, approval: open.id, code: open.code, channel: 'cli' }] });
}

/** From the start to the end, with people who agree. */
export async function switchOver(scenario: Scenario, input: object = {}): Promise<Evidence> {
  const handle = await startSwitchover(scenario, input);
  await sayYes(handle);
  return ended(handle);
}

export interface Moment {
  activity: string;
  side: KillOrder['side'];
}

/** Does something while a worker stands still at a moment of a run; then the worker goes on, if it still lives. */
export async function whileAt(scenario: Scenario, { activity, side }: Moment, act: () => Promise<unknown>) {
  const { estate } = scenario;
  const order = await give(estate, { activity, side, afterMs: 60_000, afterActs: 3 });
  return {
    done: (async () => {
      await until(`a worker comes to ${activity} (${side})`, async () => (order.taken() ? true : undefined), 120_000);
      try {
        await act();
      } finally {
        await writeFile(orderFiles(estate.site.layout.kills).go, '');
      }
    })(),
  };
}

/** As an administrator who does not know of the run: with PostgreSQL's own tool. */
export async function startByHand({ estate }: Scenario, host: Host): Promise<void> {
  const { site, servers } = estate;
  const { data } = servers[host];
  await execa(
    join(site.programs.postgresql, 'pg_ctl'),
    ['-D', data, '-l', join(site.layout.host(host).temporary, 'by-hand.log'), '-w', 'start'],
    { ...site.account.ids, cwd: '/' },
  );
}
