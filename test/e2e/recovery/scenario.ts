/** Point-in-time recoveries as a client starts them, people who answer, and an observer who asks the servers themselves. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { Approval } from '../../../evidence/people.ts';
import { type Host, hosts } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { approveUpdate, decideUpdate, rejectUpdate } from '../../../workflows/messages.ts';
import { type Scenario, start, until } from '../drill/scenario.ts';
import { ask, type Server } from '../observer.ts';

export function serverOf({ estate }: Scenario, host: Host): Server {
  const { socket, port } = estate.servers[host];
  return { host: socket, port };
}

/** Each statement commits by itself on db1. @returns the number of its transaction */
export async function commit(scenario: Scenario, sql: string): Promise<number> {
  const [row] = await ask<{ number: string }>(
    serverOf(scenario, 'db1'),
    `with done as (${sql} returning 1) select pg_current_xact_id()::xid::text as number, count(*) from done`,
  );
  return Number(row?.number ?? 0);
}

/** By the clock of db1. */
export async function moment(scenario: Scenario): Promise<string> {
  const [row] = await ask<{ at: string }>(
    serverOf(scenario, 'db1'),
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
  );
  return row?.at ?? '';
}

export function startRecovery(scenario: Scenario, target: string): Promise<WorkflowHandle> {
  return start(scenario, 'pointInTimeRecovery', { mode: 'live', requestedBy: 'cara', target });
}

/** The approval of this round, once it is asked. */
export function asked(handle: WorkflowHandle, round = 1): Promise<Approval> {
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

export async function say(handle: WorkflowHandle, { id, code }: Approval, more: object = {}): Promise<void> {
  for (const by of ['ana', 'ben'])
    await handle.executeUpdate(approveUpdate, { args: [{ by, approval: id, code, channel: 'cli', ...more }] });
}

/** One no is enough. */
export async function reject(handle: WorkflowHandle, { id, code }: Approval, reason: string): Promise<void> {
  const click = { by: 'ana', approval: id, code, channel: 'cli', reason } as const;
  await handle.executeUpdate(rejectUpdate, { args: [click] });
}

/** Names beside the data directory. */
export async function setAside({ estate }: Scenario, host: Host): Promise<string[]> {
  const { data } = estate.servers[host];
  const names = await readdir(dirname(data));
  return names.filter((name) => name.startsWith(`${basename(data)}.before-`));
}

/** By the standby's own word, once it does. */
export async function streamsOn(scenario: Scenario, standby: Host, timeline: number): Promise<void> {
  await until(`${standby} streams on timeline ${timeline}`, async () => {
    const [row] = await ask<{ received_tli: number; status: string }>(
      serverOf(scenario, standby),
      'select received_tli, status from pg_stat_wal_receiver',
    );
    return row?.received_tli === timeline && row.status === 'streaming' ? true : undefined;
  });
}

export async function expectPair(scenario: Scenario, timeline: number): Promise<void> {
  const { estate } = scenario;
  expect(await roles(estate)).toEqual({ db1: 'primary', db2: 'standby' });
  expect(await served(estate)).toEqual(['db1']);
  await streamsOn(scenario, 'db2', timeline);
  // A standby that has just been started takes its slot once it streams.
  expect(await ask(serverOf(scenario, 'db1'), 'select slot_name, active from pg_replication_slots')).toEqual([
    { slot_name: 'db2', active: true },
  ]);
}

export async function expectNothingBeside({ estate }: Scenario): Promise<void> {
  for (const host of hosts) expect(await readdir(estate.servers[host].scratch)).toEqual([]);
}

/** What people are told when a step has failed, and what they say to it. @param first done before they say it */
export async function decide(
  handle: WorkflowHandle,
  action: 'retry' | 'abort',
  failed: string,
  first: () => Promise<unknown> = async () => undefined,
): Promise<string> {
  const { step, code, failure } = await until(
    `a decision on ${failed}`,
    async () => {
      const { decisions = [], outcome, failure: why } = await handle.query<Evidence>('evidence');
      if (outcome !== 'running') throw new Error(`it has ended ${outcome}: ${why?.message}`);
      return decisions.find((one) => one.closedAt === undefined && one.failure.type === failed);
    },
    240_000,
  );
  await first();
  await handle.executeUpdate(decideUpdate, { args: [{ by: 'ana', step, code, action, channel: 'cli' }] });
  return failure.message;
}
