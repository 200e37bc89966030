/** Two sites under load: one is moved from, lost and regained, by the servers' own word and by that of a customer who comes by the name. */
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { loseRegion, regainRegion } from '../../../lab/catastrophe.ts';
import { lostFor } from '../../../lab/customer.ts';
import { linksOf } from '../../../lab/links.ts';
import { roles, served } from '../../../lab/pair.ts';
import { database, withServer } from '../../../lab/postgres.ts';
import { doorAddress, type Region } from '../../../lab/regions.ts';
import { sayYesToAll } from '../../../scripts/kills/people.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { approveAs, expectChanged, servedSince } from '../failover/scenario.ts';
import { changingPlan } from '../faults/changing-plan.ts';
import { ask } from '../observer.ts';
import { decide, serverOf } from '../recovery/scenario.ts';
import { patientMs, stillServed, useCustomer, withPeople } from '../switchover/scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate({ ...withPeople, twoSites: true, faults: false });
const customer = useCustomer(scenario);

/** Seven rows that the east alone has. */
const alone = `insert into accounts (customer_id, kind, balance) select null, 'till', 0 from generate_series(1, 7)`;

const live = { mode: 'live', requestedBy: 'cara' };

async function run(workflow: string, input: object = {}): Promise<Evidence> {
  const handle = await start(scenario(), workflow, { ...live, ...input });
  await sayYesToAll(handle);
  return ended(handle);
}

/** Of what was acknowledged until now, since the first `from`. */
async function nothingLost(from = 0): Promise<void> {
  const acknowledged = customer().acknowledged.slice(from);
  expect(await lostFor(scenario().estate, acknowledged)).toEqual([]);
}

