/** A primary that is lost, people who say yes to all that is asked, and an observer who asks the servers themselves. */
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { expect } from 'vitest';
import { serversIn } from '../../../activities/processes.ts';
import { killIfThere } from '../../../lab/catastrophe.ts';
import { type Customer, lostFor } from '../../../lab/customer.ts';
import type { Host } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { peopleFiles } from '../../../lab/people.ts';
import { type Scenario, start, until } from '../drill/scenario.ts';
import { inYaml } from '../in-yaml.ts';
import { ask } from '../observer.ts';
import { serverOf, streamsOn } from '../recovery/scenario.ts';
import { isServed } from '../switchover/scenario.ts';

/** As a kernel that has no memory left does it: all processes of the server, at once. */
export async function killServer({ estate }: Scenario, host: Host): Promise<void> {
  const { data } = estate.servers[host];
  for (const pid of await serversIn(data)) killIfThere(pid);
  await until(`no server runs on ${host}`, async () => ((await serversIn(data)).length === 0 ? true : undefined));
}

export function startFailover(scenario: Scenario, input: object = {}): Promise<WorkflowHandle> {
  return start(scenario, 'databaseFailover', { mode: 'live', requestedBy: 'cara', ...input });
}

/** By the command line, as a person does it: with a key and in words. */
export async function approveAs(
  { estate }: Scenario,
  { run, code }: { run: string; code: string },
  person: 'ana' | 'ben',
  more: readonly string[] = [],
): Promise<string> {
  const main = join(process.cwd(), 'dist/cli/main.js');
  const { all } = await execa(
    process.execPath,
    [main, 'approve', run, '--as', person, '--key', peopleFiles(estate.root).key(person), '--code', code, ...more],
    { env: estate.env, all: true, timeout: 120_000 },
  );
  return all;
}

/** One primary, its standby streams on its timeline and holds the same rows, and clients are led to the primary alone. */
export async function expectChanged(scenario: Scenario, primary: Host, standby: Host): Promise<void> {
  const { estate } = scenario;
  expect(await roles(estate)).toEqual({ [primary]: 'primary', [standby]: 'standby' });
  expect(await served(estate)).toEqual([primary]);
  const [{ timeline } = { timeline: 0 }] = await ask<{ timeline: number }>(
    serverOf(scenario, primary),
    `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
  );
  await streamsOn(scenario, standby, timeline);
  const [{ lsn } = { lsn: '0/0' }] = await ask<{ lsn: string }>(
    serverOf(scenario, primary),
    'select pg_current_wal_lsn() as lsn',
  );
  await until(`${standby} has replayed ${lsn}`, async () => {
    const [row] = await ask<{ there: boolean }>(
      serverOf(scenario, standby),
      `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn as there`,
    );
    return row?.there ? true : undefined;
  });
}

/** Whom a host may cut off, and by which words. */
export async function permitFence(
  { estate }: Scenario,
  host: Host,
  fence: { hosts: Host[]; fence: string[]; confirm: string[] },
): Promise<void> {
  await inYaml(estate.site.layout.host(host).permit, { fences: [fence] });
}

/** Since the failover the customer is served; what it was acknowledged before and is lost was counted. */
export async function servedSince({ estate }: Scenario, customer: Customer): Promise<void> {
  const before = customer.acknowledged.length;
  await isServed(customer);
  expect(await lostFor(estate, customer.acknowledged.slice(before))).toEqual([]);
}
