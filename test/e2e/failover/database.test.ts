/** The primary is lost under load: what comes of it, by the servers' own word and by that of a customer who counts. */
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { lostFor } from '../../../lab/customer.ts';
import { roles } from '../../../lab/pair.ts';
import { sayYesToAll } from '../../../scripts/kills/people.ts';
import { readPulseLog } from '../drill/independent.ts';
import { ended, start, until, useEstate } from '../drill/scenario.ts';
import { changingPlan } from '../faults/changing-plan.ts';
import { ask } from '../observer.ts';
import { decide } from '../recovery/scenario.ts';
import { patientMs, stillServed, useCustomer, withPeople } from '../switchover/scenario.ts';
import { approveAs, expectChanged, killServer, servedSince, startFailover } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

/** Of what the customer was acknowledged before the loss only the newest may be gone: there is no hole before it. */
async function expectOnlyTheNewestLost(before: readonly number[]): Promise<void> {
  const lost = new Set(await lostFor(scenario().estate, before));
  const firstLost = before.findIndex((one) => lost.has(one));
  if (firstLost >= 0) expect(before.slice(firstLost).every((one) => lost.has(one))).toBe(true);
  // And whatever was acknowledged since is there.
  const since = customer().acknowledged.slice(before.length);
  expect(await lostFor(scenario().estate, since)).toEqual([]);
}

/** A failover that stops before it has changed anything; people are asked, and give it up. @returns what they were told */
async function givenUp(failed: string): Promise<string> {
  const handle = await startFailover(scenario());
  const told = await decide(handle, 'abort', failed);
  expect(await ended(handle)).toMatchObject({ outcome: 'aborted', leftBehind: [] });
  return told;
}

test('a primary that still answers is not failed over', async () => {
  await stillServed(scenario(), customer());
  expect(await givenUp('ServerAlive')).toContain('lifeboat start switchover orders');
  await stillServed(scenario(), customer());
});

test('a primary that only the control worker cannot reach is not failed over: its standby still receives from it', async () => {
  await changingPlan(scenario(), { 'database.members.0.port': 1 }, async () => {
    expect(await givenUp('ServerAlive')).toContain('the standby there still receives from it');
  });
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'standby' });
  await stillServed(scenario(), customer());
});

test('the primary is killed under load: the standby takes over, the loss is told as it is, and the old primary comes back', async () => {
  await stillServed(scenario(), customer());
  await killServer(scenario(), 'db1');
  const before = [...customer().acknowledged];
  const handle = await startFailover(scenario());
  await sayYesToAll(handle);
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(evidence).toMatchObject({ outcome: 'completed', leftBehind: [] });
  expect(evidence.leftFenced).toBeUndefined();
  expect(evidence.approvals?.[0]?.shown['the old primary']).toContain('on db1 no server runs');
  await expectChanged(scenario(), 'db2', 'db1');
  await servedSince(scenario(), customer());
  await expectOnlyTheNewestLost(before);
  // The pulse's own log against the new primary, by an observer.
  const { socket, port } = scenario().estate.servers.db2;
  const rows = await ask<{ number: string }>({ host: socket, port }, 'select number from lifeboat.pulse');
  const there = new Set(rows.map(({ number }) => Number(number)));
  const missing = (await readPulseLog(scenario().estate)).filter(({ number }) => !there.has(number));
  const told = evidence.measurements.find(({ name }) => name === 'acknowledged pulses lost')?.value;
  expect(told).toBe(missing.length);
});

test('the host is lost with its worker: a person attests that it is off, it is left fenced, and comes back later', async () => {
  const { estate } = scenario();
  await killServer(scenario(), 'db2');
  await estate.process('host-db2').kill('SIGKILL');
  await changingPlan(
    scenario(),
    { 'failover.fencing': [{ kind: 'postgres' }, { kind: 'attestation', validFor: '30m' }] },
    async () => {
      const handle = await startFailover(scenario());
      const open = async (name: string) =>
        until(`${name} is asked`, async () => {
          const { approvals = [], outcome, failure } = await handle.query<Evidence>('evidence');
          if (outcome !== 'running') throw new Error(`it has ended ${outcome}: ${failure?.message}`);
          return approvals.find((one) => one.name === name && one.outcome === undefined);
        });
      const { workflowId: run } = handle;
      const form = await open('Attest that the primary is off');
      expect(form.subject).toMatchObject({ host: 'db2', 'I attest 1': expect.stringContaining('powered off') });
      for (const person of ['ana', 'ben'] as const)
        await approveAs(scenario(), { run, code: form.code }, person, ['--reason', 'console of rack 4: no light']);
      const { shown, code } = await open('Fail over');
      expect(shown['the fence stops']).toContain('rests on what a person has seen');
      for (const person of ['ana', 'ben'] as const) await approveAs(scenario(), { run, code }, person);
      const evidence = await ended(handle);
      expect(evidence.failure).toBeUndefined();
      expect(evidence).toMatchObject({ outcome: 'completed', leftFenced: { host: 'db2' } });
      expect(evidence.toDo).toContain('lifeboat start standby-rebuild orders');
    },
  );
  expect(await roles(estate)).toEqual({ db1: 'primary', db2: 'down' });
  await servedSince(scenario(), customer());
  await estate.process('host-db2').start();
  const rebuild = await start(scenario(), 'standbyRebuild', { mode: 'live', requestedBy: 'cara', host: 'db2' });
  await sayYesToAll(rebuild);
  expect((await ended(rebuild)).failure).toBeUndefined();
  await expectChanged(scenario(), 'db1', 'db2');
});
