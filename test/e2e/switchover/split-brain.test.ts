/** Two servers that say they are the primary: the front door stays closed, and nobody but people decides. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import type { AbortPlan } from '../../../evidence/people.ts';
import { roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/people.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import { patientMs, startByHand, startSwitchover, stillServed, useCustomer, whileAt, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

test('the old primary is started by hand once the other is promoted: it comes up as a standby, and the switchover ends well', async () => {
  const handle = await startSwitchover(scenario());
  const { done } = await whileAt(scenario(), { activity: 'traffic/promote-the-standby', side: 'after' }, async () => {
    await startByHand(scenario(), 'db1');
    expect(await roles(scenario().estate)).toMatchObject({ db1: 'standby' });
  });
  await sayYes(handle);
  await done;
  const evidence = await ended(handle);
  expect(evidence.failure).toBeUndefined();
  expect(await roles(scenario().estate)).toEqual({ db1: 'standby', db2: 'primary' });
  expect(await served(scenario().estate)).toEqual(['db2']);
  await stillServed(scenario(), customer());
});

test('its standby.signal is removed and it is started by hand: no write comes through, both are left, and the end says what is closed', async () => {
  const handle = await startSwitchover(scenario());
  const { done } = await whileAt(scenario(), { activity: 'traffic/promote-the-standby', side: 'after' }, async () => {
    await rm(join(scenario().estate.servers.db2.data, 'standby.signal'));
    await startByHand(scenario(), 'db2');
  });
  await sayYes(handle);
  await done;
  const failed = await until('the run says what it has found', async () => {
    const { steps } = await handle.query<Evidence>('evidence');
    return steps.find(({ failure }) => failure?.type === 'SplitBrain');
  });
  expect(failed.failure?.message).toMatch(/db2 says that it is the primary too .* beside db1/);
  expect(await served(scenario().estate)).toEqual([]);
  const { stays } = await handle.query<AbortPlan>('abortPlan');
  expect(stays[0]).toMatchObject({ name: 'The front door', why: expect.stringContaining('nobody can write') });
  expect(JSON.stringify(stays)).not.toContain('stays open');
  const acknowledged = customer().acknowledged.length;
  await handle.cancel();
  const evidence = await ended(handle);
  expect(evidence.outcome).not.toBe('completed');
  expect(evidence.flags).toContain('door-closed');
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'primary' });
  expect(await served(scenario().estate)).toEqual([]);
  expect(customer().acknowledged.length).toBe(acknowledged);
});
