/** A primary that is lost, people who say yes to all that is asked, and an observer who asks the servers themselves. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import { serversIn } from '../../../activities/processes.ts';
import { type Customer, lostFor } from '../../../lab/customer.ts';
import type { Host } from '../../../lab/layout.ts';
import { roles, served } from '../../../lab/pair.ts';
import { peopleFiles } from '../../../lab/people.ts';
import { type Scenario, start, until } from '../drill/scenario.ts';
import { ask } from '../observer.ts';

/** As a kernel that has no memory left does it: all processes of the server, at once. */
export async function killServer({ estate }: Scenario, host: Host): Promise<void> {
  const { data } = estate.servers[host];
  for (const pid of await serversIn(data)) process.kill(pid, 'SIGKILL');
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
  const serverOf = (host: Host) => ({ host: estate.servers[host].socket, port: estate.servers[host].port });
  expect(await roles(estate)).toEqual({ [primary]: 'primary', [standby]: 'standby' });
  expect(await served(estate)).toEqual([primary]);
  const [{ timeline } = { timeline: 0 }] = await ask<{ timeline: number }>(
    serverOf(primary),
    `select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int as timeline`,
  );
  await until(`${standby} streams on timeline ${timeline}`, async () => {
    const [row] = await ask<{ received_tli: number; status: string }>(
      serverOf(standby),
      'select received_tli, status from pg_stat_wal_receiver',
    );
    return row?.received_tli === timeline && row.status === 'streaming' ? true : undefined;
  });
  const [{ lsn } = { lsn: '0/0' }] = await ask<{ lsn: string }>(
    serverOf(primary),
    'select pg_current_wal_lsn() as lsn',
  );
  await until(`${standby} has replayed ${lsn}`, async () => {
    const [row] = await ask<{ there: boolean }>(
      serverOf(standby),
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
  const { permit } = estate.site.layout.host(host);
  const text = parseDocument(await readFile(permit, 'utf8'));
  text.set('fences', [fence]);
  await writeFile(permit, text.toString());
}

/** Since the failover the customer is served; what it was acknowledged before and is lost was counted. */
export async function servedSince({ estate }: Scenario, { acknowledged }: Customer): Promise<void> {
  const before = acknowledged.length;
  await until('the customer is served', async () => (acknowledged.length > before + 20 ? true : undefined));
  expect(await lostFor(estate, acknowledged.slice(before))).toEqual([]);
}
