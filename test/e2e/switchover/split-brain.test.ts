/** Two servers that say they are the primary: the front door stays closed, and nobody but people decides. */
import { expect, test, vi } from 'vitest';
import type { Evidence } from '../../../evidence/evidence.ts';
import { roles, served } from '../../../lab/pair.ts';
import { sayYes } from '../../../scripts/kills/switchover.ts';
import { ended, until, useEstate } from '../drill/scenario.ts';
import { patientMs, startByHand, startSwitchover, useCustomer, whileAt, withPeople } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

test('the old primary is started by hand once the other is promoted: no write comes through, and both are left as they are', async () => {
  const handle = await startSwitchover(scenario());
  const { done } = await whileAt(scenario(), { activity: 'traffic/promote-the-standby.3', side: 'after' }, () =>
    startByHand(scenario(), 'db1'),
  );
  await sayYes(handle);
  await done;
  const failed = await until('the run says what it has found', async () => {
    const { steps } = await handle.query<Evidence>('evidence');
    return steps.find(({ failure }) => failure?.type === 'SplitBrain');
  });
  expect(failed.failure?.message).toMatch(/db1 says that it is the primary too .* beside db2/);
  expect(await served(scenario().estate)).toEqual([]);
  const acknowledged = customer().acknowledged.length;
  await handle.cancel();
  const evidence = await ended(handle);
  expect(evidence.outcome).not.toBe('completed');
  expect(await roles(scenario().estate)).toEqual({ db1: 'primary', db2: 'primary' });
  expect(await served(scenario().estate)).toEqual([]);
  expect(customer().acknowledged.length).toBe(acknowledged);
});
