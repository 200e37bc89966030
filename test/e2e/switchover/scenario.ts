/** Switchovers as a client starts them, people who say yes, and an observer who asks the servers themselves. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { type Customer, lostFor, startCustomer } from '../../../lab/customer.ts';
import type { EstateOptions } from '../../../lab/estate.ts';
import { serverStates } from '../../../lab/front-door.ts';
import { type KillOrder, orderFiles } from '../../../lab/kills/order.ts';
import type { Host } from '../../../lab/layout.ts';
import { roles } from '../../../lab/pair.ts';
import { give } from '../../../scripts/kills/kill.ts';
import { withPeople as people, sayYes } from '../../../scripts/kills/people.ts';
import { backup, ended, type Scenario, start, until } from '../drill/scenario.ts';
import { ask, configurationOf } from '../observer.ts';

/** With workers that stand still where they are told to. */
export const withPeople = { ...people, killPoints: true } as const satisfies Partial<EstateOptions>;

export const patientMs = 300_000;

/** A client that writes and counts, on an estate that has a backup. */
export function useCustomer(scenario: () => Scenario): () => Customer {
  let customer: Customer;
  beforeAll(async () => {
    await backup(scenario());
    customer = await startCustomer(scenario().estate);
  });
  afterAll(() => customer?.stop());
  return () => customer;
}

/** The customer goes on writing, and nothing that was acknowledged is gone. */
export async function stillServed({ estate }: Scenario, customer: Customer): Promise<void> {
  await isServed(customer);
  expect(await lostFor(estate, [...customer.acknowledged])).toEqual([]);
}

/** The customer goes on, whatever he has lost. */
export async function isServed({ acknowledged }: Customer): Promise<void> {
  const before = acknowledged.length;
  await until('the customer is served', async () => (acknowledged.length > before + 20 ? true : undefined));
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
  const doors = await serverStates(estate.site.layout.door('east').socket);
  return {
    roles: await roles(estate),
    db1: await of('db1'),
    db2: await of('db2'),
    door: doors.map(({ name, status }) => `${name} ${status}`),
  };
}

export async function startSwitchover(scenario: Scenario, input: object = {}): Promise<WorkflowHandle> {
  return start(scenario, 'switchover', { mode: 'live', requestedBy: 'cara', ...input });
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