/** By the zone's own server, not by Lifeboat. */
async function nameLeadsTo(region: Region): Promise<void> {
  const { entry } = scenario().estate.site;
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${scenario().estate.ports.dns}`]);
  expect(await resolver.resolve4(entry?.name ?? '')).toEqual([doorAddress[region]]);
}

async function asked(handle: WorkflowHandle, name: string) {
  return until(`${name} is asked`, async () => {
    const { approvals = [], outcome, failure } = await handle.query<Evidence>('evidence');
    if (outcome !== 'running') throw new Error(`it has ended ${outcome}: ${failure?.message}`);
    return approvals.find((one) => one.name === name && one.outcome === undefined);
  });
}

/** As a person asks it. @returns the exit code, and what was said */
async function cli(...words: string[]): Promise<{ code: number | undefined; said: string }> {
  const main = join(process.cwd(), 'dist/cli/main.js');
  const { env } = scenario().estate;
  const asked = await execa(process.execPath, [main, ...words], { env, reject: false, timeout: 120_000 });
  return { code: asked.exitCode, said: asked.stdout };
}

test('the west is ready, until its store is away; what is not ready is said', async () => {
  const ready = await cli('readiness', 'orders');
  expect(ready.said).toContain('west could take over orders from east now.');
  expect(ready.code).toBe(0);
  await scenario().estate.process('store-west').stop();
  const away = await cli('readiness', 'orders');
  expect(away.said).toMatch(/west is not ready.*\n(.*\n)*.*✗ the store of west: /);
  expect(away.code).not.toBe(0);
  await scenario().estate.process('store-west').start();
  // An archiver that has failed waits for a minute, unless it is woken; customers have written meanwhile.
  const waiting = `select pg_reload_conf(), (select count(*)::int from pg_ls_archive_statusdir() where name like '%.ready') as files`;
  await until('the west has archived what it could not', async () => {
    const [row] = await ask<{ files: number }>(serverOf(scenario(), 'db2'), waiting);
    return (row?.files ?? 9) <= 1 ? true : undefined;
  });
});

test('a planned move: the west serves, the name leads there, nothing that was acknowledged is lost, and the east follows', async () => {
  await backup(scenario());
  await stillServed(scenario(), customer());
  const evidence = await run('regionSwitchover');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  await expectChanged(scenario(), 'db2', 'db1');
  await nameLeadsTo('west');
  await servedSince(scenario(), customer());
  await nothingLost();
});

test('and back again, by the same runbook', async () => {
  const evidence = await run('regionSwitchover', { to: 'east' });
  expect(evidence.failure).toBeUndefined();
  await expectChanged(scenario(), 'db1', 'db2');
  await nameLeadsTo('east');
  await servedSince(scenario(), customer());
  await nothingLost();
});

test('a site that only the other one cannot reach is not failed over', async () => {
  const links = linksOf(scenario().estate.site);
  await links.cut('west-to-east');
  const handle = await start(scenario(), 'regionFailover', live);
  expect(await decide(handle, 'abort', 'ServerAlive')).toContain('lifeboat start region-switchover orders');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  await links.mend('west-to-east');
  await stillServed(scenario(), customer());
});

test('the east is lost with all that is in it: people attest it, the west serves, the loss is told, and the east is left fenced', async () => {
  const { estate } = scenario();
  await stillServed(scenario(), customer());
  // What the east writes from now on nobody else has.
  await linksOf(estate.site).cut('west-to-east');
  await until('the west receives nothing any more', async () => {
    const [row] = await ask<{ status: string | null }>(
      serverOf(scenario(), 'db2'),
      'select (select status from pg_stat_wal_receiver) as status',
    );
    return row?.status == null ? true : undefined;
  });
  await withServer(estate.site, 'db1', database, (client) => client.query(alone));
  await loseRegion(estate, 'east');
  const before = [...customer().acknowledged];
  await changingPlan(scenario(), { 'failover.fencing': [{ kind: 'attestation', validFor: '30m' }] }, async () => {
    const handle = await start(scenario(), 'regionFailover', live);
    const { workflowId: run } = handle;
    const form = await asked(handle, 'Attest that the primary is off');
    for (const person of ['ana', 'ben'] as const)
      await approveAs(scenario(), { run, code: form.code }, person, ['--reason', 'the provider: east is dark']);
    const { subject, shown, code } = await asked(handle, 'Fail over to the other site');
    expect(subject).toMatchObject({ 'from site': 'east', 'to site': 'west', from: 'db1', to: 'db2' });
    expect(shown['would be lost']).toMatch(/acknowledged pulse/);
    for (const person of ['ana', 'ben'] as const) await approveAs(scenario(), { run, code }, person);
    const evidence = await ended(handle);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'completed', leftFenced: { host: 'db1' }, leftBehind: [] });
    expect(evidence.toDo).toContain('lifeboat start region-failback orders');
  });
  expect(await roles(estate)).toEqual({ db1: 'down', db2: 'primary' });
  expect(await served(estate)).toEqual(['db2']);
  await nameLeadsTo('west');
  await servedSince(scenario(), customer());
  // Of what was acknowledged before only the newest is gone: there is no hole before it.
  const lost = new Set(await lostFor(estate, before));
  const firstLost = before.findIndex((one) => lost.has(one));
  expect(firstLost).toBeGreaterThan(0);
  expect(before.slice(firstLost).every((one) => lost.has(one))).toBe(true);
});

test('an old primary that somebody starts by hand is a second history: nothing is brought back onto it, and nothing of it is touched', async () => {
  const { estate } = scenario();
  await regainRegion(estate, 'east');
  await estate.process('db1').start();
  const handle = await start(scenario(), 'regionFailback', live);
  expect(await decide(handle, 'abort', 'SplitBrain')).toContain('both say that they are the primary');
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  expect(await roles(estate)).toEqual({ db1: 'primary', db2: 'primary' });
  await nameLeadsTo('west');
  const watched = await cli('doctor', '--watch', '--once', 'orders');
  expect(watched.said).toContain('SPLIT BRAIN');
  expect(watched.code).not.toBe(0);
  await estate.process('db1').stop();
});

test('the east is regained: it comes back as a standby, archives by itself, and the service moves back without loss', async () => {
  const { estate } = scenario();
  await regainRegion(estate, 'east');
  const written = customer().acknowledged.length;
  const evidence = await run('regionFailback');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  // Which rows the failover has cost, by a copy of the old primary that had died.
  const accounts = evidence.ledger?.tables.find(({ table }) => table === 'public.accounts');
  expect(accounts).toMatchObject({
    by: 'primary key',
    missing: 7,
    changed: 0,
    file: { location: expect.stringMatching(/^s3:/) },
  });
  await expectChanged(scenario(), 'db1', 'db2');
  await nameLeadsTo('east');
  await servedSince(scenario(), customer());
  await nothingLost(written);
});
