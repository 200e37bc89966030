/** A host that is cut off by the plan's own command, which is believed only when what reads it back agrees. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { roles, served } from '../../../lab/pair.ts';
import { sayYesToAll } from '../../../scripts/kills/people.ts';
import { ended, useEstate } from '../drill/scenario.ts';
import { changingPlan } from '../faults/changing-plan.ts';
import { patientMs, useCustomer, withPeople } from '../switchover/scenario.ts';
import { killServer, permitFence, servedSince, startFailover } from './scenario.ts';

vi.setConfig({ testTimeout: patientMs });

const scenario = useEstate(withPeople);
const customer = useCustomer(scenario);

test('a power switch that does not say that it is off promotes nobody; one that does, fences', async () => {
  const { estate } = scenario();
  const power = join(estate.root, 'power');
  const off = join(estate.root, 'is-off');
  await writeFile(
    power,
    `#!/bin/sh\ncase $1 in off) echo "$LIFEBOAT_FENCE_HOST told to go off";; is-off) test -e ${off} && echo off;; esac\n`,
    { mode: 0o755 },
  );
  await estate.process('host-db1').kill('SIGKILL');
  await killServer(scenario(), 'db1');
  const words = { fence: [power, 'off'], confirm: [power, 'is-off'] };
  const fence = { kind: 'command', host: 'db2', ...words };
  await changingPlan(scenario(), { 'failover.fencing': [fence] }, async () => {
    const unpermitted = await startFailover(scenario());
    await sayYesToAll(unpermitted);
    expect((await ended(unpermitted)).failure).toMatchObject({
      type: 'NotPermitted',
      message: expect.stringContaining('under "fences:"'),
    });
    await permitFence(scenario(), 'db2', { hosts: ['db1'], ...words });
    const first = await startFailover(scenario());
    await sayYesToAll(first);
    const refused = await ended(first);
    expect(refused).toMatchObject({ outcome: 'failed', failure: { type: 'NotFenced' } });
    expect(await roles(estate)).toEqual({ db1: 'down', db2: 'standby' });
    expect(refused).toMatchObject({ leftBehind: [] });
    expect(refused.doorClosed).toBeUndefined();
    expect(await served(estate)).toEqual([]);
    await writeFile(off, '');
    const second = await startFailover(scenario());
    await sayYesToAll(second);
    const evidence = await ended(second);
    expect(evidence.failure).toBeUndefined();
    expect(evidence).toMatchObject({ outcome: 'completed', leftFenced: { host: 'db1' } });
  });
  expect(await roles(estate)).toEqual({ db1: 'down', db2: 'primary' });
  await servedSince(scenario(), customer());
});
