/** Two sites under load: one is moved from, lost and regained, by the servers' own word and by that of a customer who comes by the name. */
import { Resolver } from 'node:dns/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { loseRegion, regainRegion } from '../../../lab/catastrophe.ts';
import { lostFor } from '../../../lab/customer.ts';
import { linksOf } from '../../../lab/links.ts';
import { roles, served } from '../../../lab/pair.ts';
import { doorAddress, type Region } from '../../../lab/regions.ts';
import { sayYesToAll } from '../../../scripts/kills/people.ts';
import { backup, ended, start, until, useEstate } from '../drill/scenario.ts';
import { approveAs, expectChanged, servedSince } from '../failover/scenario.ts';
import { changingPlan } from '../faults/changing-plan.ts';
import { decide } from '../recovery/scenario.ts';
import { patientMs, stillServed, useCustomer, withPeople } from '../switchover/scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate({ ...withPeople, twoSites: true, faults: false });
const customer = useCustomer(scenario);

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
  // Of what was acknowledged before only the newest may be gone: there is no hole before it.
  const lost = new Set(await lostFor(estate, before));
  const firstLost = before.findIndex((one) => lost.has(one));
  if (firstLost >= 0) expect(before.slice(firstLost).every((one) => lost.has(one))).toBe(true);
});

test('the east is regained: it comes back as a standby, archives by itself, and the service moves back without loss', async () => {
  const { estate } = scenario();
  await regainRegion(estate, 'east');
  const written = customer().acknowledged.length;
  const evidence = await run('regionFailback');
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  await expectChanged(scenario(), 'db1', 'db2');
  await nameLeadsTo('east');
  await servedSince(scenario(), customer());
  await nothingLost(written);
});
